"""Waiting for the storages new disks are to lie on: one allocation at a time on each.

The lock of a shared storage counts in the whole cluster, of any other on its node.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from proxmox_client.testing.guests import drives
from proxmox_client.testing.guests.options import Kind
from proxmox_client.testing.request import PveFault

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

TIMEOUT = 10.0
_STEP = 1.0


def lock_name(cluster: SimulatedCluster, storage: str, node: str) -> str:
    """Name of a storage's lock as a node takes it: ``storage-NAME`` where it is shared."""
    if cluster.storages[storage].shared:
        return f"storage-{storage}"
    return f"{node}:/var/lock/pve-manager/pve-storage-{storage}"


def turn(cluster: SimulatedCluster, storage: str, node: str) -> Iterator[float]:
    """Wait while somebody else allocates on a storage.

    Raises:
        PveFault: Status 500 after ten seconds.
    """
    if storage not in cluster.storages:
        return
    name = lock_name(cluster, storage, node)
    deadline = cluster.clock.now() + TIMEOUT
    while cluster.locks.held(name):
        if cluster.clock.now() >= deadline:
            path = name.partition(":")[2]
            raise PveFault(
                500,
                f"can't lock file '{path}' - got timeout"
                if path
                else f"cfs-lock '{name}' error: got lock request timeout",
            )
        yield _STEP


def turns(
    cluster: SimulatedCluster, kind: Kind, node: str, values: Mapping[str, str]
) -> Iterator[float]:
    """Wait for each storage the given options want new volumes on."""
    for name, text in sorted(values.items()):
        if not drives.holds_volume(kind, name):
            continue
        drive = drives.parse_drive(name, text)
        if drive.storage and (drive.new_size is not None or drive.volid.endswith(":cloudinit")):
            yield from turn(cluster, drive.storage, node)
