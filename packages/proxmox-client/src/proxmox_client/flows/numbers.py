"""Numbers for new guests, taken safely although PVE reserves none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from proxmox_client.errors import AlreadyExists, ApiError, RequestInvalid
from proxmox_client.flows.call import Session, perform_raw
from proxmox_client.flows.effects import Flow
from proxmox_client.flows.taskflow import LogReceiver, finish
from proxmox_client.values.taskresult import TaskFailed, TaskResult
from proxmox_client.wire.answer import error_class

_SEARCHED: Final = 1000


def create(
    session: Session,
    path: str,
    params: Mapping[str, object],
    *,
    timeout: float | None,
    on_log: LogReceiver | None = None,
) -> Flow[tuple[int, TaskResult]]:
    """Create or clone a guest under a free number, whoever else takes numbers at the same time.

    `nextid` reserves nothing: two creators get the same number, one of them fails, at once or in
    its task. That one takes the next number.

    Args:
        session: Who asks.
        path: `/nodes/pve1/qemu`, `/nodes/pve1/lxc` or `/nodes/pve1/qemu/9000/clone`.
        params: Of the call, without the number.
        timeout: Seconds to wait for the task; None waits for ever.
        on_log: Gets each line of the task's log.

    Returns:
        The number, and how the task ended.

    Raises:
        ApiError: PVE refuses for another reason.
    """
    name = "newid" if path.rstrip("/").endswith("/clone") else "vmid"
    vmid = yield from free_number(session)
    while True:
        try:
            answer = yield from perform_raw(session, "POST", path, {**params, name: vmid})
        except AlreadyExists as error:
            vmid = yield from number_after(session, vmid, error)
            continue
        result = yield from finish(session, answer, timeout=timeout, on_log=on_log)
        if not is_taken(result) or (yield from is_free(session, vmid)):
            return vmid, result
        vmid = yield from free_number(session, above=vmid)


def is_taken(result: object) -> bool:
    """Say whether a task failed because something of that name was there already."""
    if not isinstance(result, TaskFailed):
        return False
    return error_class(result.message) is AlreadyExists


def is_free(session: Session, vmid: int) -> Flow[bool]:
    """Ask whether a number is free (GET /cluster/nextid?vmid=).

    Raises:
        ApiError: PVE refuses to say.
    """
    try:
        yield from perform_raw(session, "GET", "/cluster/nextid", {"vmid": vmid})
    except ApiError as error:
        if "vmid" not in error.errors:
            raise
        return False
    return True


def free_number(session: Session, above: int = 0) -> Flow[int]:
    """Return a free number; nobody keeps it free.

    Args:
        session: Who asks.
        above: Search above this one; 0 takes what PVE proposes.

    Raises:
        RequestInvalid: None is free near it.
    """
    if not above:
        return int((yield from perform_raw(session, "GET", "/cluster/nextid", {})))
    for vmid in range(above + 1, above + _SEARCHED):
        if (yield from is_free(session, vmid)):
            return vmid
    raise RequestInvalid("cluster.nextid.get", f"no number is free from {above} on")


def number_after(session: Session, vmid: int, error: AlreadyExists) -> Flow[int]:
    """Return the number to try after one was refused.

    Raises:
        AlreadyExists: The number is free, so something else is there already.
    """
    if (yield from is_free(session, vmid)):
        raise error
    return (yield from free_number(session, above=vmid))
