"""Growing, moving and detaching disks of machines."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import attrs

from proxmox_client.testing.digest import GUEST_MESSAGE, check_digest
from proxmox_client.testing.guests import changes, drives
from proxmox_client.testing.guests.drives import Drive
from proxmox_client.testing.guests.guest import Guest
from proxmox_client.testing.guestwork import copying, disks, features, finding, privileges
from proxmox_client.testing.guestwork.copying import Target
from proxmox_client.testing.guestwork.resizing import grown_size
from proxmox_client.testing.handlers import qemu_config
from proxmox_client.testing.locks import check_lock
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles
from proxmox_client.testing.tasks import TaskFailed, TaskInterrupted, TaskRecord

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_ROOT = "/nodes/{node}/qemu/{vmid}"


@handles("PUT", f"{_ROOT}/resize")
def resize(cluster: SimulatedCluster, call: Call) -> str:
    """Grow a disk; whatever is wrong shows up in the task."""

    def work(task: TaskRecord) -> Iterator[float]:
        guest = finding.called(cluster, call, "qemu")
        yield from cluster.locks.guest(guest, task=task)
        try:
            _resize(cluster, call, finding.called(cluster, call, "qemu"), task)
            yield 0.2
        finally:
            cluster.locks.release_guest(guest)

    return cluster.tasks.start(
        call.node, "resize", work, id=call["vmid"], user=call.identity.authid
    )


def _resize(cluster: SimulatedCluster, call: Call, guest: Guest, task: TaskRecord) -> None:
    check_digest(call.sent.get("digest"), guest.digest, message=GUEST_MESSAGE)
    check_lock(guest)
    slot: str = call["disk"]
    if slot not in guest.config:
        raise TaskFailed(f"disk '{slot}' does not exist")
    drive = drives.parse_drive(slot, guest.config[slot])
    if drive.is_cdrom:
        raise TaskFailed("you can't resize a cdrom")
    volume = cluster.volumes.find(guest.node, drive.volid)
    if volume is None:
        raise TaskFailed(f"Could not determine current size of volume '{drive.volid}'")
    size = grown_size(call["size"], volume.size)
    if size < volume.size:
        raise TaskFailed("shrinking disks is not supported")
    if size == volume.size:
        return
    volume.size = size
    guest.config[slot] = drive.with_volume(drive.volid, size=disks.size_text(volume)).text()
    task.log("Image resized.")


@handles("POST", f"{_ROOT}/move_disk")
def move(cluster: SimulatedCluster, call: Call) -> str:
    """Move a disk to another storage or format, or give it to another machine."""
    if "target-vmid" in call:
        raise PveFault(501, "pmpc's simulator does not reassign disks to other machines yet")
    guest = finding.called(cluster, call, "qemu")
    _check_move(cluster, call, guest)

    def work(task: TaskRecord) -> Iterator[float]:
        yield from cluster.locks.guest(guest, task=task)
        try:
            drive = _check_move(cluster, call, guest)
            yield from _move(cluster, call, guest, drive, task)
        finally:
            cluster.locks.release_guest(guest)

    return cluster.tasks.start(call.node, "qmmove", work, id=guest.vmid, user=call.identity.authid)


def _check_move(cluster: SimulatedCluster, call: Call, guest: Guest) -> Drive:
    check_lock(guest)
    check_digest(call.sent.get("digest"), guest.digest)
    slot: str = call["disk"]
    if slot not in guest.config:
        raise PveFault(500, f"disk '{slot}' does not exist")
    drive = drives.parse_drive(slot, guest.config[slot])
    if drive.is_medium or drive.storage is None:
        raise PveFault(500, "you can't move a cdrom")
    storage: str | None = call.get("storage")
    if storage is None:
        raise PveFault.parameters({"storage": "property is missing and it is not optional"})
    source = cluster.volumes.storage(drive.storage)
    kind = call.get("format")
    if drive.storage == storage and kind in (None, features.stored_format(source, drive.volid)):
        raise PveFault(500, "you can't move to the same storage with same format")
    where = cluster.volumes.usable(storage, guest.node)
    if "images" not in where.content:
        raise PveFault.parameters({"storage": f"storage '{storage}' does not support vm images"})
    privileges.require_space(cluster, call.identity, storage)
    if call.get("delete") and changes.refers(guest, drive.volid, outside=slot):
        raise PveFault(500, "you can't move a disk with snapshots and delete the source")
    return drive


def _move(
    cluster: SimulatedCluster, call: Call, guest: Guest, drive: Drive, task: TaskRecord
) -> Iterator[float]:
    storage: str = call["storage"]
    task.log(
        f"copying volume '{drive.volid}' from current storage '{drive.storage}'"
        f" to target storage '{storage}'"
    )
    if guest.running and drive.slot == "tpmstate0":
        raise TaskFailed("storage migration failed: cannot move TPM state while VM is running")
    target = Target(guest.vmid, storage, call.get("format"))
    try:
        moved = yield from copying.machine_disk(cluster, guest, drive, target, task)
    except (PveFault, TaskInterrupted) as error:
        sentence = error.message if isinstance(error, PveFault) else "interrupted by signal"
        raise TaskFailed(f"storage migration failed: {sentence}") from None
    guest.config[drive.slot] = moved.text()
    if call.get("delete"):
        task.log(f"removing source volume '{drive.volid}' after successful copy")
        disks.free(cluster, guest.node, drive.volid)
    else:
        unused = drives.free_unused_slot(guest.config)
        guest.config[unused] = drive.volid
        task.log(f"adding source volume '{drive.volid}' as '{unused}' to config")


@handles("PUT", f"{_ROOT}/unlink")
def unlink(cluster: SimulatedCluster, call: Call) -> Generator[float, None, None]:
    """Detach disks, or remove them for good with ``force``."""
    force = call.get("force", 0)
    yield from qemu_config.update(
        cluster,
        attrs.evolve(
            call,
            params={**call.params, "delete": call["idlist"], "force": force},
            sent={"delete": call.sent["idlist"], "force": str(force)},
        ),
    )
