"""Fabrics of software-defined networks (PVE 9) and the nodes in them."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from proxmox_client.testing.permissions import require
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles
from proxmox_client.testing.sdn import records
from proxmox_client.testing.sdn.state import Objects, sdn

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_TOP = "/cluster/sdn/fabrics"
_FABRIC = f"{_TOP}/fabric"
_NODES = f"{_TOP}/node/{{fabric_id}}"
_ONE_NODE = f"{_NODES}/{{node_id}}"
_HERE = "/nodes/{node}/sdn/fabrics/{fabric}"
_SEE = ("SDN.Audit", "SDN.Allocate")


def _may_see(cluster: SimulatedCluster, call: Call, fabric: str) -> bool:
    return cluster.access.allows(call.identity, f"/sdn/fabrics/{fabric}", _SEE, any_of=True)


def _absent(fabric: str) -> str:
    return f"fabric '{fabric}' does not exist in configuration"


@handles("GET", _TOP)
def index(cluster: SimulatedCluster, call: Call) -> list[dict[str, str]]:
    """List what is below."""
    return [{"subdir": name} for name in ("fabric", "node", "all")]


@handles("GET", f"{_TOP}/all")
def list_all(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """List fabrics and nodes in one answer."""
    return {"fabrics": list_fabrics(cluster, call), "nodes": list_nodes(cluster, call)}


# --- fabrics --------------------------------------------------------------------------------


@handles("GET", _FABRIC)
def list_fabrics(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the fabrics the caller may see."""
    objects, digest = records.view(cluster, call, "fabrics")
    extra = {"digest": digest} if digest else {}
    return [
        {"id": name, **entry, **extra}
        for name, entry in objects.items()
        if _may_see(cluster, call, name)
    ]


