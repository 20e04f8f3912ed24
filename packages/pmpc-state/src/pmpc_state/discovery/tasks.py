"""Tasks: the lists of the nodes that answer, and what the cluster remembers of the others."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pmpc_state.discovery.look import Look, failure, is_hopeless
from pmpc_state.values.inventory import Past, SectionFailure, TaskSection
from pmpc_state.values.observed import LogLine, TaskRecord
from proxmox_client import PveError, Upid

_SECTION = "task"
_LIMIT = 1000
_LINES = 1000
"""How many lines of the cluster's log to ask for; it holds little more."""
_MARGIN = 60
"""Seconds to ask back further than the last look, for clocks of nodes that differ."""
_OF_EACH_NODE = 25
"""How many tasks of each node the cluster's list holds."""


async def look_at_tasks(look: Look, cluster: str, past: Past, *, briefly: bool) -> TaskSection:
    """Read the tasks since a moment, or the newest if there is none, and the cluster's log.

    A token without Sys.Audit sees only its own user's tasks. The log names who made edits that
    leave no task; of nodes without Sys.Syslog it holds nothing.

    Args:
        look: The look this is part of.
        cluster: Its name in the database.
        past: What is known already.
        briefly: Ask for the cluster's list first, and only those nodes for theirs of which it
            does not hold everything since then.
    """
    of_all = await _cluster_tasks(look)
    listed = tuple(_records(cluster, of_all[0]))
    nodes = look.listing.online
    if briefly and of_all[1] is None:
        nodes = tuple(node for node in nodes if _is_cut_off(node, listed, past))
    asked = await asyncio.gather(*(_node_tasks(look, node, past.since) for node in nodes))
    found: dict[str, TaskRecord] = {}
    failures: list[SectionFailure] = []
    for entries, problem in (of_all, *asked):
        if problem is not None:
            failures.append(problem)
        for task in _records(cluster, entries):
            known = found.get(task.upid)
            if known is None or known.ended_at is None:
                found[task.upid] = task
    lines, problem = await _log(look)
    if problem is not None:
        failures.append(problem)
    return TaskSection(tuple(found.values()), tuple(failures), lines)


def _is_cut_off(node: str, listed: Iterable[TaskRecord], past: Past) -> bool:
    """Say whether a node had tasks since then that the cluster's list does not hold."""
    there = [task for task in listed if task.node == node]
    names = {task.upid for task in there}
    if any(where == node and upid not in names for upid, where in past.running.items()):
        return True
    if len(there) < _OF_EACH_NODE:
        return False
    oldest = min(task.started_at for task in there)
    return past.since is None or oldest > past.since - timedelta(seconds=_MARGIN)


Answer = tuple[tuple[Mapping[str, Any], ...], SectionFailure | None]


async def _cluster_tasks(look: Look) -> Answer:
    try:
        entries = await look.ask(look.pve.cluster.tasks.get())
    except PveError as error:
        if is_hopeless(error):
            raise
        return (), failure(_SECTION, "cluster", error)
    return tuple(one.to_dict() for one in entries), None


async def _log(look: Look) -> tuple[tuple[LogLine, ...], SectionFailure | None]:
    try:
        entries = await look.ask(look.pve.request("GET", "/cluster/log", {"max": _LINES}))
    except PveError as error:
        if is_hopeless(error):
            raise
        return (), failure(_SECTION, "log", error)
    return tuple(_line(entry) for entry in entries or () if "time" in entry), None


def _line(entry: Mapping[str, Any]) -> LogLine:
    return LogLine(
        node=str(entry.get("node", "")),
        at=datetime.fromtimestamp(int(entry["time"]), UTC),
        uid=str(entry.get("uid", "")),
        user=str(entry.get("user", "")),
        program=str(entry.get("tag", "")),
        priority=int(entry.get("pri", 6)),
        message=str(entry.get("msg", "")),
    )


async def _node_tasks(look: Look, node: str, since: datetime | None) -> Answer:
    start = None if since is None else max(0, int(since.timestamp()) - _MARGIN)
    try:
        entries = await look.ask(
            look.pve.nodes(node).tasks.get(source="all", limit=_LIMIT, since=start)
        )
    except PveError as error:
        if is_hopeless(error):
            raise
        return (), failure(_SECTION, f"node {node}", error)
    return tuple(one.to_dict() for one in entries), None


def _records(cluster: str, entries: Iterable[Mapping[str, Any]]) -> Iterable[TaskRecord]:
    for entry in entries:
        try:
            upid = Upid.parse(str(entry.get("upid")))
        except ValueError:
            continue
        ended = _moment(entry.get("endtime"))
        yield TaskRecord(
            cluster=cluster,
            upid=upid.format(),
            node=upid.node,
            type=upid.type,
            object_id=upid.id,
            user=upid.user,
            started_at=datetime.fromtimestamp(upid.starttime, UTC),
            ended_at=ended,
            status=None if ended is None else str(entry.get("status", "")),
        )


def _moment(seconds: Any) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(int(seconds), UTC)
