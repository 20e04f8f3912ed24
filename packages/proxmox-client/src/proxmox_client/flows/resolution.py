"""Finding out what became of a write whose answer never came: by its task, or by its effect."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast
from urllib.parse import quote

from proxmox_client.errors import (
    AmbiguousWrite,
    ApiError,
    ConnectError,
    NodeUnreachable,
    NotFound,
)
from proxmox_client.flows.call import Session, perform_raw
from proxmox_client.flows.effects import Flow, now, sleep
from proxmox_client.values.resolution import Resolution, Verdict
from proxmox_client.values.upid import Upid
from proxmox_client.wire.answer import Answer
from proxmox_client.wire.params import to_text
from proxmox_client.wire.tasktypes import TaskTrace, trace_of

PATIENCE: Final = 15.0
"""Seconds a server may take to begin what it was told: PVE waits ten for a lock."""
_PAUSE: Final = 1.0
_SKEW: Final = 2.0
_NOT_COMPARED: Final = frozenset({"digest", "revert", "force", "skiplock", "background_delay"})
_ALLOCATES: Final = re.compile(r"[\w.-]+:(?:[\d.]+|cloudinit)(?:,|$)|.*\bimport-from=")
"""A new volume: PVE writes its name instead of what was sent."""
_SEPARATORS: Final = str.maketrans(";, ", ",,,")


def resolve(
    session: Session, error: AmbiguousWrite, *, patience: float = PATIENCE
) -> Flow[Resolution]:
    """Look for the task of a write, else for its effect, until it is found or time is over.

    Nothing is written. A write is called not applied only when its node answered and the time
    was over in which the server could still have begun it.

    Args:
        session: Who asked, and asks now.
        error: What was raised.
        patience: Seconds after the sending until which the write may still begin.
    """
    trace = trace_of(error.method, error.address, error.sent)
    clocks: dict[str, float] = {}
    try:
        if trace is not None:
            nodes = [trace.node] if trace.node else (yield from _nodes(session))
            for node in nodes:
                clocks[node] = yield from _clock_offset(session, node)
        while True:
            moment = yield from now()
            if trace is not None:
                found = yield from _by_task(session, error, trace, clocks)
            else:
                found = yield from _by_effect(session, error)
            over = moment - error.sent_at >= patience
            if found.verdict is not Verdict.NOT_APPLIED or over:
                return found
            yield from sleep(_PAUSE)
    except (ApiError, ConnectError) as failure:
        first = str(failure).partition("\n")[0]
        return Resolution(Verdict.UNKNOWN, f"it could not be looked for: {first}")


def answer_of(error: AmbiguousWrite, resolution: Resolution) -> Answer | None:
    """Return what PVE must have answered; None where it was not applied or cannot be known.

    Args:
        error: What was raised.
        resolution: What became of it.
    """
    if resolution.verdict is not Verdict.APPLIED:
        return None
    if resolution.upid is not None:
        return Answer(str(resolution.upid))
    from proxmox_client import schema  # loads its facts: only needed here

    found = schema.find(error.method, error.address)
    silent = found is not None and found[0].result == "None"
    return Answer(None) if silent else None


def _clock_offset(session: Session, node: str) -> Flow[float]:
    """Return how far the node's clock is ahead of ours, in seconds."""
    try:
        data = yield from perform_raw(session, "GET", f"/nodes/{node}/time", {})
    except ApiError:  # not everybody may look at it; clocks of servers mostly agree
        return 0.0
    ours = yield from now()
    stated: object = cast("dict[str, object]", data).get("time") if isinstance(data, dict) else None
    return float(stated) - ours if isinstance(stated, (int, float)) else 0.0


def _nodes(session: Session) -> Flow[list[str]]:
    rows: object = yield from perform_raw(session, "GET", "/nodes", {})
    listed = cast("list[dict[str, Any]]", rows) if isinstance(rows, list) else []
    return sorted(str(row["node"]) for row in listed if "node" in row)


