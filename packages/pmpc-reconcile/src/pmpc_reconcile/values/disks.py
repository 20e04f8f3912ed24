"""Disks: a declared storage and size against the volume that came of it.

A manifest says what it wants (`{storage: local-lvm, size: 32G}`, or PVE's `local-lvm:32`); a server
shows which volume it is (`local-lvm:vm-100-disk-0,size=32G`). Both read as the fields `storage` and
`size`; the server's also as `volume`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from pmpc_reconcile.values.sizes import format_size, parse_size

# A cloud-init drive that exists: `local:101/vm-101-cloudinit.qcow2`, `local-lvm:vm-101-cloudinit`.
_CLOUDINIT: Final = re.compile(r"(?:.*/)?vm-\d+-cloudinit(?:\.\w+)?")
_ALLOCATION: Final = re.compile(r"(?P<storage>[A-Za-z][A-Za-z0-9._-]*):(?P<size>\d+(\.\d+)?)")
_VOLUME: Final = re.compile(r"(?P<storage>[A-Za-z][A-Za-z0-9._-]*):(?P<name>.+)")


def read_volume(parts: Mapping[str, Any], option: str, *, live: bool) -> dict[str, Any]:
    """Explain the `volume` of a disk by the fields `storage`, `size` and `cloudinit`.

    Args:
        parts: The disk's keys.
        option: The option's name, without an index.
        live: A server showed it; else it is what somebody wants.
    """
    found = dict(parts)
    text = str(found.get("volume", ""))
    allocation = _ALLOCATION.fullmatch(text)
    volume = _VOLUME.fullmatch(text)
    if allocation and not live:
        del found["volume"]
        found.setdefault("storage", allocation["storage"])
        size = parse_size(f"{allocation['size']}G")
        if size and "import-from" not in found:
            found.setdefault("size", format_size(size))
    elif volume and volume["name"] == "cloudinit":
        del found["volume"]
        found = {"storage": volume["storage"], "cloudinit": True, **found}
    elif volume:
        if live:
            found["storage"] = volume["storage"]
        if _CLOUDINIT.fullmatch(volume["name"]):
            found["cloudinit"] = True
    if found.get("cloudinit"):
        found["media"] = "cdrom"
    if found.get("media") == "cdrom":
        # PVE shows the size of the medium; nobody can wish for another one.
        found.pop("size", None)
    return found
