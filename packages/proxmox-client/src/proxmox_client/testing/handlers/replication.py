"""Replication jobs: refused, as no simulated storage can replicate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxmox_client.testing.guests import drives
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster


@handles("GET", "/cluster/replication")
@handles("GET", "/nodes/{node}/replication")
def list_jobs(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the jobs: there are none."""
    return []


@handles("GET", "/cluster/replication/{id}")
def read_job(cluster: SimulatedCluster, call: Call) -> None:
    """Say that there is no such job."""
    raise PveFault(500, f"no such replication job '{call['id']}'")


@handles("PUT", "/cluster/replication/{id}")
@handles("DELETE", "/cluster/replication/{id}")
def change_job(cluster: SimulatedCluster, call: Call) -> None:
    """Say that there is no such job."""
    raise PveFault(500, f"no such job '{call['id']}'")


@handles("POST", "/cluster/replication")
def create_job(cluster: SimulatedCluster, call: Call) -> None:
    """Refuse a job for what is wrong with it, or because its disks cannot be replicated."""
    vmid, target = int(str(call["id"]).partition("-")[0]), call["target"]
    guest = cluster.guests.get(vmid)
    if guest is None:
        raise PveFault(500, f"Guest '{vmid}' does not exist.")
    if target == guest.node:
        raise PveFault(500, "Source and target must not be identical")
    if target not in cluster.nodes:
        raise PveFault(500, f"Target '{target}' does not exist.")
    for drive in drives.drives(guest.kind, guest.config):
        if drive.storage is None or drive.is_cdrom:
            continue
        if not cluster.volumes.storage(drive.storage).shared:
            raise PveFault(500, f"missing replicate feature on volume '{drive.volid}'")
    raise PveFault(500, "No replicatable volumes found")
