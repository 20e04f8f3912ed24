"""Who an object is, beyond its key: a vmid can be another guest's minutes after a delete.

Evidence of a virtual machine: the uuid in `smbios1` (a clone gets a new one, a restore keeps it),
`vmgenid` (new for a clone, and after a rollback), the creation time in `meta` (copied to a clone).
A container has none of them: its hardware addresses, host name and our own marker stand in.
Everything else is its key: a node, a storage or a pool of the same name is the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from pmpc_state.values.observed import Identity

_UUID: Final = re.compile(r"(?:^|,)uuid=([0-9a-fA-F-]{36})(?:,|$)")
_CREATED: Final = re.compile(r"(?:^|,)ctime=(\d+)(?:,|$)")
_MAC: Final = re.compile(r"\b(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}\b")
_NETWORK: Final = re.compile(r"net\d+")
_MARKER: Final = re.compile(r"^[ \t]*managed-by: pmpc .*\bid=([0-9a-f]{16})[ \t]*\r?$", re.M)


def evidence(kind: str, config: Mapping[str, Any]) -> dict[str, str]:
    """Return the evidence a guest's configuration gives; nothing for other kinds."""
    if kind not in ("qemu", "lxc"):
        return {}
    found = {
        "uuid": _first(_UUID, config.get("smbios1")).lower(),
        "generation": str(config.get("vmgenid", "")).lower(),
        "created": _first(_CREATED, config.get("meta")),
        "marker": _marker(config.get("description")),
        "macs": _macs(config),
        "host": str(config.get("hostname", "")) if kind == "lxc" else "",
    }
    return {name: value for name, value in found.items() if value}


def differs(old: Identity, new: Identity) -> bool:
    """Say whether two objects of one key are certainly not the same."""
    if _both(old, new, "uuid"):
        return old["uuid"] != new["uuid"] and not _equal(old, new, "generation")
    if _equal(old, new, "generation") or _equal(old, new, "marker"):
        return False
    if _both(old, new, "marker") or _both(old, new, "created"):
        name = "marker" if _both(old, new, "marker") else "created"
        return old[name] != new[name]
    if _both(old, new, "host") and _both(old, new, "macs"):
        return old["host"] != new["host"] and not _shared(old, new)
    return False


def returns(old: Identity, new: Identity) -> bool:
    """Say whether an object that vanished and one that appears under its key are the same."""
    if differs(old, new):
        return False
    if not old and not new:
        return True  # its key is all it is
    return any(_equal(old, new, name) for name in ("uuid", "generation", "marker")) or (
        _equal(old, new, "host") and _shared(old, new)
    )


def _both(old: Identity, new: Identity, name: str) -> bool:
    return bool(old.get(name)) and bool(new.get(name))


def _equal(old: Identity, new: Identity, name: str) -> bool:
    return _both(old, new, name) and old[name] == new[name]


def _shared(old: Identity, new: Identity) -> bool:
    return bool(set(old.get("macs", "").split()) & set(new.get("macs", "").split()))


def _first(pattern: re.Pattern[str], text: object) -> str:
    found = pattern.search(str(text or ""))
    return found.group(1) if found else ""


def _marker(text: object) -> str:
    found = set(_MARKER.findall(str(text or "")))
    return found.pop() if len(found) == 1 else ""


def _macs(config: Mapping[str, Any]) -> str:
    values = (
        str(value)
        for name, value in config.items()
        if name.startswith("net") and _NETWORK.fullmatch(name)
    )
    return " ".join(sorted({mac.upper() for value in values for mac in _MAC.findall(value)}))
