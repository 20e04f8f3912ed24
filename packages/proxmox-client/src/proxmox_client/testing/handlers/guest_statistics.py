"""Statistics of machines and containers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxmox_client.testing import raster
from proxmox_client.testing.guests import readings
from proxmox_client.testing.guests.guest import Guest
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_FILE_SECONDS = 3.0


@handles("GET", "/nodes/{node}/qemu/{vmid}/rrddata")
@handles("GET", "/nodes/{node}/lxc/{vmid}/rrddata")
def statistics(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """Return rows of figures; any node knows those of every guest the broadcasts named."""
    vmid: int = call["vmid"]
    guest = cluster.guests.get(vmid)
    if guest is None or not _recorded(cluster, guest):
        raise PveFault(
            500,
            f"RRD error: opening '/var/lib/rrdcached/db/pve-vm-9.0/{vmid}':"
            " No such file or directory",
        )
    cpus = cluster.nodes[guest.node].cpus
    return [
        readings.statistics(guest, at=float(at), host_cpus=cpus)
        for at in raster.times(cluster, call["timeframe"])
    ]


@handles("GET", "/nodes/{node}/qemu/{vmid}/rrd")
@handles("GET", "/nodes/{node}/lxc/{vmid}/rrd")
def picture(cluster: SimulatedCluster, call: Call) -> dict[str, str]:
    """Draw a guest's figures."""
    rows = statistics(cluster, call)
    return raster.picture(f"pve-vm-9.0/{call['vmid']}", call["ds"], rows)


def _recorded(cluster: SimulatedCluster, guest: Guest) -> bool:
    """Whether a broadcast has named the guest, and the file for its figures was made since."""
    now = cluster.clock.now()
    return now - guest.born > _FILE_SECONDS and cluster.broadcast.row(guest, now) is not None
