"""Taking, rolling back and removing snapshots: the work inside the tasks."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING

from proxmox_client.testing.guests import drives, snapshots
from proxmox_client.testing.guests.guest import Guest
from proxmox_client.testing.guestwork import disks, features, power, suspending
from proxmox_client.testing.locks import check_lock
from proxmox_client.testing.request import PveFault
from proxmox_client.testing.tasks import TaskFailed, TaskRecord

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

Find = Callable[[], Guest]
_RESERVED = ("current", "pending")


def check_name(name: str) -> None:
    """Refuse the names PVE keeps for itself.

    Raises:
        PveFault: Status 500.
    """
    if name.lower() in _RESERVED:
        raise PveFault(500, f"unable to use snapshot name '{name.lower()}' (reserved name)")


def take(
    cluster: SimulatedCluster,
    find: Find,
    task: TaskRecord,
    name: str,
    *,
    description: str,
    with_memory: bool,
) -> Iterator[float]:
    """Take a snapshot; the guest has ``lock: snapshot`` meanwhile."""
    guest = find()
    yield from cluster.locks.guest(guest, task=task)
    try:
        _check_possible(cluster, guest, name)
        guest.config["lock"] = "snapshot"
        yield 0.1
    finally:
        cluster.locks.release_guest(guest)
    try:
        vmstate = None
        if with_memory and guest.running:
            vmstate = yield from _save_memory(cluster, guest, task, name)
        for drive in features.disks(guest):
            task.log(f"snapshotting 'drive-{drive.slot}' ({drive.volid})")
        yield 0.2
    finally:
        guest.config.pop("lock", None)
    snapshots.take(guest, name, now=cluster.clock.now(), description=description, vmstate=vmstate)


def _check_possible(cluster: SimulatedCluster, guest: Guest, name: str) -> None:
    if guest.template:
        raise TaskFailed("you can't take a snapshot if it's a template")
    check_lock(guest)
    if name in guest.snapshots:
        raise TaskFailed(f"snapshot name '{name}' already used")
    if not features.has_feature(cluster, guest, "snapshot", snapshot=False):
        raise TaskFailed("snapshot feature is not available")


def _save_memory(
    cluster: SimulatedCluster, guest: Guest, task: TaskRecord, name: str
) -> Generator[float, None, str]:
    volume = suspending.state_volume(cluster, guest, name)
    task.log(disks.formatting(cluster, volume))
    task.log(f"saving VM state and RAM using storage '{volume.storage}'")
    yield 1.0
    task.log("completed saving the VM state in 1s, saved 32.00 MiB")
    return volume.volid


def roll_back(
    cluster: SimulatedCluster, find: Find, task: TaskRecord, name: str, *, start: bool
) -> Iterator[float]:
    """Go back to a snapshot; the guest is stopped, and runs again if its memory was saved."""
    guest = find()
    yield from cluster.locks.guest(guest, task=task)
    try:
        if guest.template:
            raise TaskFailed("you can't rollback if vm is a template")
        if name not in guest.snapshots:
            raise TaskFailed(f"snapshot '{name}' does not exist")
        check_lock(guest)
        if guest.running:
            yield power.STOP_SECONDS
            guest.end()
        guest.config["lock"] = "rollback"
        try:
            yield 0.3
        finally:
            guest.config.pop("lock", None)
        snapshot = guest.snapshots[name]
        snapshots.roll_back(guest, name)
        _restore_sizes(cluster, guest)
    finally:
        cluster.locks.release_guest(guest)
    if snapshot.vmstate is not None or start:
        yield power.START_SECONDS[guest.kind]
        guest.cloudinit.clear()
        power.boot(cluster, guest)


def _restore_sizes(cluster: SimulatedCluster, guest: Guest) -> None:
    """Give volumes the size they had; a disk grown since is small again."""
    for drive in features.disks(guest):
        volume = cluster.volumes.find(guest.node, drive.volid)
        if volume is not None and drive.size:
            volume.size = drive.size


def remove(cluster: SimulatedCluster, find: Find, task: TaskRecord, name: str) -> Iterator[float]:
    """Remove a snapshot; the guest has ``lock: snapshot-delete`` meanwhile."""
    guest = find()
    yield from cluster.locks.guest(guest, task=task)
    try:
        if name not in guest.snapshots:
            raise TaskFailed(f"snapshot '{name}' does not exist")
        check_lock(guest)
        guest.config["lock"] = "snapshot-delete"
        yield 0.05
    finally:
        cluster.locks.release_guest(guest)
    try:
        yield 0.2
    finally:
        guest.config.pop("lock", None)
    gone = snapshots.remove(guest, name)
    if gone.vmstate is not None:
        disks.free(cluster, guest.node, gone.vmstate)
    _keep_orphans(cluster, guest, gone.config)


def _keep_orphans(cluster: SimulatedCluster, guest: Guest, config: dict[str, str]) -> None:
    """Keep volumes only this snapshot referred to as unused ones, as PVE does."""
    present = {
        drives.parse_drive(name, text).volid
        for _, name, text in guest.volumes()
        if drives.holds_volume(guest.kind, name)
    }
    for drive in drives.drives(guest.kind, config):
        if drive.volid not in present and drives.owned(guest.vmid, drive):
            guest.config[drives.free_unused_slot(guest.config)] = drive.volid
