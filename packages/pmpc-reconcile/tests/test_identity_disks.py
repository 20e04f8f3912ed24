"""Which disks of a guest may go with it, and which belong to somebody else."""

from __future__ import annotations

import pytest

from pmpc_reconcile.identity.disks import disks_of, own_disks, read_disks, write_disks

OURS = {"scsi0": "lvm:vm-100-disk-0,size=8G", "scsi1": "lvm:vm-100-disk-1,size=4G"}
KNOWN = disks_of(OURS)


@pytest.mark.parametrize(
    ("config", "foreign"),
    [
        pytest.param(OURS, [], id="as it was"),
        pytest.param(OURS | {"scsi2": "lvm:vm-100-disk-2"}, ["scsi2"], id="one more"),
        pytest.param(
            {"scsi0": OURS["scsi0"], "scsi1": "shared:100/vm-100-disk-0.raw,size=4G"},
            [],
            id="moved to another storage",
        ),
        pytest.param({"scsi0": OURS["scsi0"], "unused0": "lvm:vm-100-disk-1"}, [], id="detached"),
        pytest.param(
            {
                "scsi0": OURS["scsi0"],
                "scsi1": "lvm:vm-100-disk-2,size=4G",
                "unused0": "lvm:vm-100-disk-1",
            },
            ["scsi1"],
            id="detached, and another one in its place",
        ),
        pytest.param(
            {
                "scsi0": OURS["scsi0"],
                "scsi1": "lvm:vm-100-disk-2,size=4G",
                "scsi5": OURS["scsi1"],
            },
            ["scsi1"],
            id="in another slot, and another one in its place",
        ),
        pytest.param(
            {"scsi0": OURS["scsi1"], "scsi1": OURS["scsi0"]}, [], id="swapped with each other"
        ),
        pytest.param(
            OURS | {"ide2": "local:iso/x.iso,media=cdrom", "unused3": "lvm:vm-100-disk-7"},
            ["unused3"],
            id="a medium stays anyway",
        ),
    ],
)
def test_a_disk_is_ours_by_its_volume_or_by_its_slot_if_it_only_moved(
    config: dict[str, str], foreign: list[str]
) -> None:
    others = disks_of(config) - own_disks(config, KNOWN, ())
    assert sorted(disk.slot for disk in others) == foreign


def test_a_declared_slot_with_another_disk_than_the_recorded_one_is_no_ours() -> None:
    config = {"scsi1": "lvm:vm-100-disk-9", "unused0": "lvm:vm-100-disk-1"}
    owned = ("config.scsi1.size", "config.cores")
    assert {disk.slot for disk in own_disks(config, KNOWN, owned)} == {"unused0"}
    assert {disk.slot for disk in own_disks(config, frozenset(), owned)} == {"scsi1"}


def test_disks_are_remembered_as_they_were() -> None:
    assert read_disks(write_disks(KNOWN)) == KNOWN
