"""Which volumes PVE shows to whom: the rules of pve-storage, as a table."""

from __future__ import annotations

import pytest

from pmpc_state.discovery.volumeaccess import is_shown

AUDITOR = {"/storage": ("Datastore.Audit",), "/vms": ("VM.Audit",)}
DISK = "local-lvm:vm-100-disk-0"


@pytest.mark.parametrize(
    ("volid", "privileges", "shown"),
    [
        (DISK, {}, False),
        (DISK, AUDITOR, False),
        (DISK, {**AUDITOR, "/vms": ("VM.Config.Disk",)}, True),
        (DISK, {**AUDITOR, "/vms/100": ("VM.Config.Disk",)}, True),
        (DISK, {**AUDITOR, "/vms/101": ("VM.Config.Disk",)}, False),
        (DISK, {"/vms": ("VM.Config.Disk",), "/vms/100": ("VM.Audit",)}, False),
        (DISK, {"/storage": ("Datastore.Allocate",)}, True),
        (DISK, {"/": ("Datastore.Allocate",), "/storage/local-lvm": ()}, False),
        (DISK, {"/storage/local-lvm": ("Datastore.Audit",), "/": ("VM.Config.Disk",)}, True),
        ("local:100/vm-100-disk-0.qcow2", {**AUDITOR, "/vms/100": ("VM.Config.Disk",)}, True),
        ("zfs:base-100-disk-0/vm-101-disk-0", {**AUDITOR, "/vms/100": ("VM.Config.Disk",)}, False),
        ("zfs:base-100-disk-0/vm-101-disk-0", {**AUDITOR, "/vms/101": ("VM.Config.Disk",)}, True),
        ("zfs:subvol-101-disk-0", {**AUDITOR, "/vms/101": ("VM.Config.Disk",)}, True),
        ("local-lvm:vm-100-cloudinit", {**AUDITOR, "/vms": ("VM.Config.Disk",)}, True),
        ("iscsi:0.0.1.scsi-1", {**AUDITOR, "/vms": ("VM.Config.Disk",)}, False),
        ("local:iso/debian.iso", {}, False),
        ("local:iso/debian.iso", AUDITOR, True),
        ("local:vztmpl/debian.tar.zst", {"/": ("Datastore.AllocateSpace",)}, True),
        ("local:snippets/user.yaml", AUDITOR, False),
        ("local:snippets/user.yaml", {"/storage/local": ("Datastore.Allocate",)}, True),
        ("local:backup/vzdump-qemu-100-2026_11_22-00_00_00.vma.zst", AUDITOR, False),
        ("local:backup/vzdump-qemu-100-2026_11_22-00_00_00.vma.zst",
         {"/storage": ("Datastore.AllocateSpace",), "/vms": ("VM.Backup",)}, True),
        ("pbs:backup/ct/101/2026-11-22T00:00:00Z",
         {"/storage": ("Datastore.AllocateSpace",), "/vms/101": ("VM.Backup",)}, True),
        ("pbs:backup/ct/101/2026-11-22T00:00:00Z",
         {"/storage": ("Datastore.AllocateSpace",), "/vms/100": ("VM.Backup",)}, False),
    ],
)  # fmt: skip
def test_a_volume_is_shown_to_whom_pve_shows_it(
    volid: str, privileges: dict[str, tuple[str, ...]], shown: bool
) -> None:
    assert is_shown(volid, privileges) is shown
