"""Watching a task: status, log, waiting for its end."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

import attrs

from proxmox_client.errors import (
    ApiError,
    ConnectError,
    NodeUnreachable,
    NotFound,
    PveError,
    TlsError,
)
from proxmox_client.flows.call import Session, ask
from proxmox_client.flows.effects import Emit, Flow, now, sleep
from proxmox_client.values.taskresult import (
    TaskFailed,
    TaskLost,
    TaskOk,
    TaskResult,
    TaskRunning,
    TaskWarnings,
)
from proxmox_client.values.upid import Upid
from proxmox_client.wire.answer import Answer
from proxmox_client.wire.operation import Operation, Safety
from proxmox_client.wire.params import build_request

LogReceiver = Callable[[str], object]

FIRST_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 2.0
PATIENCE: Final = 120.0
"""Seconds a node may be out of reach before its task counts as lost."""
_TAIL: Final = 10
_PAGE: Final = 500
_WARNINGS: Final = re.compile(r"WARNINGS: (\d+)")
_FILED: Final = frozenset({"hastart", "hastop", "hamigrate", "harelocate"})
_NO_OUTPUT: Final = "no content"
_NO_FILE: Final = "unable to open file - "
_UNREADABLE: Final = "its log cannot be read"
_NOTHING_TO_DO: Final = "the server had nothing to do and started no task"
_DONE_AT_ONCE: Final = "the server did it at once, without a task"
_FILED_NOTE: Final = "the request is filed; the HA manager acts on it within its next rounds"


def _keep(data: Any) -> Any:
    return data


def _operation(name: str, method: str, path: str, safety: Safety) -> Operation[Any]:
    return Operation(name, method, f"/nodes/{{node}}/tasks/{{upid}}{path}", _keep, safety)


_STATUS: Final = _operation("nodes.tasks.status.get", "GET", "/status", Safety.READ)
_LOG: Final = _operation("nodes.tasks.log.get", "GET", "/log", Safety.READ)
_CLUSTER: Final = Operation("cluster.tasks.get", "GET", "/cluster/tasks", _keep, Safety.READ)
_STOP: Final = _operation("nodes.tasks.upid.delete", "DELETE", "", Safety.IDEMPOTENT)


@attrs.frozen
class TaskStatus:
    """What the node says of its task.

    Attributes:
        running: Not ended yet.
        exit_status: `OK`, `WARNINGS: n` or the reason of the failure; None while it runs.
        fields: The whole answer, by PVE's names.
    """

    running: bool
    exit_status: str | None
    fields: Mapping[str, Any] = attrs.field(repr=False)


def fetch_status(session: Session, upid: Upid) -> Flow[TaskStatus]:
    """Ask the task's own node how it stands."""
    answer = yield from _ask(session, _STATUS, upid)
    data: object = answer.data
    fields = cast("dict[str, Any]", data) if isinstance(data, dict) else {}
    running = fields.get("status") == "running"
    exit_status = fields.get("exitstatus")
    return TaskStatus(running, None if exit_status is None else str(exit_status), fields)


def fetch_log(
    session: Session, upid: Upid, *, start: int = 0, limit: int = 0
) -> Flow[tuple[str, ...]]:
    """Read lines of the log.

    Args:
        session: Who asks.
        upid: The task.
        start: Lines to skip.
        limit: Lines to read at most; 0 means all.

    Raises:
        NotFound: Its node has no such log. PVE says so with status 200 and a line of text.
    """
    answer = yield from _ask(session, _LOG, upid, {"start": start, "limit": limit})
    data: object = answer.data
    rows = cast("list[object]", data) if isinstance(data, list) else []
    lines = tuple(
        str(cast("dict[str, Any]", row).get("t", "")) for row in rows if isinstance(row, dict)
    )
    if len(lines) == 1 and lines[0].startswith(_NO_FILE):
        where = f"/nodes/{upid.node}/tasks/{upid}/log"
        raise NotFound(_LOG.id, "GET", where, upid.node, 200, lines[0], upid=str(upid))
    return () if lines == (_NO_OUTPUT,) else lines


def stop(session: Session, upid: Upid) -> Flow[None]:
    """Interrupt the task; a task that has ended stays as it is."""
    yield from _ask(session, _STOP, upid)


