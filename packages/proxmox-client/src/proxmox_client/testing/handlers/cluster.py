"""Cluster-wide answers: resources, status, next id."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from proxmox_client.testing import corosync
from proxmox_client.testing.broadcast import FORGOTTEN_AFTER
from proxmox_client.testing.ha.state import ha, shown_state
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles
from proxmox_client.testing.sdn.state import sdn
from proxmox_client.testing.state import Guest, Node, Storage

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_FIGURES = ("cpu", "mem", "netin", "netout", "uptime", "disk", "maxmem", "maxdisk", "name")


@handles("GET", "/cluster/resources")
def resources(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List guests, nodes, storages, pools and networks; guests as of the last broadcast."""
    wanted = call.get("type")
    rows: list[dict[str, Any]] = []
    if wanted in (None, "vm"):
        rows.extend(_guests(cluster, call))
    if wanted in (None, "node"):
        rows.extend(_nodes(cluster, call))
    if wanted in (None, "storage"):
        rows.extend(_storages(cluster, call))
    if wanted is None:
        rows.extend(_pools(cluster, call))
        rows.extend(_networks(cluster, call))
    return rows


def _guests(cluster: SimulatedCluster, call: Call) -> Iterator[dict[str, Any]]:
    now = cluster.clock.now()
    pools = {vmid: pool.poolid for pool in cluster.pools.values() for vmid in pool.guests}
    everything = call.identity.is_root or cluster.access.allows(call.identity, "/", ["VM.Audit"])
    for vmid, guest in cluster.guests.items():
        if not everything and not cluster.access.allows(
            call.identity, f"/vms/{vmid}", ["VM.Audit"]
        ):
            continue
        row = guest_row(cluster, guest, now)
        if vmid in pools:
            row["pool"] = pools[vmid]
        yield row


def guest_row(cluster: SimulatedCluster, guest: Guest, now: float) -> dict[str, Any]:
    """Return a guest's entry as /cluster/resources and pools share it."""
    row: dict[str, Any] = {
        "id": f"{guest.kind}/{guest.vmid}",
        "type": guest.kind,
        "node": guest.node,
        "vmid": guest.vmid,
    }
    for live in ("lock", "tags"):
        if live in guest.config:
            row[live] = guest.config[live]
    if (state := shown_state(cluster, guest.vmid)) is not None:
        row["hastate"] = state
    said = cluster.broadcast.row(guest, now)
    if said is None:
        return row | {"status": "unknown"}
    row |= {name: said.get(name, 0) for name in _FIGURES}
    row["status"] = said["status"]
    row["maxcpu"] = said["cpus"]
    row["template"] = said.get("template", 0)
    row["memhost"] = said.get("memhost", 0)
    row["diskread"] = said.get("diskread", 0)
    row["diskwrite"] = said.get("diskwrite", 0)
    return row


def node_figures(cluster: SimulatedCluster, node: Node) -> dict[str, Any]:
    """Return what a node broadcasts about itself."""
    running = cluster.broadcast.running(node.name)
    local = cluster.storages.get("local")
    return {
        "cpu": round(min(0.95, 0.05 + 0.02 * running), 4),
        "maxcpu": node.cpus,
        "mem": min(node.memory, 1_173_868_544 + running * 268_435_456),
        "maxmem": node.memory,
        "disk": cluster.volumes.used(local, node.name) if local else 34_701_750_272,
        "maxdisk": node.disk,
        "uptime": int(node.broadcast_at - node.booted),
    }


def node_row(cluster: SimulatedCluster, call: Call, node: Node) -> dict[str, Any]:
    """Return a node's entry as /nodes and /cluster/resources share it."""
    row: dict[str, Any] = {"id": f"node/{node.name}", "node": node.name, "type": "node"}
    row["status"] = "online" if node.online else "offline"
    if cluster.clock.now() - node.broadcast_at > FORGOTTEN_AFTER:
        return row | {"status": "unknown"} if node.online else row
    row["level"] = ""
    if cluster.access.allows(call.identity, f"/nodes/{node.name}", ["Sys.Audit"]):
        figures = node_figures(cluster, node)
        # Of a node that is gone only the sizes are shown.
        row |= {name: figures[name] for name in figures if node.online or name[:3] == "max"}
    return row


