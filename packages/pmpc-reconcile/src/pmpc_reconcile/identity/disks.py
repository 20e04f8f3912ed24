"""Which disks of a guest are ours: deleting a guest deletes its disks, also those others added."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import attrs

DISKS: Final = "disks"
"""Name under which a guest's own disks stand in its recorded identity."""

SLOT: Final = re.compile(r"(?:(?:scsi|sata|ide|virtio|mp|unused)\d+|efidisk0|tpmstate0|rootfs)")
_KEYED: Final = re.compile(r"(?:^|,)(?:file|volume)=([^,]+)")


@attrs.frozen
class Disk:
    """A volume a guest holds.

    Attributes:
        slot: The option that names it: `scsi0`, `unused1`.
        volume: Its volume id.
    """

    slot: str
    volume: str


def disks_of(config: Mapping[str, Any]) -> frozenset[Disk]:
    """Return the volumes that would go with a guest; media in a CD drive and binds stay."""
    found: set[Disk] = set()
    for slot, value in config.items():
        text = str(value)
        if SLOT.fullmatch(slot) is None or ("media=cdrom" in text and "cloudinit" not in text):
            continue
        keyed = _KEYED.search(text)
        volume = keyed.group(1) if keyed else text.partition(",")[0]
        if ":" in volume:
            found.add(Disk(slot, volume))
    return frozenset(found)


def read_disks(record: Mapping[str, str]) -> frozenset[Disk]:
    """Return the disks a recorded identity names."""
    pairs = (text.partition("=") for text in record.get(DISKS, "").split(";") if text)
    return frozenset(Disk(slot, volume) for slot, _, volume in pairs)


def write_disks(disks: Iterable[Disk]) -> dict[str, str]:
    """Return disks as a part of an identity to record."""
    text = ";".join(sorted(f"{disk.slot}={disk.volume}" for disk in disks))
    return {DISKS: text} if text else {}


def own_disks(
    config: Mapping[str, Any], known: frozenset[Disk], owned_paths: Iterable[str]
) -> frozenset[Disk]:
    """Return which of a guest's disks are ours: known by slot or volume, or declared by us.

    A move to another storage gives a disk another volume, so its slot counts, too: unless the
    volume known to be in that slot is still there elsewhere. Then somebody put another disk there.
    """
    there = disks_of(config)
    volumes = {disk.volume for disk in known}
    slots = {disk.slot for disk in known if not disk.slot.startswith("unused")}
    slots |= {path.split(".")[1] for path in owned_paths if path.startswith("config.")}
    elsewhere = {disk.volume for disk in there}
    slots -= {disk.slot for disk in known if disk.volume in elsewhere - {_at(there, disk.slot)}}
    return frozenset(disk for disk in there if disk.slot in slots or disk.volume in volumes)


def _at(disks: Iterable[Disk], slot: str) -> str | None:
    return next((disk.volume for disk in disks if disk.slot == slot), None)


def foreign_disks(vmid: int, disks: Iterable[Disk]) -> str:
    """Return why a guest with disks of others is not deleted, and what to do."""
    names = ", ".join(sorted(f"{disk.slot} ({disk.volume})" for disk in disks))
    return (
        f"guest {vmid} holds disks this release did not make: {names}; deleting it would delete "
        "them, so reassign them to another guest or remove them first"
    )
