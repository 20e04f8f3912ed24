"""Cloning a guest from wherever it is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from proxmox_client.errors import NotFound
from proxmox_client.flows.acting import Act, Waiting, act
from proxmox_client.flows.call import Session
from proxmox_client.flows.effects import Flow
from proxmox_client.flows.guests import is_elsewhere, moved_away, settle
from proxmox_client.flows.numbers import create
from proxmox_client.values.taskresult import TaskResult

_FOLLOW: Final = 3


def clone(
    session: Session, vmid: int, params: Mapping[str, object], waiting: Waiting
) -> Flow[tuple[int, TaskResult]]:
    """Clone a guest, under a free number unless one is given, and wait for the task.

    Args:
        session: Who asks.
        vmid: The guest to clone.
        params: By PVE's names.
        waiting: How long, and who reads the log.

    Returns:
        The new guest's number, and how the task ended.
    """
    if params.get("newid") is not None:
        call = Act("POST", "/clone", params)
        result = yield from act(session, vmid, lambda place: call, waiting)
        return int(str(params["newid"])), result
    patience = math.inf if waiting.timeout is None else waiting.timeout
    for left in reversed(range(_FOLLOW)):
        place = yield from settle(session, vmid, patience)
        try:
            number, result = yield from create(
                session,
                f"{place.path}/clone",
                params,
                timeout=waiting.timeout,
                on_log=waiting.on_log,
            )
        except NotFound as error:
            if not left or not is_elsewhere(error):
                raise
        else:
            if not left or not moved_away(result):
                return number, result
    raise AssertionError("the last round returns or raises")
