"""Pools with their members."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from pmpc_state.discovery.look import Look, failure, is_hopeless
from pmpc_state.values.inventory import ObservedItem, Section, SectionFailure
from proxmox_client import PveError

_SECTION = "pool"


async def look_at_pools(look: Look) -> Section:
    """Read every pool the token may see, and prove which are gone."""
    if not look.wants(_SECTION):
        return look.unread(_SECTION)
    try:
        listed = await look.ask(look.pve.pools.get())
    except PveError as error:
        if is_hopeless(error):
            raise
        return Section(_SECTION, (), failures=(failure(_SECTION, "all", error),))
    names = [str(one.to_dict()["poolid"]) for one in listed]
    found = await asyncio.gather(*(_pool(look, name) for name in names))
    missing = look.missing(_SECTION, names)
    gone, unseen = await look.prove_gone({key: _read(look, key) for key in missing})
    return Section(
        _SECTION,
        tuple(item for item, _ in found),
        gone=gone,
        unseen=unseen,
        failures=tuple(problem for _, problem in found if problem is not None),
        read=frozenset({""}),
    )


async def _pool(look: Look, name: str) -> tuple[ObservedItem, SectionFailure | None]:
    try:
        entry = await look.ask(_read(look, name))
    except PveError as error:
        if is_hopeless(error):
            raise
        problem = failure(_SECTION, f"pool/{name}", error)
        return ObservedItem(_SECTION, name, None, reason=problem.message), problem
    config: dict[str, Any] = {"members": _members(entry.get("members") or ())}
    if entry.get("comment"):
        config["comment"] = entry["comment"]
    return ObservedItem(_SECTION, name, {"config": config}), None


async def _read(look: Look, name: str) -> dict[str, Any]:
    if "/" not in name:
        return (await look.pve.pools(name).get()).to_dict()
    # A pool inside a pool has no path of its own (PVE 8.1): it is asked for by parameter.
    entries = await look.pve.pools.get(poolid=name)
    return entries[0].to_dict() if entries else {}


def _members(entries: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the members as addresses; a shared storage is listed under any node's name."""
    found: set[str] = set()
    for member in entries:
        name = member.get("storage") if member.get("type") == "storage" else member.get("vmid")
        found.add(f"{member.get('type')}/{name}")
    return sorted(found)
