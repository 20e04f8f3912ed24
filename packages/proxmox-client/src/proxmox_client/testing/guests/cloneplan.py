"""The configuration of a clone: what is copied, what is new, which disks have to be made."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping

import attrs

from proxmox_client.testing.guests import identity, nics
from proxmox_client.testing.guests.drives import Drive, is_drive, is_mount, is_unused, parse_drive
from proxmox_client.testing.guests.options import Kind

_NOT_COPIED = frozenset(
    ("lock", "parent", "runningcpu", "runningmachine", "snaptime", "template", "vmstate")
)


@attrs.frozen
class ClonePlan:
    """What a clone will look like.

    Attributes:
        config: Its options without the disks that have to be made.
        drives: The source's drives that have to be copied or linked.
    """

    config: dict[str, str]
    drives: tuple[Drive, ...]


def plan(kind: Kind, source: Mapping[str, str], chance: random.Random) -> ClonePlan:
    """Plan a clone of some options: new addresses and uuids, media kept, the rest copied."""
    config: dict[str, str] = {}
    wanted: list[Drive] = []
    for name in sorted(source):
        text = source[name]
        if name in _NOT_COPIED or is_unused(name):
            continue
        if (is_drive if kind == "qemu" else is_mount)(name):
            drive = parse_drive(name, text)
            if not drive.is_medium:
                wanted.append(drive)
                continue
        config[name] = _copied(kind, name, text, chance)
    if kind == "qemu":
        config["smbios1"] = identity.with_new_uuid(config.get("smbios1"), chance)
    return ClonePlan(config, tuple(wanted))


def _copied(kind: Kind, name: str, text: str, chance: random.Random) -> str:
    if re.fullmatch(r"net\d+", name):
        if kind == "qemu":
            return nics.normalise_net(text, chance, new_mac=True)
        return nics.normalise_veth(text, chance, new_mac=True)
    if name == "vmgenid" and kind == "qemu":
        return identity.random_uuid(chance)
    return text
