"""Copying disks and cloning guests: the work inside the tasks."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import attrs

from proxmox_client.testing.guests.drives import Drive
from proxmox_client.testing.guests.guest import Guest
from proxmox_client.testing.guests.sizes import GIB, human_size
from proxmox_client.testing.guestwork import disks, features
from proxmox_client.testing.request import PveFault
from proxmox_client.testing.state import Volume
from proxmox_client.testing.tasks import TaskRecord
from proxmox_client.testing.volumes import FILE_TYPES

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

BYTES_PER_SECOND = GIB
_STEPS = 4
_LINK_SECONDS = 0.2


@attrs.frozen
class Target:
    """Where the copies of a guest's disks go.

    Attributes:
        vmid: Guest that will own them.
        storage: Storage; None keeps each where it is.
        format: Wanted format; None keeps it.
        full: Copy everything instead of linking to base images.
    """

    vmid: int
    storage: str | None = None
    format: str | None = None
    full: bool = True


def transfer(task: TaskRecord, size: int) -> Iterator[float]:
    """Let a copy take its time and tell about its progress."""
    total = human_size(size)
    task.log(f"transferred 0.0 B of {total} (0.00%)")
    for step in range(1, _STEPS + 1):
        yield size / BYTES_PER_SECOND / _STEPS
        done = size * step // _STEPS
        task.log(f"transferred {human_size(done)} of {total} ({100 * step / _STEPS:.2f}%)")


def machine_disk(
    cluster: SimulatedCluster, guest: Guest, drive: Drive, target: Target, task: TaskRecord
) -> Generator[float, None, Drive]:
    """Copy or link one disk of a machine and return the new drive.

    Raises:
        PveFault: The volume or the storage is missing.
    """
    source = _source(cluster, guest, drive)
    if drive.is_cloudinit:
        return _cloudinit(cluster, guest, drive, source, target, task)
    if not target.full and drive.slot != "tpmstate0":
        volume = _linked(cluster, guest, drive, source, target, task)
        yield from _copied(cluster, volume, iter([_LINK_SECONDS]))
    else:
        task.log(f"create full clone of drive {drive.slot} ({drive.volid})")
        volume = disks.copy(
            cluster,
            guest.node,
            source,
            target.vmid,
            storage=target.storage,
            kind=target.format,
        )
        task.log(disks.formatting(cluster, volume))
        task.log(f"allocated target volume '{volume.volid}'")
        yield from _copied(cluster, volume, transfer(task, source.size))
    return drive.with_volume(volume.volid, size=disks.size_text(volume))


def _copied(
    cluster: SimulatedCluster, volume: Volume, transferring: Iterator[float]
) -> Iterator[float]:
    """Remove a copy whose making is interrupted."""
    try:
        yield from transferring
    except BaseException:
        cluster.volumes.remove(volume)
        raise


def _source(cluster: SimulatedCluster, guest: Guest, drive: Drive) -> Volume:
    found = cluster.volumes.find(guest.node, drive.volid)
    if found is None:
        raise PveFault(500, f"volume '{drive.volid}' does not exist")
    return found


def _cloudinit(
    cluster: SimulatedCluster,
    guest: Guest,
    drive: Drive,
    source: Volume,
    target: Target,
    task: TaskRecord,
) -> Drive:
    task.log(f"create full clone of drive {drive.slot} ({drive.volid})")
    volume = disks.copy(
        cluster,
        guest.node,
        source,
        target.vmid,
        storage=target.storage,
        stem=f"vm-{target.vmid}-cloudinit",
    )
    task.log(disks.formatting(cluster, volume))
    task.log(f"allocated target volume '{volume.volid}'")
    return drive.with_volume(volume.volid, size=disks.size_text(volume))


def _linked(
    cluster: SimulatedCluster,
    guest: Guest,
    drive: Drive,
    source: Volume,
    target: Target,
    task: TaskRecord,
) -> Volume:
    task.log(f"create linked clone of drive {drive.slot} ({drive.volid})")
    volume = disks.link(cluster, guest.node, source, target.vmid)
    if cluster.volumes.storage(volume.storage).type in FILE_TYPES:
        image = volume.name.rpartition("/")[2]
        task.log(
            f"clone {source.name}: images, {image}, {target.vmid} to {image}"
            f" (base=../{source.name})"
        )
    task.log(disks.formatting(cluster, volume))
    return volume


def container_volume(
    cluster: SimulatedCluster, guest: Guest, drive: Drive, target: Target, task: TaskRecord
) -> Generator[float, None, Drive]:
    """Copy or link one volume of a container and return the new mount point.

    Raises:
        PveFault: The volume or the storage is missing.
    """
    source = _source(cluster, guest, drive)
    if target.full:
        task.log(f"create full clone of mountpoint {drive.slot} ({drive.volid})")
        volume = disks.create_filesystem(
            cluster,
            guest.node,
            target.storage or source.storage,
            target.vmid,
            source.size,
            task.log,
        )
        yield from _copied(cluster, volume, iter([source.size / BYTES_PER_SECOND + 0.3]))
    else:
        task.log(f"create linked clone of mount point {drive.slot} ({drive.volid})")
        volume = disks.link(cluster, guest.node, source, target.vmid)
        task.log(disks.formatting(cluster, volume))
        yield from _copied(cluster, volume, iter([_LINK_SECONDS]))
    return drive.with_volume(volume.volid, size=disks.size_text(volume))


def check_linkable(
    cluster: SimulatedCluster, guest: Guest, drive: Drive, *, snapshot: bool
) -> bool:
    """Whether a drive can be part of a linked clone; cloud-init and TPM are always copied."""
    if drive.storage is None or drive.is_cloudinit or drive.slot == "tpmstate0":
        return True
    return features.can_link(cluster, guest.kind, drive.volid, snapshot=snapshot)


def uses_local(
    cluster: SimulatedCluster, wanted: tuple[Drive, ...], storage: str | None = None
) -> bool:
    """Whether any disk lies on a storage only one node sees (or would, on the given one)."""
    names = {storage or drive.storage for drive in wanted if drive.storage is not None}
    return any(not cluster.volumes.storage(name or "").shared for name in names)
