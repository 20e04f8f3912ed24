"""Storages: the cluster's configuration of them, and how they are on each node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pmpc_state.discovery.look import Look, failure, is_hopeless
from pmpc_state.freshness import summary_of
from pmpc_state.values.inventory import ObservedItem, Section
from proxmox_client import PveError

_SECTION = "storage"
_LISTS = ("content", "nodes")
"""Options that are sets: PVE sends them in another order each time."""


async def look_at_storages(look: Look) -> Section:
    """Read every storage the token may see, and prove which are gone."""
    if not look.wants(_SECTION):
        return _listed(look)
    try:
        entries = [one.to_dict() for one in await look.ask(look.pve.storage.get())]
    except PveError as error:
        if is_hopeless(error):
            raise
        return Section(_SECTION, (), failures=(failure(_SECTION, "all", error),))
    items = tuple(_storage(look, entry) for entry in entries)
    missing = look.missing(_SECTION, (item.key for item in items))
    gone, unseen = await look.prove_gone({key: look.pve.storage(key).get() for key in missing})
    return Section(_SECTION, items, gone=gone, unseen=unseen, read=frozenset({""}))


def _listed(look: Look) -> Section:
    """Take how the storages are on each node from the list; their settings stay as recorded."""
    items = tuple(
        ObservedItem(
            _SECTION,
            key,
            None,
            status=_status({"disable": known.status == "disabled"}, _on_nodes(look, key)),
            facts={"nodes": _on_nodes(look, key)},
            summary=_summary(look, key),
            kept=True,
        )
        for key, known in look.recorded.get(_SECTION, {}).items()
    )
    return Section(_SECTION, items)


def _storage(look: Look, entry: Mapping[str, Any]) -> ObservedItem:
    key = str(entry["storage"])
    config = {name: value for name, value in entry.items() if name != "digest"}
    for name in _LISTS:
        if name in config:
            config[name] = ",".join(sorted(filter(None, str(config[name]).split(","))))
    on_nodes = _on_nodes(look, key)
    return ObservedItem(
        _SECTION,
        key,
        {"config": config},
        status=_status(config, on_nodes),
        facts={"nodes": on_nodes},
        summary=_summary(look, key),
    )


def _on_nodes(look: Look, key: str) -> dict[str, dict[str, Any]]:
    return {
        str(one["node"]): {
            name: one[name] for name in ("status", "disk", "maxdisk", "shared") if name in one
        }
        for one in look.listing.storages.get(key, ())
    }


def _summary(look: Look, key: str) -> str:
    return summary_of(_SECTION, look.listing.storages.get(key, ()))


def _status(config: Mapping[str, Any], on_nodes: Mapping[str, Mapping[str, Any]]) -> str:
    if config.get("disable"):
        return "disabled"
    states = {str(one.get("status")) for one in on_nodes.values()}
    if states <= {"available"}:
        return "available" if states else "unknown"
    return "partly available" if "available" in states else "unavailable"
