"""Statistics of machines and containers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxmox_client.testing.guests import readings
from proxmox_client.testing.guests.guest import Guest
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_STEPS = {
    "hour": (60, 60),
    "day": (60, 1440),
    "week": (1800, 336),
    "month": (1800, 1440),
    "year": (21600, 1460),
    "decade": (604800, 570),
}
"""Seconds between rows, and number of rows."""

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
    step, count = _STEPS[call["timeframe"]]
    last = int(cluster.clock.now()) // step * step
    cpus = cluster.nodes[guest.node].cpus
    times = range(last - (count - 1) * step, last + 1, step)
    return [readings.statistics(guest, at=float(at), host_cpus=cpus) for at in times]


def _recorded(cluster: SimulatedCluster, guest: Guest) -> bool:
    """Whether a broadcast has named the guest, and the file for its figures was made since."""
    now = cluster.clock.now()
    return now - guest.born > _FILE_SECONDS and cluster.broadcast.row(guest, now) is not None
