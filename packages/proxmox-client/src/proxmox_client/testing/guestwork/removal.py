"""Removing guests with their disks, and everything that refers to them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from proxmox_client.testing.firewall.files import forget_guest
from proxmox_client.testing.guests import drives
from proxmox_client.testing.guests.guest import Guest
from proxmox_client.testing.guestwork import disks, power
from proxmox_client.testing.locks import check_lock
from proxmox_client.testing.request import PveFault
from proxmox_client.testing.tasks import TaskRecord

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster


def check_protection(guest: Guest) -> None:
    """Refuse to remove a protected guest.

    Raises:
        PveFault: Status 500.
    """
    if guest.config.get("protection") == "1":
        raise PveFault(500, f"can't remove {guest.label} - protection mode enabled")


def destroy(
    cluster: SimulatedCluster,
    node: str,
    kind: str,
    vmid: int,
    task: TaskRecord,
    *,
    unreferenced: bool,
    purge: bool,
    force: bool = False,
) -> Iterator[float]:
    """Remove a guest: the work inside the task."""
    guest = cluster.guest(kind, node, vmid)
    if force and guest.running:
        task.log(f"forced to stop {guest.label} before destroying!")
        yield power.STOP_SECONDS
        guest.end()
    yield from cluster.locks.guest(guest, task=task)
    try:
        guest = cluster.guest(kind, node, vmid)
        check_lock(guest)
        check_protection(guest)
        if guest.running:
            raise PveFault(500, f"{guest.label} is running - destroy failed")
        volids = owned_volumes(cluster, guest, unreferenced=unreferenced)
        for volid in volids:
            disks.check_unlinked(cluster, guest.node, volid)
        yield 0.3
        for volid in volids:
            disks.free(cluster, guest.node, volid)
        if purge:
            task.log(f"purging {guest.label} from related configurations..")
        forget(cluster, guest)
    finally:
        cluster.locks.release_guest(guest)


def owned_volumes(
    cluster: SimulatedCluster, guest: Guest, *, unreferenced: bool = False
) -> list[str]:
    """List the guest's volumes: referenced ones, or all that carry its number."""
    found: dict[str, None] = {}
    for _, name, text in guest.volumes():
        if drives.holds_volume(guest.kind, name):
            drive = drives.parse_drive(name, text)
            if drives.owned(guest.vmid, drive):
                found[drive.volid] = None
    for state in [guest.config.get("vmstate"), *(s.vmstate for s in guest.snapshots.values())]:
        if state is not None:
            found[state] = None
    if unreferenced:
        names = [name for name, storage in cluster.storages.items() if storage.enabled]
        for volume in cluster.volumes.owned(guest.vmid, guest.node, names):
            found[volume.volid] = None
    return list(found)


def forget(cluster: SimulatedCluster, guest: Guest) -> None:
    """Drop a guest's configuration and what refers to it."""
    del cluster.guests[guest.vmid]
    forget_guest(cluster, guest.vmid)
    for pool in cluster.pools.values():
        pool.guests.discard(guest.vmid)
    path = f"/vms/{guest.vmid}"
    cluster.access.acl[:] = [entry for entry in cluster.access.acl if entry.path != path]
