"""What `/cluster/resources` and `/nodes` say that follows from a configuration, as one hash.

The lists have no digest and no time of change. But they repeat parts of configurations, so a list
that says something else than before proves a change; one that says the same proves nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Final

_GUEST: Final = ("name", "tags", "maxcpu", "maxmem", "maxdisk", "template", "node")
_NODE: Final = ("status", "maxcpu", "maxmem", "maxdisk", "level")
_STORAGE: Final = ("node", "plugintype", "shared")
_LENGTH: Final = 16


def summary_of(kind: str, entries: Iterable[Mapping[str, Any]]) -> str:
    """Return a short hash of what lists say of an object; a storage has an entry for each node."""
    fields = {"node": _NODE, "storage": _STORAGE}.get(kind, _GUEST)
    said = sorted(_said(kind, entry, fields) for entry in entries)
    text = "\n".join(said).encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()[:_LENGTH]


def _said(kind: str, entry: Mapping[str, Any], fields: Iterable[str]) -> str:
    said = [repr(entry.get(name)) for name in fields]
    if kind == "storage":
        said.append(",".join(sorted(str(entry.get("content", "")).split(","))))
    elif kind != "node":
        # What waits for a restart is applied when a guest stops and starts.
        said.append(str(entry.get("status") == "stopped"))
    return "|".join(said)