def _nodes(cluster: SimulatedCluster, call: Call) -> Iterator[dict[str, Any]]:
    state = ha(cluster)
    known = state.node_status if state.services or state.leaving else {}
    for node in cluster.nodes.values():
        row = node_row(cluster, call, node)
        row |= {"cgroup-mode": 1} if node.broadcast_at else {}
        yield row | ({"hastate": known[node.name]} if node.name in known else {})


def _storages(cluster: SimulatedCluster, call: Call) -> Iterator[dict[str, Any]]:
    now = cluster.clock.now()
    for storage in cluster.storages.values():
        if not storage.enabled or not cluster.access.allows(
            call.identity, f"/storage/{storage.name}", ["Datastore.Audit"]
        ):
            continue
        for node in cluster.nodes.values():
            if storage.allowed_on(node.name):
                yield storage_row(cluster, storage, node, now)


def storage_row(
    cluster: SimulatedCluster, storage: Storage, node: Node, now: float
) -> dict[str, Any]:
    """Return a storage's entry as /cluster/resources and pools share it."""
    row: dict[str, Any] = {
        "id": f"storage/{node.name}/{storage.name}",
        "type": "storage",
        "storage": storage.name,
        "node": node.name,
        "plugintype": storage.type,
        "content": ",".join(storage.content),
        "shared": int(storage.shared),
    }
    if now - node.broadcast_at > FORGOTTEN_AFTER:
        return row | {"status": "unknown"}
    used = cluster.volumes.used(storage, node.name)
    return row | {"status": "available", "disk": used, "maxdisk": storage.total}


def _pools(cluster: SimulatedCluster, call: Call) -> Iterator[dict[str, Any]]:
    for poolid in cluster.pools:
        if cluster.access.allows(call.identity, f"/pool/{poolid}", ["Pool.Audit"]):
            yield {"id": f"/pool/{poolid}", "type": "pool", "pool": poolid}


def _networks(cluster: SimulatedCluster, call: Call) -> Iterator[dict[str, Any]]:
    state = sdn(cluster)
    for zone, nodes in (
        ("localnetwork", None),
        *((name, entry.get("nodes")) for name, entry in state.running["zones"].items()),
    ):
        if not cluster.access.allows(call.identity, f"/sdn/zones/{zone}", ["SDN.Audit"]):
            continue
        for node in cluster.nodes.values():
            if nodes and node.name not in nodes.split(","):
                continue
            row = {
                "id": f"network/{node.name}/zone/{zone}",
                "type": "network",
                "network-type": "zone",
                "network": zone,
                "node": node.name,
                "status": "ok",
            }
            if zone != "localnetwork":
                row["zone-type"] = state.running["zones"][zone]["type"]
            yield row


@handles("GET", "/cluster/status")
def status(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """Say who is in the cluster; ``local`` marks the node that answers."""
    known = corosync.config(cluster)
    rows: list[dict[str, Any]] = []
    if known is not None:
        rows.append(
            {
                "id": "cluster",
                "type": "cluster",
                "name": cluster.name,
                "nodes": len(cluster.nodes),
                "version": known["version"],
                "quorate": int(cluster.quorate),
            }
        )
    for node in cluster.nodes.values():
        rows.append(
            {
                "id": f"node/{node.name}",
                "type": "node",
                "name": node.name,
                "nodeid": corosync.node_id(cluster, node.name),
                "ip": node.address,
                "online": int(node.online),
                "local": int(node.name == call.via),
                "level": "",
            }
        )
    return rows


@handles("GET", "/cluster/nextid")
def next_id(cluster: SimulatedCluster, call: Call) -> str:
    """Return the lowest free guest id, or check that one is free; reserves nothing."""
    if "vmid" in call:
        if call["vmid"] in cluster.guests:
            raise PveFault.parameters({"vmid": f"VM {call['vmid']} already exists"})
        return str(call["vmid"])
    limits = cluster.files.get("datacenter", {}).get("next-id", "")
    span = dict(part.split("=", 1) for part in limits.split(",") if "=" in part)
    lower, upper = int(span.get("lower", 100)), int(span.get("upper", 1_000_000))
    free = next((vmid for vmid in range(lower, upper) if vmid not in cluster.guests), None)
    if free is None:
        raise PveFault(500, f"unable to get any free VMID in range [{lower}, {upper - 1}]")
    return str(free)
