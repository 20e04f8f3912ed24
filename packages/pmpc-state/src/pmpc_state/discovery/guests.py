"""Virtual machines and containers, each with its configuration."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any

import attrs

from pmpc_state.discovery.look import Look, failure, is_hopeless, offline
from pmpc_state.freshness import summary_of
from pmpc_state.identity import evidence
from pmpc_state.values.inventory import Cause, ObservedItem, Section, SectionFailure
from pmpc_state.values.report import GuestsRead
from proxmox_client import NotFound, OperationNotImplemented, PveError

_FACTS = (
    "uptime",
    "cpu",
    "maxcpu",
    "mem",
    "maxmem",
    "memhost",
    "disk",
    "maxdisk",
    "diskread",
    "diskwrite",
    "netin",
    "netout",
    "lock",
    "hastate",
    "pool",
    "template",
)
_NOT_CONFIGURATION = ("digest", "lock")
"""The digest changes with every edit and the lock with every task: volatile facts."""


async def look_at_guests(look: Look, kind: str) -> Section:
    """Read every guest of a kind (`qemu` or `lxc`) that is listed, and prove which are gone."""
    listed = {str(entry["vmid"]): entry for entry in look.listing.of_type(kind)}
    progress = _Progress(look, sum(look.wants(kind, key) for key in listed))
    found = await asyncio.gather(*(_guest(look, entry, progress) for entry in listed.values()))
    gone, unseen = await _prove_gone(look, kind, look.missing(kind, listed))
    down = sorted(
        {str(entry.get("node")) for entry in listed.values() if not _reachable(look, entry)}
    )
    failures = [SectionFailure(kind, f"node {node}", Cause.OFFLINE, offline(node)) for node in down]
    failures += [problem for _, problem in found if problem is not None]
    return Section(
        name=kind,
        items=tuple(item for item, _ in found),
        gone=gone,
        unseen=unseen,
        failures=tuple(failures),
    )


@attrs.define
class _Progress:
    look: Look
    total: int
    done: int = 0

    def step(self) -> None:
        self.done += 1
        if self.done == self.total or self.done % max(1, self.total // 100) == 0:
            self.look.on_event(GuestsRead(self.done, self.total))


def _reachable(look: Look, entry: Mapping[str, Any]) -> bool:
    return look.listing.is_online(entry.get("node"))


async def _guest(
    look: Look, entry: Mapping[str, Any], progress: _Progress
) -> tuple[ObservedItem, SectionFailure | None]:
    kind, key, node = str(entry["type"]), str(entry["vmid"]), entry.get("node")
    facts = {fact: entry[fact] for fact in _FACTS if entry.get(fact) is not None}
    bare = ObservedItem(
        kind, key, None, node=node, status=entry.get("status"), facts=facts,
        summary=summary_of(kind, (entry,)),
    )  # fmt: skip
    known = look.known(kind, key)
    if known is not None and _reachable(look, entry) and not look.wants(kind, key):
        digest = {name: known.facts[name] for name in ("digest",) if name in known.facts}
        return attrs.evolve(bare, facts={**digest, **facts}, kept=True), None
    try:
        if node is None or not _reachable(look, entry):
            # PVE repeats a dead node's last words for five minutes: its guests' status is not known
            return attrs.evolve(bare, status="unknown", reason=offline(node)), None
        try:
            return await _read(look, bare, node), None
        except NotFound as error:
            reason = "moved or removed while it was read; the next sync sees it"
            problem = attrs.evolve(failure(kind, f"{kind}/{key}", error), message=reason)
            return attrs.evolve(bare, reason=reason), problem
        except PveError as error:
            if is_hopeless(error):
                raise
            problem = failure(kind, f"{kind}/{key}", error)
            return attrs.evolve(bare, reason=problem.message), problem
    finally:
        progress.step()


async def _read(look: Look, bare: ObservedItem, node: str) -> ObservedItem:
    config = await look.ask(_config(look, bare.kind, node, int(bare.key)))
    facts = {**bare.facts, **{name: config[name] for name in _NOT_CONFIGURATION if name in config}}
    document: dict[str, Any] = {
        "config": {name: value for name, value in config.items() if name not in _NOT_CONFIGURATION}
    }
    if bare.status != "stopped":
        waiting = await _pending(look, bare.kind, node, int(bare.key))
        if waiting:
            document["pending"] = waiting
    return attrs.evolve(
        bare, document=document, facts=facts, identity=evidence(bare.kind, document["config"])
    )


async def _config(look: Look, kind: str, node: str, vmid: int) -> dict[str, Any]:
    """Read a configuration with what waits for a restart merged in, as it will be."""
    nodes = look.pve.nodes(node)
    if kind == "qemu":
        return (await nodes.qemu(vmid).config.get()).to_dict()
    return (await nodes.lxc(vmid).config.get()).to_dict()


async def _pending(look: Look, kind: str, node: str, vmid: int) -> dict[str, Any]:
    """Read what waits for a restart: option to what it is now and what it will be."""
    nodes = look.pve.nodes(node)
    try:
        if kind == "qemu":
            machine = await look.ask(nodes.qemu(vmid).pending.get())
            entries = [one.to_dict() for one in machine]
        else:
            container = await look.ask(nodes.lxc(vmid).pending.get())
            entries = [one.to_dict() for one in container]
    except OperationNotImplemented:
        return {}
    return {
        str(entry["key"]): {
            name: entry[name] for name in ("value", "pending", "delete") if name in entry
        }
        for entry in entries
        if "pending" in entry or entry.get("delete")
    }


async def _prove_gone(
    look: Look, kind: str, missing: Mapping[str, str | None]
) -> tuple[frozenset[str], dict[str, str]]:
    """Ask for guests the list leaves out.

    Every node knows the configurations of all nodes, and the list is made from them; so any node
    that answers can say that there is none, if the token may see the guest at all.
    """
    online = look.listing.online
    if not online:
        return frozenset(), dict.fromkeys(missing, "no node answers")
    requests: dict[str, Awaitable[object]] = {}
    for key, last in missing.items():
        node = last if look.listing.is_online(last) and last is not None else online[0]
        requests[key] = _config(look, kind, node, int(key))
    return await look.prove_gone(requests)
