"""Statistics of nodes and storages, and the same figures for those who collect them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from proxmox_client.testing import raster
from proxmox_client.testing.formats import split_list
from proxmox_client.testing.guests import readings
from proxmox_client.testing.handlers.cluster import node_figures
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster
    from proxmox_client.testing.state import Node

_TICK = 10
_HISTORY = 1800
_STALL = ("cpusome", "iofull", "iosome", "memoryfull", "memorysome")


def _began(cluster: SimulatedCluster, node: Node) -> float:
    """Return when a node's statistics begin; a test may set an earlier time in its files."""
    since: float = node.files.get("statistics-since", cluster.files["statistics-since"])
    return since


def _wave(node: Node, at: float) -> float:
    """Move between 0 and 1 in the course of hours and minutes, differently on each node."""
    slow = math.sin(at / 13_000 + node.phase)
    return (2 + slow + math.sin(at / 311 + 7 * node.phase)) / 4


def _row(cluster: SimulatedCluster, node: Node, at: int) -> dict[str, Any]:
    row: dict[str, Any] = {"time": at}
    if at <= _began(cluster, node):
        return row
    figures, wave = node_figures(cluster, node), _wave(node, at)
    memory = figures["mem"] * (0.9 + 0.2 * wave)
    row |= {
        "maxcpu": node.cpus,
        "cpu": min(1.0, figures["cpu"] * (0.5 + wave)),
        "iowait": 0.0005 * wave,
        "loadavg": figures["cpu"] * node.cpus * (0.5 + wave),
        "memtotal": node.memory,
        "memused": memory,
        "memavailable": node.memory - memory,
        "arcsize": 0,
        "swaptotal": 0,
        "swapused": 0,
        "roottotal": node.disk,
        "rootused": figures["disk"],
        "netin": 20_000 * wave,
        "netout": 9_000 * wave,
    }
    return row | {f"pressure{name}": round(0.02 * wave, 12) for name in _STALL}


@handles("GET", "/nodes/{node}/rrddata")
def node_rows(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """Return rows of a node's figures."""
    node = cluster.nodes[call["node"]]
    return [_row(cluster, node, at) for at in raster.times(cluster, call["timeframe"])]


@handles("GET", "/nodes/{node}/rrd")
def node_picture(cluster: SimulatedCluster, call: Call) -> dict[str, str]:
    """Draw a node's figures."""
    return raster.picture(f"pve-node-9.0/{call['node']}", call["ds"], node_rows(cluster, call))


@handles("GET", "/nodes/{node}/storage/{storage}/rrddata")
def storage_rows(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """Return rows of a storage's figures: what is used now, as far back as there are figures."""
    node, storage = cluster.nodes[call.node], cluster.volumes.storage(call["storage"])
    used, began = cluster.volumes.used(storage, node.name), _began(cluster, node)
    figures = {"total": storage.total, "used": used}
    return [
        {"time": at, **(figures if at > began else {})}
        for at in raster.times(cluster, call["timeframe"])
    ]


@handles("GET", "/nodes/{node}/storage/{storage}/rrd")
def storage_picture(cluster: SimulatedCluster, call: Call) -> dict[str, str]:
    """Draw a storage's figures; PVE 9 looks for them where PVE 8 kept them."""
    path = f"pve2-storage/{call.node}/{call['storage']}"
    if not cluster.version.startswith("8"):
        file = f"/var/lib/rrdcached/db/{path}"
        raise PveFault(500, f"RRD error: opening '{file}': No such file or directory")
    return raster.picture(path, call["ds"], storage_rows(cluster, call))


# --- export ---------------------------------------------------------------------------------


@handles("GET", "/cluster/metrics/export")
def export(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return the latest figures of nodes, guests and storages, or those of half an hour."""
    now = int(cluster.clock.now())
    wanted = split_list(call.get("node-list", "")) or list(cluster.nodes)
    if call.get("local-only"):
        wanted = [call.via]
    first = max(call.get("start-time", 0), now - _HISTORY) if call.get("history") else now - _TICK
    rows: list[dict[str, Any]] = []
    for node in cluster.nodes.values():
        if node.name not in wanted or not node.online:
            continue
        latest = int(node.broadcast_at)
        since = max(first, int(_began(cluster, node)) - _TICK)
        ticks = [latest - _TICK * back for back in range((latest - since) // _TICK + 1)]
        for at in sorted(tick for tick in ticks if tick >= first) or [latest]:
            rows += _of_node(cluster, node, at)
            rows += _of_guests(cluster, node, at)
            rows += _of_storages(cluster, node, at)
    return {"data": rows}


def _metric(ident: str, at: int, name: str, value: float, kind: str = "gauge") -> dict[str, Any]:
    return {"id": ident, "metric": name, "timestamp": at, "type": kind, "value": value}


def _of_node(cluster: SimulatedCluster, node: Node, at: int) -> Iterator[dict[str, Any]]:
    ident, figures, wave = f"node/{node.name}", node_figures(cluster, node), _wave(node, at)
    uptime = max(0, int(at - node.booted))
    load = round(figures["cpu"] * node.cpus * (0.5 + wave), 2)
    for name, value in {
        "uptime": uptime,
        "cpu_avg1": load,
        "cpu_avg5": load,
        "cpu_avg15": load,
        "cpu_max": node.cpus,
        "cpu_current": min(1.0, figures["cpu"] * (0.5 + wave)),
        "cpu_iowait": 0,
        "mem_total": node.memory,
        "mem_used": figures["mem"],
        "swap_total": 0,
        "swap_used": 0,
        "disk_total": node.disk,
        "disk_used": figures["disk"],
    }.items():
        yield _metric(ident, at, name, value)
    yield _metric(ident, at, "net_in", uptime * 20_000, "derive")
    yield _metric(ident, at, "net_out", uptime * 9_000, "derive")


def _of_guests(cluster: SimulatedCluster, node: Node, at: int) -> Iterator[dict[str, Any]]:
    for guest in cluster.guests.values():
        if guest.node != node.name or at <= guest.born:
            continue
        seen = readings.summary(guest, now=float(at), host_cpus=node.cpus)
        ident = f"{guest.kind}/{guest.vmid}"
        gauges = {
            "cpu_max": seen["cpus"],
            "disk_total": seen["maxdisk"],
            "mem_total": seen["maxmem"],
            "uptime": seen["uptime"],
        }
        if guest.running:
            gauges |= {"cpu_current": seen["cpu"], "mem_used": seen["mem"]}
            yield _metric(ident, at, "net_in", seen["netin"], "derive")
            yield _metric(ident, at, "net_out", seen["netout"], "derive")
        for name, value in gauges.items():
            yield _metric(ident, at, name, value)


def _of_storages(cluster: SimulatedCluster, node: Node, at: int) -> Iterator[dict[str, Any]]:
    for storage in cluster.storages.values():
        if storage.enabled and storage.allowed_on(node.name):
            ident = f"storage/{node.name}/{storage.name}"
            yield _metric(ident, at, "disk_total", storage.total)
            used = cluster.volumes.used(storage, node.name)
            yield _metric(ident, at, "disk_used", used)