def _by_task(
    session: Session, error: AmbiguousWrite, trace: TaskTrace, clocks: Mapping[str, float]
) -> Flow[Resolution]:
    """Look for the task on each node it may run on.

    Args:
        session: Who asked.
        error: What was raised.
        trace: What the task looks like.
        clocks: The nodes, and how far their clocks are ahead of ours.
    """
    candidates: list[Upid] = []
    silent: list[str] = []
    for node, offset in clocks.items():
        since = int(error.sent_at + offset - _SKEW)
        params: dict[str, object] = {"source": "all", "since": since, "limit": 500}
        if trace.id is not None:
            params["vmid"] = trace.id
        try:
            rows = yield from perform_raw(session, "GET", f"/nodes/{node}/tasks", params)
        except NodeUnreachable:
            silent.append(node)
            continue
        candidates += [
            upid
            for upid in _upids(rows)
            if upid.type in trace.types
            and (trace.id is None or upid.id == trace.id)
            and upid.user == session.who
            and upid.starttime >= since
        ]
    kind = " or ".join(sorted(trace.types))
    about = f"{kind} of {trace.id}" if trace.id else kind
    where = f"node {next(iter(clocks))}" if len(clocks) == 1 else "the cluster"
    if silent and not candidates:
        return Resolution(
            Verdict.UNKNOWN, f"it could not be looked for: node {', '.join(silent)} does not answer"
        )
    if not candidates:
        why = f"{where} knows no task {about} of {session.who} since then"
        return Resolution(Verdict.NOT_APPLIED, why)
    if len(candidates) > 1:
        why = f"{where} has {len(candidates)} tasks {about} of {session.who} since then"
        return Resolution(Verdict.UNKNOWN, why)
    return Resolution(Verdict.APPLIED, f"its task is {candidates[0]}", candidates[0])


def _by_effect(session: Session, error: AmbiguousWrite) -> Flow[Resolution]:
    from proxmox_client import schema  # loads its facts: only needed here

    found = schema.find(error.method, error.address)
    if found is None:
        return Resolution(Verdict.UNKNOWN, "it leaves no task and nothing to compare")
    template = found[0].path
    if error.method == "DELETE" and template.endswith("}") and not error.sent:
        return (yield from _by_presence(session, error.address, Verdict.NOT_APPLIED))
    if error.method == "PUT" and schema.find("GET", error.address) is not None:
        live = yield from perform_raw(session, "GET", error.address, {})
        return _compare(error.sent, live)
    if error.method == "POST":
        for name in _child_names(template):
            if name in error.sent:
                child = f"{error.address}/{quote(error.sent[name], safe='')}"
                return (yield from _by_presence(session, child, Verdict.APPLIED))
    return Resolution(Verdict.UNKNOWN, "it leaves no task and nothing to compare")


def _by_presence(session: Session, address: str, present: Verdict) -> Flow[Resolution]:
    absent = Verdict.APPLIED if present is Verdict.NOT_APPLIED else Verdict.NOT_APPLIED
    try:
        yield from perform_raw(session, "GET", address, {})
    except NotFound:
        return Resolution(absent, f"{address} does not exist")
    return Resolution(present, f"{address} exists")


def _child_names(template: str) -> Iterator[str]:
    """Yield the placeholders right below a collection that can be read."""
    from proxmox_client import schema

    for facts in schema.operations():
        head, slash, last = facts.path.rpartition("/")
        if facts.method == "GET" and slash and head == template and last.startswith("{"):
            yield last.strip("{}")


def _compare(sent: Mapping[str, str], live: object) -> Resolution:
    """Say whether an object is as a write wanted it."""
    if not isinstance(live, dict):
        return Resolution(Verdict.UNKNOWN, "what it changed cannot be read back")
    fields = cast("dict[str, Any]", live)
    same: list[str] = []
    other: list[str] = []
    for name, text in sent.items():
        if name == "delete":
            for gone in text.split(","):
                (other if gone in fields else same).append(gone)
        elif name not in _NOT_COMPARED and not _ALLOCATES.match(text):
            there = name in fields and _means(text, to_text(fields[name]))
            (same if there else other).append(name)
    if same and not other:
        return Resolution(Verdict.APPLIED, f"{', '.join(same)} are as they were sent")
    if other and not same:
        return Resolution(Verdict.NOT_APPLIED, f"{', '.join(other)} are not as they were sent")
    why = f"{', '.join(other)} are not as they were sent, {', '.join(same)} are"
    return Resolution(Verdict.UNKNOWN, why if same else "it sent nothing that can be read back")


def _means(sent: str, live: str) -> bool:
    """Say whether PVE's text is what was sent: it reorders, adds defaults and line ends."""
    if sent.rstrip("\n") == live.rstrip("\n"):
        return True
    if "=" not in sent:
        wanted, got = (set(t.translate(_SEPARATORS).split(",")) - {""} for t in (sent, live))
        return len(wanted) > 1 and wanted == got
    parts = live.split(",")
    keys = {part.partition("=")[0] for part in parts}
    return all(
        part in parts or ("=" not in part and part in keys)  # `virtio` becomes `virtio=MAC`
        for part in sent.split(",")
    )


def _upids(rows: object) -> Iterator[Upid]:
    for row in cast("list[object]", rows) if isinstance(rows, list) else ():
        if isinstance(row, dict) and "upid" in row:
            yield Upid.parse(str(cast("dict[str, Any]", row)["upid"]))
