"""Reading machines: lists and features; the rest is in `guest_read`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxmox_client.testing.guests import readings
from proxmox_client.testing.guestwork import features, finding
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_ROOT = "/nodes/{node}/qemu/{vmid}"


@handles("GET", "/nodes/{node}/qemu")
def machines(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the machines of a node that the caller may see."""
    row = readings.full if call.get("full") else readings.summary
    cpus = cluster.nodes[call.node].cpus
    return [
        row(guest, now=cluster.clock.now(), host_cpus=cpus)
        for guest in cluster.guests.values()
        if guest.kind == "qemu"
        and guest.node == call.node
        and finding.may_see(cluster, call, guest.vmid)
    ]


@handles("GET", f"{_ROOT}/feature")
def feature(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Tell whether the machine can be snapshotted, cloned or copied."""
    guest = finding.local_machine(cluster, call.node, call["vmid"])
    snapname = call.get("snapname")
    if snapname is not None and snapname not in guest.snapshots:
        raise PveFault(500, f"snapshot '{snapname}' does not exist")
    possible = features.has_feature(cluster, guest, call["feature"], snapname is not None)
    return {
        "hasFeature": 1 if possible else 0,
        "nodes": features.common_nodes(cluster, guest),
    }
