"""Corosync's configuration, as far as it can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster


def _members(cluster: SimulatedCluster) -> list[dict[str, Any]]:
    if len(cluster.nodes) == 1:
        return []
    return [
        {
            "node": node.name,
            "name": node.name,
            "nodeid": str(number),
            "quorum_votes": "1",
            "ring0_addr": node.address,
        }
        for number, node in enumerate(cluster.nodes.values(), start=1)
    ]


def _totem(cluster: SimulatedCluster) -> dict[str, Any] | None:
    if len(cluster.nodes) == 1:
        return None
    return {
        "cluster_name": "pmpc",
        "config_version": str(len(cluster.nodes)),
        "interface": {"0": {"linknumber": "0"}},
        "ip_version": "ipv4-6",
        "link_mode": "passive",
        "secauth": "on",
        "version": "2",
    }


@handles("GET", "/cluster/config/nodes")
def list_members(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the members; a node alone is in no cluster."""
    return _members(cluster)


@handles("GET", "/cluster/config/totem")
def read_totem(cluster: SimulatedCluster, call: Call) -> dict[str, Any] | None:
    """Return corosync's general settings."""
    return _totem(cluster)


@handles("GET", "/cluster/config/qdevice")
def read_device(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return the external vote's state: there is none."""
    return {}


@handles("GET", "/cluster/config/apiversion")
def read_version(cluster: SimulatedCluster, call: Call) -> str:
    """Return the version of the way to join."""
    return "1"


@handles("GET", "/cluster/config/join")
def read_join_information(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return what a node needs to know to join."""
    name = call.get("node", call.via)
    if len(cluster.nodes) == 1:
        text = "node is not in a cluster, no join info available!"
        raise PveFault(424, text, newline=False)
    if name not in cluster.nodes:
        raise PveFault(500, f"unknown node '{name}'")
    members = _members(cluster)
    return {
        "preferred_node": name,
        "config_digest": "0" * 40,
        "totem": _totem(cluster),
        "nodelist": [
            {
                **member,
                "pve_addr": cluster.nodes[member["name"]].address,
                "pve_fp": cluster.nodes[member["name"]].fingerprint,
            }
            for member in members
        ],
    }
