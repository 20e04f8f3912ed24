"""The nodes: what they are made of and what they run."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from pmpc_state.discovery.look import Look, failure, is_hopeless, offline
from pmpc_state.freshness import summary_of
from pmpc_state.values.inventory import Cause, ObservedItem, Section, SectionFailure
from proxmox_client import PveError

_SECTION = "node"
_FACTS = ("uptime", "cpu", "maxcpu", "mem", "maxmem", "disk", "maxdisk", "level")


async def look_at_nodes(look: Look) -> Section:
    """Read every node; one that does not answer is there, but unknown.

    `/nodes` lists every member of the cluster to everybody, so a node it leaves out is gone.
    """
    addresses, failures = await _addresses(look)
    found = await asyncio.gather(*(_node(look, name, addresses) for name in look.listing.nodes))
    return Section(
        name=_SECTION,
        items=tuple(item for item, _ in found),
        gone=frozenset(look.missing(_SECTION, look.listing.nodes)),
        failures=(*failures, *(problem for _, problem in found if problem is not None)),
    )


async def _addresses(
    look: Look,
) -> tuple[Mapping[str, Mapping[str, Any]], tuple[SectionFailure, ...]]:
    if not any(look.wants(_SECTION, name) for name in look.listing.online):
        return {}, ()
    try:
        entries = await look.ask(look.pve.cluster.status.get())
    except PveError as error:
        if is_hopeless(error):
            raise
        return {}, (failure(_SECTION, "addresses", error),)
    return {one.name: one.to_dict() for one in entries if one.type == "node"}, ()


async def _node(
    look: Look, name: str, addresses: Mapping[str, Mapping[str, Any]]
) -> tuple[ObservedItem, SectionFailure | None]:
    entry = look.listing.nodes[name]
    facts = {fact: entry[fact] for fact in _FACTS if entry.get(fact) is not None}
    status = str(entry.get("status", "unknown"))
    if not look.listing.is_online(name):
        problem = SectionFailure(_SECTION, f"node {name}", Cause.OFFLINE, offline(name))
        return _unread(name, status, facts, problem), problem
    known = look.known(_SECTION, name)
    if known is not None and not look.wants(_SECTION, name):
        load = {"loadavg": known.facts["loadavg"]} if "loadavg" in known.facts else {}
        return ObservedItem(
            _SECTION, name, None, node=name, status=status, facts={**facts, **load},
            summary=summary_of(_SECTION, (entry,)), kept=True,
        ), None  # fmt: skip
    if name not in addresses:
        problem = SectionFailure(_SECTION, f"node {name}", Cause.ERROR, "its address is not known")
        return _unread(name, status, facts, problem), problem
    try:
        answer = await look.ask(look.pve.nodes(name).status.get())
    except PveError as error:
        if is_hopeless(error):
            raise
        problem = failure(_SECTION, f"node {name}", error)
        return _unread(name, status, facts, problem), problem
    report = answer.to_dict()
    facts["loadavg"] = report.get("loadavg", [])
    document = {"config": _config(addresses[name], report)}
    return ObservedItem(
        _SECTION, name, document, node=name, status=status, facts=facts,
        summary=summary_of(_SECTION, (entry,)),
    ), None  # fmt: skip


def _unread(
    name: str, status: str, facts: Mapping[str, Any], problem: SectionFailure
) -> ObservedItem:
    return ObservedItem(
        _SECTION, name, None, node=name, status=status, facts=facts, reason=problem.message
    )


def _config(address: Mapping[str, Any], report: Mapping[str, Any]) -> dict[str, Any]:
    processor = report.get("cpuinfo", {})
    found = {
        "address": address.get("ip"),
        "nodeid": address.get("nodeid"),
        "version": report.get("pveversion"),
        "kernel": report.get("current-kernel", {}).get("release"),
        "cpu": {
            name: processor[name]
            for name in ("model", "sockets", "cores", "cpus")
            if name in processor
        },
        "memory": report.get("memory", {}).get("total"),
        "boot": report.get("boot-info", {}),
    }
    return {name: value for name, value in found.items() if value not in (None, {})}
