"""Growing and moving volumes of containers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from proxmox_client.testing.digest import check_digest
from proxmox_client.testing.guests import changes, drives
from proxmox_client.testing.guests.drives import Drive
from proxmox_client.testing.guests.guest import Guest
from proxmox_client.testing.guestwork import copying, disks, finding, privileges
from proxmox_client.testing.guestwork.copying import Target
from proxmox_client.testing.guestwork.resizing import grown_size
from proxmox_client.testing.locks import check_lock
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles
from proxmox_client.testing.state import Volume
from proxmox_client.testing.tasks import TaskRecord

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_ROOT = "/nodes/{node}/lxc/{vmid}"
_MISSING = "property is missing and it is not optional"


def _drive(guest: Guest, slot: str) -> Drive:
    """Return a mount point; PVE reads a missing one as an empty text and complains about that.

    Raises:
        PveFault: Status 500 with texts for the keys that are missing.
    """
    if slot in guest.config:
        return drives.parse_drive(slot, guest.config[slot])
    errors = {"volume": _MISSING} if slot == "rootfs" else {"volume": _MISSING, "mp": _MISSING}
    raise PveFault(500, "format error", errors)


@handles("PUT", f"{_ROOT}/resize")
def resize(cluster: SimulatedCluster, call: Call) -> str:
    """Grow a volume; what is wrong with the size is said at once."""
    guest = finding.called(cluster, call, "lxc")
    _checked(cluster, call, guest)

    def work(task: TaskRecord) -> Iterator[float]:
        yield from cluster.locks.guest(guest, task=task)
        try:
            drive, volume, size = _checked(cluster, call, guest)
            yield 0.3
            volume.size = size
            guest.config[drive.slot] = drive.with_volume(
                drive.volid, size=disks.size_text(volume)
            ).text()
            task.log("Image resized.")
        finally:
            cluster.locks.release_guest(guest)

    return cluster.tasks.start(call.node, "resize", work, id=guest.vmid, user=call.identity.authid)


def _checked(cluster: SimulatedCluster, call: Call, guest: Guest) -> tuple[Drive, Volume, int]:
    check_lock(guest)
    check_digest(call.sent.get("digest"), guest.digest)
    drive = _drive(guest, call["disk"])
    volume = cluster.volumes.find(guest.node, drive.volid)
    if volume is None:
        raise PveFault(500, f"Could not determine current size of volume '{drive.volid}'")
    privileges.require_space(cluster, call.identity, volume.storage)
    size = grown_size(call["size"], volume.size)
    if size < volume.size:
        raise PveFault(500, "unable to shrink disk size")
    if size == volume.size:
        raise PveFault(500, "disk is already at specified size")
    return drive, volume, size


@handles("POST", f"{_ROOT}/move_volume")
def move(cluster: SimulatedCluster, call: Call) -> str:
    """Move a volume to another storage; the container has ``lock: disk`` meanwhile."""
    if "target-vmid" in call:
        raise PveFault(501, "pmpc's simulator does not reassign volumes to other containers yet")
    if "storage" not in call:
        raise PveFault(500, "either set storage or target-vmid, but not both")
    guest = finding.called(cluster, call, "lxc")
    check_lock(guest)
    if guest.running:
        raise PveFault(500, "cannot move volumes of a running container")
    slot: str = call["volume"]
    if drives.is_unused(slot):
        raise PveFault(
            500,
            f"cannot move volume '{slot}', only configured volumes can be moved to another storage",
        )
    drive = _drive(guest, slot)
    if call.get("delete") and changes.refers(guest, drive.volid, outside=slot):
        raise PveFault(500, "you can't move a volume with snapshots and delete the source")
    check_digest(call.sent.get("digest"), guest.digest)
    guest.config["lock"] = "disk"

    def work(task: TaskRecord) -> Iterator[float]:
        try:
            yield from _move(cluster, call, guest, drive, task)
        finally:
            guest.config.pop("lock", None)

    return cluster.tasks.start(
        call.node, "move_volume", work, id=guest.vmid, user=call.identity.authid
    )


def _move(
    cluster: SimulatedCluster, call: Call, guest: Guest, drive: Drive, task: TaskRecord
) -> Iterator[float]:
    target = Target(guest.vmid, call["storage"])
    moved = yield from copying.container_volume(cluster, guest, drive, target, task)
    guest.config[drive.slot] = moved.text()
    if call.get("delete"):
        disks.free(cluster, guest.node, drive.volid)
    else:
        guest.config[drives.free_unused_slot(guest.config)] = drive.volid
