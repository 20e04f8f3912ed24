"""Which guests a backup job covers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxmox_client.testing.formats import split_list
from proxmox_client.testing.guests.guest import Guest

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster


def covers(cluster: SimulatedCluster, job: dict[str, Any], guest: Guest) -> bool:
    """Whether a job backs a guest up."""
    if job.get("node") not in (None, guest.node):
        return False
    if job.get("vmid"):
        return str(guest.vmid) in split_list(str(job["vmid"]))
    if job.get("pool"):
        pool = cluster.pools.get(job["pool"])
        return pool is not None and guest.vmid in pool.guests
    return str(guest.vmid) not in split_list(str(job.get("exclude", "")))
