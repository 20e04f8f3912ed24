"""What `/cluster/resources` and `/nodes` say that follows from a configuration, as one hash.

The lists have no digest and no time of change. But they repeat parts of configurations, so a list
that says something else than before proves a change; one that says the same proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pmpc_state.canonical import canonical_json, content_hash

_GUEST: Final = ("name", "tags", "maxcpu", "maxmem", "maxdisk", "template", "node")
_NODE: Final = ("status", "maxcpu", "maxmem", "maxdisk", "level")
_STORAGE: Final = ("node", "plugintype", "content", "shared")
_LENGTH: Final = 16


def summary_of(kind: str, entries: Iterable[Mapping[str, Any]]) -> str:
    """Return a short hash of what lists say of an object; a storage has an entry for each node."""
    fields = {"node": _NODE, "storage": _STORAGE}.get(kind, _GUEST)
    said = [_said(kind, entry, fields) for entry in entries]
    return content_hash(canonical_json(sorted(said, key=canonical_json)))[:_LENGTH]


def _said(
    kind: str, entry: Mapping[str, Any], fields: Iterable[str]
) -> dict[str, str | int | float | bool]:
    said = {name: entry[name] for name in fields if entry.get(name) is not None}
    if kind == "storage" and "content" in said:
        said["content"] = ",".join(sorted(str(said["content"]).split(",")))
    if kind in ("qemu", "lxc"):
        # What waits for a restart is applied when a guest stops and starts.
        said["stopped"] = entry.get("status") == "stopped"
    return said