def wait(
    session: Session,
    upid: Upid,
    *,
    timeout: float | None = None,
    on_log: LogReceiver | None = None,
) -> Flow[TaskResult]:
    """Wait until the task has ended, or the time is over.

    Args:
        session: Who asks.
        upid: The task.
        timeout: Seconds to wait; None waits for ever.
        on_log: Gets each line of the log as it appears.

    Raises:
        ConnectError: The server asked stays out of reach for two minutes.
        ApiError: The server refuses to show the task.
    """
    started = yield from now()
    heard = started
    pause = FIRST_PAUSE
    seen = 0
    while True:
        moment = yield from now()
        try:
            status = yield from fetch_status(session, upid)
            heard = yield from now()
            seen = yield from _follow(session, upid, seen, on_log)
        except NotFound as error:
            return TaskLost(upid, f"node {upid.node} does not know it: {_why(error)}")
        except TlsError:
            raise
        except (NodeUnreachable, ConnectError) as error:
            ended = yield from _told_by_cluster(session, upid, error)
            if ended is not None:
                return ended
            if moment - heard >= PATIENCE:
                if isinstance(error, ConnectError):
                    raise
                return TaskLost(upid, f"node {upid.node} does not answer: {error.reason}")
        else:
            if not status.running:
                return (yield from _conclude(session, upid, status))
        waited = (yield from now()) - started
        if timeout is not None and waited >= timeout:
            return TaskRunning(upid, waited)
        yield from sleep(pause if timeout is None else min(pause, timeout - waited))
        pause = min(LONGEST_PAUSE, pause * 1.5)


def finish(
    session: Session,
    data: object,
    *,
    timeout: float | None = None,
    on_log: LogReceiver | None = None,
) -> Flow[TaskResult]:
    """Wait for the task that an answer names; say so where it names none.

    Args:
        session: Who asks.
        data: The value under `data` of a call that usually starts a task.
        timeout: Seconds to wait; None waits for ever.
        on_log: Gets each line of the log as it appears.
    """
    upid = read_started(data)
    if upid is None:
        return no_task(data)
    rest = None if timeout is None else max(0.0, timeout)
    return (yield from wait(session, upid, timeout=rest, on_log=on_log))


def read_started(data: object) -> Upid | None:
    """Return the task an answer names; None where the server started none.

    PVE answers a UPID, an object that holds one, the text `OK`, or nothing.
    """
    if isinstance(data, dict):
        data = cast("dict[str, Any]", data).get("upid")
    if isinstance(data, str) and data.startswith("UPID:"):
        return Upid.parse(data)
    return None


def no_task(data: object) -> TaskOk:
    """Return the result of a call that started no task: `OK` means that it did nothing."""
    return TaskOk(None, _NOTHING_TO_DO if data == "OK" else _DONE_AT_ONCE)


def _ask(
    session: Session, op: Operation[Any], upid: Upid, params: Mapping[str, object] | None = None
) -> Flow[Answer]:
    path = {"node": upid.node, "upid": str(upid)}
    return (yield from ask(session, build_request(op, path, params or {})))


def _follow(session: Session, upid: Upid, seen: int, on_log: LogReceiver | None) -> Flow[int]:
    """Hand over the lines that are new; return how many have been seen."""
    while on_log is not None:
        try:
            lines = yield from fetch_log(session, upid, start=seen, limit=_PAGE)
        except NotFound:  # the task is known, its log is not (any more): how it ends still counts
            break
        for line in lines:
            yield Emit(on_log, line)
        seen += len(lines)
        if len(lines) < _PAGE:
            break
    return seen


def _conclude(session: Session, upid: Upid, status: TaskStatus) -> Flow[TaskResult]:
    if status.exit_status == "OK":
        return _ended(upid, "OK", (), "")
    try:
        lines = yield from fetch_log(session, upid)
    except (ApiError, ConnectError):
        return _ended(upid, status.exit_status, (), _UNREADABLE)
    return _ended(upid, status.exit_status, lines, "")


def _ended(upid: Upid, text: str | None, lines: tuple[str, ...], note: str) -> TaskResult:
    """Return the result of a task that ended with this exit status and log."""
    if text == "OK":
        filed = upid.type in _FILED
        return TaskOk(upid, note or (_FILED_NOTE if filed else ""), filed=filed)
    warned = _WARNINGS.fullmatch(text or "")
    if warned:
        told = tuple(line for line in lines if line.startswith(("WARN", "Warning", "warning")))
        return TaskWarnings(upid, int(warned[1]), told, note)
    return TaskFailed(upid, text or "it stopped without an exit status", lines[-_TAIL:], note)


def _told_by_cluster(session: Session, upid: Upid, error: PveError) -> Flow[TaskResult | None]:
    """Return how a task ended by what its node told the others before it stopped answering.

    The cluster keeps the last tasks of each node, offline ones included (GET /cluster/tasks).
    """
    if not isinstance(error, NodeUnreachable):
        return None
    try:
        answer = yield from ask(session, build_request(_CLUSTER, {}, {}))
    except (ApiError, ConnectError):
        return None
    data: object = answer.data
    for row in cast("list[dict[str, Any]]", data) if isinstance(data, list) else ():
        if row.get("upid") == str(upid) and row.get("endtime"):
            note = f"node {upid.node} does not answer; the cluster knows how its task ended"
            return _ended(upid, str(row.get("status") or "") or None, (), note)
    return None


def _why(error: ApiError) -> str:
    return error.errors.get("upid", error.reason)
