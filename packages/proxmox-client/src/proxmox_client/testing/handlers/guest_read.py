"""Reading machines and containers alike: configuration, pending changes, status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxmox_client.testing.guests import readings, snapshots
from proxmox_client.testing.guestwork import finding
from proxmox_client.testing.ha.state import figures
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_QEMU = "/nodes/{node}/qemu/{vmid}"
_LXC = "/nodes/{node}/lxc/{vmid}"


@handles("GET", f"{_QEMU}/config")
@handles("GET", f"{_LXC}/config")
def config(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return the configuration: with pending changes, in force, or of a snapshot."""
    guest = finding.of_path(cluster, call)
    if "snapshot" in call:
        name = call["snapshot"]
        if name not in guest.snapshots:
            raise PveFault(500, f"snapshot '{name}' does not exist")
        return {**snapshots.shown(guest, name, hide=True), "digest": guest.digest}
    return guest.shown(current=bool(call.get("current")))


@handles("GET", f"{_QEMU}/pending")
@handles("GET", f"{_LXC}/pending")
def pending(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the options with what waits for a stop and start."""
    return finding.of_path(cluster, call).pending_list()


@handles("GET", f"{_QEMU}/status/current")
@handles("GET", f"{_LXC}/status/current")
def status(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return what the guest does now."""
    guest = finding.of_path(cluster, call)
    cpus = cluster.nodes[guest.node].cpus
    row = readings.current(guest, now=cluster.clock.now(), host_cpus=cpus)
    return {**row, "ha": figures(cluster, guest.vmid)}
