"""Snapshots of a guest, wherever it is: list, create, roll back, delete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from proxmox_client.flows.acting import Act, Waiting, act
from proxmox_client.flows.call import Session
from proxmox_client.flows.effects import Flow
from proxmox_client.flows.guests import ask_guest
from proxmox_client.values.guestplace import GuestPlace
from proxmox_client.values.snapshot import Snapshot
from proxmox_client.values.taskresult import TaskResult

_CURRENT: Final = "current"
"""PVE ends its list with an entry of this name, the present state."""


def snapshots(session: Session, vmid: int) -> Flow[tuple[Snapshot, ...]]:
    """List a guest's snapshots, oldest first (GET …/snapshot)."""
    data: object = yield from ask_guest(session, vmid, "GET", "/snapshot", {})
    rows = cast("list[Mapping[str, Any]]", data) if isinstance(data, list) else []
    parents = [str(row.get("parent") or "") for row in rows if row.get("name") == _CURRENT]
    current = parents[0] if parents else ""
    found = [Snapshot.read(row, current) for row in rows if row.get("name") != _CURRENT]
    return tuple(sorted(found, key=lambda snapshot: snapshot.created))


def create(
    session: Session, vmid: int, name: str, description: str, *, memory: bool, waiting: Waiting
) -> Flow[TaskResult]:
    """Take a snapshot and wait for it (POST …/snapshot).

    Args:
        session: Who asks.
        vmid: The guest.
        name: Name of the snapshot.
        description: Free text.
        memory: Save a running machine's memory too; containers have none to save.
        waiting: How long, and who reads the log.
    """

    def prepare(place: GuestPlace) -> Act:
        params: dict[str, object] = {"snapname": name, "description": description or None}
        if memory and place.kind == "qemu":
            params["vmstate"] = True
        return Act("POST", "/snapshot", params)

    return act(session, vmid, prepare, waiting)


def rollback(
    session: Session, vmid: int, name: str, *, start: bool, waiting: Waiting
) -> Flow[TaskResult]:
    """Return a guest to a snapshot and wait for it (POST …/snapshot/{name}/rollback).

    Args:
        session: Who asks.
        vmid: The guest; what it wrote since the snapshot is lost.
        name: Name of the snapshot.
        start: Start it afterwards. With a snapshot of its memory a machine runs on anyway.
        waiting: How long, and who reads the log.
    """
    call = Act("POST", f"/snapshot/{name}/rollback", {"start": True if start else None})
    return act(session, vmid, lambda place: call, waiting)


def delete(
    session: Session, vmid: int, name: str, *, force: bool, waiting: Waiting
) -> Flow[TaskResult]:
    """Delete a snapshot and wait for it (DELETE …/snapshot/{name}).

    Args:
        session: Who asks.
        vmid: The guest.
        name: Name of the snapshot.
        force: Take it out of the configuration even where removing a disk's snapshot fails.
        waiting: How long, and who reads the log.
    """
    call = Act("DELETE", f"/snapshot/{name}", {"force": True if force else None})
    return act(session, vmid, lambda place: call, waiting)
