"""Disks and mount points of a guest: which options are some, and how their texts are built."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping

import attrs

from proxmox_client.testing.guests import keyed
from proxmox_client.testing.guests.sizes import parse_size

_QEMU_DRIVE = re.compile(
    r"(ide[0-3]|sata[0-5]|scsi(?:[12]?\d|30)|virtio(?:\d|1[0-5])|efidisk0|tpmstate0)"
)
_LXC_VOLUME = re.compile(r"(rootfs|mp\d{1,3})")
_UNUSED = re.compile(r"unused\d{1,3}")
_CLOUDINIT = re.compile(r"[:/](?:vm-\d+-)?cloudinit(?:\.(?:raw|qcow2|vmdk))?$")
_NEW = re.compile(r"([^/:\s]+):(\d+(?:\.\d+)?)")
_BOOT_ORDER = ("ide", "scsi", "virtio", "sata")
EFI_SIZE = 540672
TPM_SIZE = 4 * 1024 * 1024
CLOUDINIT_SIZE = 4 * 1024 * 1024


@attrs.define
class Drive:
    """One disk, CD-ROM drive, mount point or unused volume.

    Attributes:
        slot: Option that holds it: ``scsi0``, ``rootfs``, ``unused1``.
        volid: Volume, path, ``none`` or ``cdrom``.
        keys: The other keys of its text.
    """

    slot: str
    volid: str
    keys: dict[str, str] = attrs.field(factory=dict[str, str])

    @property
    def is_cdrom(self) -> bool:
        """Whether it is a drive with a medium, the cloud-init drive among them."""
        return self.keys.get("media") == "cdrom"

    @property
    def is_cloudinit(self) -> bool:
        """Whether it is the drive that carries cloud-init's data."""
        return _CLOUDINIT.search(self.volid) is not None

    @property
    def is_medium(self) -> bool:
        """Whether it holds a medium that is not the guest's own (an ISO image, or none)."""
        return self.is_cdrom and not self.is_cloudinit

    @property
    def storage(self) -> str | None:
        """Storage of the volume; None for ``none`` and absolute paths."""
        if self.volid.startswith("/") or ":" not in self.volid:
            return None
        return self.volid.split(":", 1)[0]

    @property
    def size(self) -> int:
        """Size in bytes as the text says; 0 if it does not."""
        return parse_size(self.keys["size"]) if "size" in self.keys else 0

    @property
    def new_size(self) -> int | None:
        """Size in bytes of a volume still to be allocated (``local:32``), else None.

        Rounded up to KiB for machines, down to MiB for containers.
        """
        match = _NEW.fullmatch(self.volid)
        if match is None:
            return None
        gib = float(match[2])
        if is_mount(self.slot):
            return int(gib * 1024) * 1024**2
        return math.ceil(gib * 1024**2) * 1024

    def text(self) -> str:
        """Write the option's value."""
        default, required = _grammar(self.slot)
        return keyed.write({default: self.volid, **self.keys}, default, required)

    def with_volume(self, volid: str, **keys: str) -> Drive:
        """Return the drive with another volume and some keys replaced."""
        return Drive(self.slot, volid, {**self.keys, **keys})


def _grammar(slot: str) -> tuple[str, tuple[str, ...]]:
    if slot.startswith("mp"):
        return "volume", ("mp",)
    if slot == "rootfs":
        return "volume", ()
    return "file", ()


def parse_drive(slot: str, text: str) -> Drive:
    """Read the value of a drive option."""
    default, _ = _grammar(slot)
    keys = keyed.parse(text, default)
    volid = keys.pop(default, "")
    return Drive(slot, volid, keys)


def is_drive(name: str) -> bool:
    """Whether a QEMU option holds a drive."""
    return _QEMU_DRIVE.fullmatch(name) is not None


def is_mount(name: str) -> bool:
    """Whether a container's option holds its root or a mount point."""
    return _LXC_VOLUME.fullmatch(name) is not None


def is_unused(name: str) -> bool:
    """Whether an option holds a detached volume."""
    return _UNUSED.fullmatch(name) is not None


def holds_volume(kind: str, name: str) -> bool:
    """Whether an option may refer to a volume, detached ones among them."""
    return is_unused(name) or (is_drive(name) if kind == "qemu" else is_mount(name))


def drives(kind: str, config: Mapping[str, str], *, unused: bool = False) -> Iterator[Drive]:
    """Yield the drives of a configuration in the order of their names."""
    for name in sorted(config):
        if is_unused(name) and not unused:
            continue
        if holds_volume(kind, name):
            yield parse_drive(name, config[name])


def owned(vmid: int, drive: Drive) -> bool:
    """Whether the volume's name says that it belongs to the guest."""
    if drive.storage is None or drive.is_medium:
        return False
    return (
        re.search(rf"(?:vm|base|subvol|basevol)-{vmid}-", drive.volid.rsplit("/", 1)[-1])
        is not None
    )


def free_unused_slot(config: Mapping[str, str]) -> str:
    """Return the first ``unusedN`` that is not taken."""
    number = 0
    while f"unused{number}" in config:
        number += 1
    return f"unused{number}"


def first_disk(config: Mapping[str, str], *, cdrom: bool) -> str | None:
    """Return the drive QEMU would boot from, or the first CD-ROM drive."""
    candidates = [
        drive.slot
        for drive in drives("qemu", config)
        if drive.is_cdrom == cdrom and drive.slot.rstrip("0123456789") in _BOOT_ORDER
    ]
    return min(candidates, key=_boot_rank, default=None)


def _boot_rank(slot: str) -> tuple[int, int]:
    stem = slot.rstrip("0123456789")
    return _BOOT_ORDER.index(stem), int(slot[len(stem) :])


def default_boot(config: Mapping[str, str]) -> str:
    """Return the ``boot`` option PVE chooses for a new machine."""
    devices = [first_disk(config, cdrom=False), first_disk(config, cdrom=True)]
    nets = sorted(int(name[3:]) for name in config if re.fullmatch(r"net\d+", name))
    devices.append(f"net{nets[0]}" if nets else None)
    return boot_text([name for name in devices if name])


def boot_text(devices: list[str]) -> str:
    """Write a boot order; PVE shows a single space for no devices."""
    return "order=" + ";".join(devices) if devices else " "


def boot_devices(text: str | None) -> list[str]:
    """Return the devices of a boot order."""
    return [name for name in keyed.parse(text or "").get("order", "").split(";") if name]


def boot_size(kind: str, config: Mapping[str, str]) -> int:
    """Return the size that status entries show as ``maxdisk``."""
    if kind == "lxc":
        return parse_drive("rootfs", config["rootfs"]).size if "rootfs" in config else 0
    ordered = [
        name
        for name in boot_devices(config.get("boot"))
        if is_drive(name) and name in config and not parse_drive(name, config[name]).is_cdrom
    ]
    slot = ordered[0] if ordered else first_disk(config, cdrom=False)
    return parse_drive(slot, config[slot]).size if slot else 0
