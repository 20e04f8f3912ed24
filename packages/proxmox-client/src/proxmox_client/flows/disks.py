"""Disks of a guest, wherever it is: growing them, moving them to another storage."""

from __future__ import annotations

from proxmox_client.flows.acting import Act, Waiting, act
from proxmox_client.flows.call import Session
from proxmox_client.flows.effects import Flow
from proxmox_client.values.guestplace import GuestPlace
from proxmox_client.values.taskresult import TaskResult


def resize(session: Session, vmid: int, disk: str, size: str, waiting: Waiting) -> Flow[TaskResult]:
    """Grow a disk and wait for it (PUT …/resize); nothing shrinks one.

    Args:
        session: Who asks.
        vmid: The guest.
        disk: Its option: `scsi0`, `rootfs`, `mp0`.
        size: The new size, `32G`, or how much more, `+2G`.
        waiting: How long, and who reads the log.
    """
    call = Act("PUT", "/resize", {"disk": disk, "size": size})
    return act(session, vmid, lambda place: call, waiting)


def move(
    session: Session,
    vmid: int,
    disk: str,
    storage: str,
    *,
    form: str | None,
    keep: bool,
    waiting: Waiting,
) -> Flow[TaskResult]:
    """Move a disk to another storage and wait for it (POST …/move_disk or …/move_volume).

    Args:
        session: Who asks.
        vmid: The guest.
        disk: Its option: `scsi0`, `rootfs`, `mp0`.
        storage: Where to.
        form: `raw`, `qcow2` or `vmdk`, for machines; as it is where None.
        keep: Keep the old volume, as `unusedN` of the guest.
        waiting: How long, and who reads the log.
    """

    def prepare(place: GuestPlace) -> Act:
        params: dict[str, object] = {"storage": storage, "delete": None if keep else True}
        if place.kind == "lxc":
            return Act("POST", "/move_volume", {"volume": disk, **params})
        return Act("POST", "/move_disk", {"disk": disk, "format": form, **params})

    return act(session, vmid, prepare, waiting)
