"""A guest wherever it is: finding it, following it, switching it on and off."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

from proxmox_client.errors import ConnectError, NotFound, RequestInvalid
from proxmox_client.flows.call import Session, perform_raw
from proxmox_client.flows.effects import Flow, now, sleep
from proxmox_client.flows.taskflow import LogReceiver, wait
from proxmox_client.values.guestplace import GuestPlace
from proxmox_client.values.taskresult import TaskFailed, TaskOk, TaskResult, TaskRunning
from proxmox_client.values.upid import Upid
from proxmox_client.wire.sentences import Kind, guest_is_elsewhere, read_sentence

Rows = Sequence[Mapping[str, Any]]

_PAUSE: Final = 1.0
_FOLLOW: Final = 3
"""How often a guest that moves away in between is looked for again."""


def locate(session: Session, guest: int | str) -> Flow[GuestPlace]:
    """Find a guest by its number or its name (GET /cluster/resources).

    Raises:
        RequestInvalid: There is none of that number or name, or several of that name.
    """
    rows = yield from resources(session)
    wanted = str(guest)
    by_number = wanted.isdigit()
    found = [
        _place(row)
        for row in rows
        if row.get("type") in ("qemu", "lxc")
        and (str(row.get("vmid")) == wanted if by_number else row.get("name") == wanted)
    ]
    if not found:
        raise RequestInvalid(f"guest {guest}", "this cluster has no such guest")
    if len(found) > 1:
        numbers = ", ".join(str(place.vmid) for place in found)
        raise RequestInvalid(f"guest {guest}", f"several guests have that name: {numbers}")
    return found[0]


def ask_guest(
    session: Session, vmid: int, method: str, suffix: str, params: Mapping[str, object]
) -> Flow[Any]:
    """Call a path below a guest on whichever node it is.

    A node that has lost it says so before it does anything, so that even a write may follow the
    guest. Power actions on a wrong node only fail in their task: their node is looked up live.

    Raises:
        RequestInvalid: There is no such guest.
        ApiError: As everywhere.
    """
    for left in reversed(range(_FOLLOW)):
        place = yield from locate(session, vmid)
        try:
            return (yield from perform_raw(session, method, f"{place.path}{suffix}", params))
        except NotFound as error:
            if not left or not is_elsewhere(error):
                raise
        yield from sleep(_PAUSE)
    raise AssertionError("the last round returns or raises")


def settle(session: Session, vmid: int, timeout: float) -> Flow[GuestPlace]:
    """Wait until a migration that is under way has ended, and return where the guest is.

    Raises:
        RequestInvalid: There is no such guest.
    """
    started = yield from now()
    while True:
        place = yield from locate(session, vmid)
        if place.lock != "migrate" or (yield from now()) - started >= timeout:
            return place
        yield from sleep(_PAUSE)


def switch(
    session: Session,
    vmid: int,
    verb: str,
    params: Mapping[str, object],
    *,
    wanted: str,
    timeout: float,
    on_log: LogReceiver | None = None,
) -> Flow[TaskResult]:
    """Start or stop a guest and wait until it is as wanted.

    The task of an HA guest ends when its request is filed; this waits until it has happened.

    Args:
        session: Who asks.
        vmid: The guest.
        verb: `start`, `stop`, `shutdown`.
        params: Of the call.
        wanted: `running` or `stopped`.
        timeout: Seconds for everything.
        on_log: Gets each line of the task's log.

    Returns:
        How the task ended; `TaskRunning` where the guest is not as wanted when time is over; and
        `TaskOk` without a task where it was so before.
    """
    started = yield from now()
    result: TaskResult | None = None
    for left in reversed(range(_FOLLOW)):
        place = yield from settle(session, vmid, timeout)
        current = yield from perform_raw(session, "GET", f"{place.path}/status/current", {})
        if current.get("status") == wanted and not current.get("lock"):
            return TaskOk(None, f"guest {vmid} was {wanted} already")
        answer = yield from perform_raw(session, "POST", f"{place.path}/status/{verb}", params)
        upid = Upid.parse(str(answer))
        patience = max(0.0, timeout - ((yield from now()) - started))
        result = yield from wait(session, upid, timeout=patience, on_log=on_log)
        if result.ok:
            return (yield from _see(session, vmid, result, upid, wanted, started, timeout))
        if not left or not moved_away(result):
            break
        yield from sleep(_PAUSE)
    return cast("TaskResult", result)


def _see(
    session: Session,
    vmid: int,
    result: TaskResult,
    upid: Upid,
    wanted: str,
    started: float,
    timeout: float,
) -> Flow[TaskResult]:
    """Wait until what a task did, or the HA manager does for it, can be seen."""
    while True:
        data = yield from ask_guest(session, vmid, "GET", "/status/current", {})
        if data.get("status") == wanted:
            return result
        waited = (yield from now()) - started
        if waited >= timeout:
            return TaskRunning(upid, waited)
        yield from sleep(_PAUSE)


def is_elsewhere(error: NotFound) -> bool:
    """Say whether a node refused because the guest is not, or no longer, on it."""
    return guest_is_elsewhere(f"{error.reason} {error.message}")


def moved_away(result: TaskResult) -> bool:
    """Say whether a task failed, without effect, because its guest was on its way elsewhere."""
    if not isinstance(result, TaskFailed):
        return False
    said = read_sentence(result.message)
    return said.kind is Kind.NOT_FOUND or said.lock == "migrate"


def wait_for(
    session: Session, condition: Callable[[Rows], bool], *, timeout: float, pause: float
) -> Flow[bool]:
    """Wait until the cluster's resources are as wanted; False where time was over first.

    Args:
        session: Who asks.
        condition: Gets the rows of /cluster/resources.
        timeout: Seconds to wait.
        pause: Seconds between two looks; the cluster renews its values every ten.
    """
    started = yield from now()
    while True:
        try:
            if condition((yield from resources(session))):
                return True
        except ConnectError:
            pass  # a node that restarts meanwhile
        if (yield from now()) - started + pause > timeout:
            return False
        yield from sleep(pause)


def resources(session: Session) -> Flow[Rows]:
    """Read what there is in the cluster (GET /cluster/resources)."""
    data: object = yield from perform_raw(session, "GET", "/cluster/resources", {})
    rows = cast("list[object]", data) if isinstance(data, list) else []
    return [cast("Mapping[str, Any]", row) for row in rows if isinstance(row, dict)]


def _place(row: Mapping[str, Any]) -> GuestPlace:
    return GuestPlace(
        vmid=int(row["vmid"]),
        kind="lxc" if row["type"] == "lxc" else "qemu",
        node=str(row["node"]),
        name=str(row.get("name") or ""),
        lock=str(row.get("lock") or ""),
        managed=row.get("hastate") not in (None, "", "ignored"),
    )
