"""Doing something to a guest that may take a task, wherever the guest is, and waiting for it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs

from proxmox_client.errors import NotFound
from proxmox_client.flows.call import Session, perform_raw
from proxmox_client.flows.effects import Flow, now, sleep
from proxmox_client.flows.guests import is_elsewhere, locate, moved_away, settle
from proxmox_client.flows.taskflow import LogReceiver, finish
from proxmox_client.values.guestplace import GuestPlace
from proxmox_client.values.taskresult import TaskResult, TaskRunning

_PAUSE: Final = 1.0
_FOLLOW: Final = 3
_GONE_BY: Final = 30.0
"""Seconds after its task within which a deleted guest has to be gone; later the number may be
somebody else's."""
_MOVED_BY: Final = 300.0
"""Seconds after its task within which a guest has to be where it was to go: the HA manager drops
some requests without a word."""
_NO_PARAMS: Mapping[str, object] = {}


@attrs.frozen
class Act:
    """A call below a guest's path.

    Attributes:
        method: HTTP method.
        suffix: What follows the guest's path.
        params: By PVE's names.
    """

    method: str
    suffix: str
    params: Mapping[str, object] = _NO_PARAMS


@attrs.frozen
class Waiting:
    """How the end of a task is waited for.

    Attributes:
        timeout: Seconds for everything; None waits for ever.
        on_log: Gets each line of the task's log.
    """

    timeout: float | None = None
    on_log: LogReceiver | None = None


def act(
    session: Session, vmid: int, prepare: Callable[[GuestPlace], Act], waiting: Waiting
) -> Flow[TaskResult]:
    """Do something to a guest on the node where it is, and wait for the task.

    A migration that is under way is waited for. A call that a node refused because the guest has
    left, or whose task failed for that alone, had no effect: it follows the guest.

    Args:
        session: Who asks.
        vmid: The guest.
        prepare: Makes the call for the place where the guest is.
        waiting: How long, and who reads the log.

    Raises:
        RequestInvalid: There is no such guest.
        ApiError: PVE refuses at once.
    """
    started = yield from now()
    patience = math.inf if waiting.timeout is None else waiting.timeout
    for left in reversed(range(_FOLLOW)):
        place = yield from settle(session, vmid, patience)
        call = prepare(place)
        try:
            answer: Any = yield from perform_raw(
                session, call.method, f"{place.path}{call.suffix}", call.params
            )
        except NotFound as error:
            if not left or not is_elsewhere(error):
                raise
        else:
            rest = None if waiting.timeout is None else patience - ((yield from now()) - started)
            result = yield from finish(session, answer, timeout=rest, on_log=waiting.on_log)
            if not left or not moved_away(result):
                return result
        yield from sleep(_PAUSE)
    raise AssertionError("the last round returns or raises")


def delete(session: Session, vmid: int, *, purge: bool, waiting: Waiting) -> Flow[TaskResult]:
    """Delete a guest and wait until it is gone; the task ends before the cluster knows.

    Args:
        session: Who asks.
        vmid: The guest.
        purge: Take it out of backup jobs, replication and HA too.
        waiting: How long, and who reads the log.
    """
    started = yield from now()
    params = {"purge": True} if purge else {}
    result = yield from act(session, vmid, lambda place: Act("DELETE", "", params), waiting)

    def gone() -> Flow[bool]:
        rows = yield from perform_raw(session, "GET", "/cluster/resources", {"type": "vm"})
        return all(row.get("vmid") != vmid for row in rows)

    return (yield from _see(result, gone, started, waiting, _GONE_BY))


def migrate(
    session: Session, vmid: int, target: str, params: Mapping[str, object], waiting: Waiting
) -> Flow[TaskResult]:
    """Move a guest to a node and wait until it is there and its lock is gone.

    A running machine moves online, a running container by restart, unless `params` say otherwise.
    The task of an HA guest ends when the request is filed; this waits until it has happened.

    Args:
        session: Who asks.
        vmid: The guest.
        target: The node.
        params: Of the call, by PVE's names.
        waiting: How long, and who reads the log.
    """
    started = yield from now()
    current = yield from _running(session, vmid)

    def prepare(place: GuestPlace) -> Act:
        how = "restart" if place.kind == "lxc" else "online"
        given = {"target": target, **({how: True} if current else {}), **params}
        return Act("POST", "/migrate", given)

    result = yield from act(session, vmid, prepare, waiting)

    def there() -> Flow[bool]:
        place = yield from locate(session, vmid)
        return place.node == target and place.lock != "migrate"

    return (yield from _see(result, there, started, waiting, _MOVED_BY))


def _see(
    result: TaskResult,
    happened: Callable[[], Flow[bool]],
    started: float,
    waiting: Waiting,
    most: float,
) -> Flow[TaskResult]:
    """Wait until what a task did, or filed a request for, can be seen.

    Args:
        result: How the task ended; returned once it can be seen, or where it is no success.
        happened: Looks.
        started: When all this began.
        waiting: How long at most altogether.
        most: Seconds after the task's end at most.
    """
    ended = yield from now()
    while result.ok and result.upid is not None:
        if (yield from happened()):
            break
        moment = yield from now()
        limit = min(ended + most, started + (waiting.timeout or math.inf))
        if moment >= limit:
            return TaskRunning(result.upid, moment - started)
        yield from sleep(_PAUSE)
    return result


def _running(session: Session, vmid: int) -> Flow[bool]:
    place = yield from locate(session, vmid)
    data: Any = yield from perform_raw(session, "GET", f"{place.path}/status/current", {})
    return bool(data.get("status") == "running")
