"""Pausing, suspending to disk, resuming and resetting machines."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from proxmox_client.testing.guests import identity, options
from proxmox_client.testing.guests.guest import Guest
from proxmox_client.testing.guests.sizes import MIB
from proxmox_client.testing.guestwork import disks
from proxmox_client.testing.guestwork.power import Find
from proxmox_client.testing.locks import check_lock
from proxmox_client.testing.tasks import TaskRecord

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster
    from proxmox_client.testing.state import Volume


def pause(cluster: SimulatedCluster, find: Find, task: TaskRecord) -> Iterator[float]:
    """Stop the machine's processors."""
    yield from _change(cluster, find, task, "paused")


def resume(cluster: SimulatedCluster, find: Find, task: TaskRecord) -> Iterator[float]:
    """Let the machine's processors run on."""
    yield from _change(cluster, find, task, "running")


def reset(cluster: SimulatedCluster, find: Find, task: TaskRecord) -> Iterator[float]:
    """Reset the machine."""
    yield from _change(cluster, find, task, None)


def _change(
    cluster: SimulatedCluster, find: Find, task: TaskRecord, qmpstatus: str | None
) -> Iterator[float]:
    guest = find()
    yield from cluster.locks.guest(guest, task=task)
    try:
        check_lock(guest)
        yield 0.1
        if qmpstatus is not None:
            guest.qmpstatus = qmpstatus
    finally:
        cluster.locks.release_guest(guest)


def to_disk(
    cluster: SimulatedCluster, find: Find, task: TaskRecord, storage: str | None
) -> Iterator[float]:
    """Write the machine's memory to a volume and stop it; it keeps ``lock: suspended``."""
    guest = find()
    yield from cluster.locks.guest(guest, task=task)
    try:
        check_lock(guest)
        guest.config["lock"] = "suspending"
        try:
            volume = state_volume(cluster, guest, f"suspend-{_today(cluster)}", storage)
            task.log(disks.formatting(cluster, volume))
            yield 2.0
            task.log("State saved, quitting")
        finally:
            del guest.config["lock"]
        guest.config |= {
            "lock": "suspended",
            "running-nets-host-mtu": " ",
            "runningcpu": "kvm64,+lahf_lm,+sep",
            "runningmachine": f"pc-i440fx-{identity.QEMU_VERSION.rpartition('.')[0]}",
            "vmstate": volume.volid,
        }
        guest.end()
    finally:
        cluster.locks.release_guest(guest)


def _today(cluster: SimulatedCluster) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(cluster.clock.now()))


def state_volume(
    cluster: SimulatedCluster, guest: Guest, suffix: str, storage: str | None = None
) -> Volume:
    """Make the volume that takes a machine's memory.

    Raises:
        PveFault: The storage is missing or full.
    """
    size = (2 * options.memory_mib("qemu", guest.config) + 500) * MIB
    where = storage or guest.config.get("vmstatestorage") or _state_storage(cluster, guest)
    return cluster.volumes.allocate(
        guest.node, where, guest.vmid, size, format="raw", stem=f"vm-{guest.vmid}-state-{suffix}"
    )


def _state_storage(cluster: SimulatedCluster, guest: Guest) -> str:
    """Choose as PVE does: a shared storage of the machine's disks, else any of them, else local."""
    from proxmox_client.testing.guestwork.features import disks as own_disks

    names = [drive.storage for drive in own_disks(guest) if drive.storage is not None]
    shared = [name for name in names if cluster.volumes.storage(name).shared]
    return next(iter([*shared, *names]), "local")