@handles("GET", f"{_FABRIC}/{{id}}")
def read_fabric(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return one fabric."""
    state, name = sdn(cluster), call["id"]
    entry = records.found(state.staged["fabrics"], name, _absent(name))
    return {"id": name, **entry, "digest": state.digest("fabrics")}


def _check_fabric(objects: Objects, name: str, entry: dict[str, Any], prefix: str) -> None:
    prefixes = [entry[key] for key in ("ip_prefix", "ip6_prefix") if key in entry]
    if entry["protocol"] == "ospf" and "area" not in entry:
        raise PveFault(500, f"{prefix}: missing field `area`")
    if not prefixes and entry["protocol"] in ("openfabric", "ospf"):
        raise PveFault(500, f"{prefix}: fabric '{name}' does not have any IP prefix configured")
    for other, known in objects.items():
        for key in ("ip_prefix", "ip6_prefix"):
            if other != name and key in entry and key in known:
                mine, theirs = (
                    ipaddress.ip_network(text, strict=False) for text in (entry[key], known[key])
                )
                if mine.overlaps(theirs):
                    text = f"overlapping IP prefixes: {entry[key]} and {known[key]}"
                    raise PveFault(500, f"{prefix}: {text}")


@handles("POST", _FABRIC)
def create_fabric(cluster: SimulatedCluster, call: Call) -> None:
    """Stage a fabric."""
    name, prefix = call["id"], "adding fabric failed"
    objects = records.writing(cluster, call, "fabrics", prefix).staged["fabrics"]
    if name in objects:
        raise PveFault(500, f"{prefix}: fabric '{name}' already exists in config")
    entry = records.fields(call, "id")
    _check_fabric(objects, name, entry, prefix)
    objects[name] = entry


@handles("PUT", f"{_FABRIC}/{{id}}")
def update_fabric(cluster: SimulatedCluster, call: Call) -> None:
    """Stage a change of a fabric; its protocol stays."""
    name, prefix = call["id"], "updating fabric failed"
    objects = records.writing(cluster, call, "fabrics", prefix).staged["fabrics"]
    entry = records.found(objects, name, _absent(name), prefix)
    if call["protocol"] != entry["protocol"]:
        raise PveFault(500, f"{prefix}: fabric '{name}' has a different protocol")
    entry = records.merged(entry, records.fields(call, "id"), call.get("delete", ()))
    _check_fabric(objects, name, entry, prefix)
    objects[name] = entry


@handles("DELETE", f"{_FABRIC}/{{id}}")
def delete_fabric(cluster: SimulatedCluster, call: Call) -> None:
    """Stage the removal of a fabric with its nodes, unless a zone or controller uses it."""
    name, prefix = call["id"], "deleting fabric failed"
    state = records.writing(cluster, call, "fabrics", prefix)
    records.found(state.staged["fabrics"], name, _absent(name), prefix)
    for section, noun in (("controllers", "EVPN controller"), ("zones", "VXLAN zone")):
        for user, entry in state.staged[section].items():
            if entry.get("fabric") == name:
                text = f'this fabric is still used in the {noun} "{user}"'
                raise PveFault(500, f"{prefix}: {text}")
    del state.staged["fabrics"][name]
    nodes = state.staged["fabric-nodes"]
    for key in [key for key, entry in nodes.items() if entry["fabric_id"] == name]:
        del nodes[key]


# --- nodes ----------------------------------------------------------------------------------


@handles("GET", f"{_TOP}/node")
@handles("GET", _NODES)
def list_nodes(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the nodes of one fabric or of all."""
    objects, digest = records.view(cluster, call, "fabric-nodes")
    extra = {"digest": digest} if digest else {}
    rows = [{**_names(key), **entry, **extra} for key, entry in objects.items()]
    return [
        row
        for row in rows
        if call.get("fabric_id", row["fabric_id"]) == row["fabric_id"]
        and _may_see(cluster, call, row["fabric_id"])
    ]


def _names(key: str) -> dict[str, str]:
    fabric, _, node = key.partition("/")
    return {"fabric_id": fabric, "node_id": node}


def _key(call: Call) -> str:
    return f"{call['fabric_id']}/{call['node_id']}"


def _absent_node(call: Call) -> str:
    return f"node '{call['node_id']}' does not exist in fabric '{call['fabric_id']}'"


@handles("GET", _ONE_NODE)
def read_node(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return one node of a fabric."""
    state = sdn(cluster)
    entry = records.found(state.staged["fabric-nodes"], _key(call), _absent_node(call))
    require(cluster.access, call.identity, f"/sdn/fabrics/{call['fabric_id']}", _SEE, any_of=True)
    return {**entry, "digest": state.digest("fabric-nodes")}


def _check_node(fabric: dict[str, Any], entry: dict[str, Any], prefix: str) -> None:
    if entry["protocol"] != fabric["protocol"]:
        text = "node has a different protocol than the referenced fabric"
        raise PveFault(500, f"{prefix}: {text}")
    for key, network in (("ip", "ip_prefix"), ("ip6", "ip6_prefix")):
        if key in entry and network in fabric:
            inside = ipaddress.ip_network(fabric[network], strict=False)
            if ipaddress.ip_address(entry[key]) not in inside:
                text = f"node IP {entry[key]} is outside the IP prefix {fabric[network]}"
                raise PveFault(500, f"{prefix}: {text} of the fabric")


@handles("POST", _NODES)
def create_node(cluster: SimulatedCluster, call: Call) -> None:
    """Stage a node's part in a fabric."""
    prefix, fabric_id = "adding node failed", call["fabric_id"]
    state = records.writing(cluster, call, "fabric-nodes", prefix)
    fabric = records.found(state.staged["fabrics"], fabric_id, _absent(fabric_id), prefix)
    nodes = state.staged["fabric-nodes"]
    if _key(call) in nodes:
        text = f"node '{call['node_id']}' already exists in config for fabric {fabric_id}"
        raise PveFault(500, f"{prefix}: {text}")
    entry = records.fields(call)
    _check_node(fabric, entry, prefix)
    for other in nodes.values():
        if other["fabric_id"] == fabric_id and "ip" in entry and other.get("ip") == entry["ip"]:
            text = f"fabric {fabric_id} contains nodes with duplicated IPs"
            raise PveFault(500, f"{prefix}: {text}")
    nodes[_key(call)] = entry


@handles("PUT", _ONE_NODE)
def update_node(cluster: SimulatedCluster, call: Call) -> None:
    """Stage a change of a node's part."""
    prefix = "updating node failed"
    state = records.writing(cluster, call, "fabric-nodes", prefix)
    nodes = state.staged["fabric-nodes"]
    entry = records.found(nodes, _key(call), _absent_node(call), prefix)
    entry = records.merged(entry, records.fields(call), call.get("delete", ()))
    _check_node(state.staged["fabrics"][call["fabric_id"]], entry, prefix)
    nodes[_key(call)] = entry


@handles("DELETE", _ONE_NODE)
def delete_node(cluster: SimulatedCluster, call: Call) -> None:
    """Stage the removal of a node's part."""
    prefix = "deleting node failed"
    state = records.writing(cluster, call, "fabric-nodes", prefix)
    nodes = state.staged["fabric-nodes"]
    records.found(nodes, _key(call), _absent_node(call), prefix)
    del nodes[_key(call)]


# --- what a node says -----------------------------------------------------------------------


def _running(cluster: SimulatedCluster, call: Call) -> dict[str, dict[str, Any]]:
    """Return the nodes of an applied fabric."""
    state = sdn(cluster)
    records.found(state.running["fabrics"], call["fabric"], _absent(call["fabric"]))
    return {
        entry["node_id"]: entry
        for entry in state.running["fabric-nodes"].values()
        if entry["fabric_id"] == call["fabric"]
    }


@handles("GET", _HERE)
def node_index(cluster: SimulatedCluster, call: Call) -> list[dict[str, str]]:
    """List what is below."""
    return [{"subdir": name} for name in ("routes", "neighbors", "interfaces")]


@handles("GET", f"{_HERE}/interfaces")
def interfaces(cluster: SimulatedCluster, call: Call) -> list[dict[str, str]]:
    """List the node's interfaces in a fabric."""
    mine = _running(cluster, call).get(call.node, {})
    names = [
        dict(part.split("=", 1) for part in text.split(",") if "=" in part).get("name", "")
        for text in mine.get("interfaces", ())
    ]
    rows = [{"name": name, "type": "Point-To-Point", "state": "Up"} for name in names]
    return [*rows, {"name": f"dummy_{call['fabric']}", "type": "Loopback", "state": "Up"}]


def _others(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    nodes = _running(cluster, call)
    known = ((name, entry) for name, entry in nodes.items() if name in cluster.nodes)
    return [entry for name, entry in known if name != call.node and cluster.nodes[name].online]


@handles("GET", f"{_HERE}/neighbors")
def neighbours(cluster: SimulatedCluster, call: Call) -> list[dict[str, str]]:
    """List the other nodes of a fabric that are there."""
    return [
        {"neighbor": entry["node_id"], "status": "Up", "uptime": "1h"}
        for entry in _others(cluster, call)
    ]


@handles("GET", f"{_HERE}/routes")
def routes(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the ways to the other nodes of a fabric."""
    return [
        {"route": f"{entry['ip']}/32", "via": [entry["ip"]]}
        for entry in _others(cluster, call)
        if "ip" in entry
    ]
