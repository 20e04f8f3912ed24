"""Corosync's configuration: reading it, making a cluster, joining one, leaving it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from proxmox_client.testing import corosync, joining
from proxmox_client.testing.joining import Wish
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles
from proxmox_client.testing.tasks import TaskRecord

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_API_VERSION = 1
_MEMBER = "/cluster/config/nodes/{node}"


@handles("GET", "/cluster/config/nodes")
def list_members(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the members; a node alone is in no cluster."""
    found = corosync.config(cluster)
    if found is None:
        return []
    return [{"node": name, "name": name, **entry} for name, entry in found["members"].items()]


@handles("GET", "/cluster/config/totem")
def read_totem(cluster: SimulatedCluster, call: Call) -> dict[str, Any] | None:
    """Return corosync's general settings."""
    return corosync.totem(cluster)


@handles("GET", "/cluster/config/qdevice")
def read_device(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return the external vote's state: there is none."""
    return {}


@handles("GET", "/cluster/config/apiversion")
def read_version(cluster: SimulatedCluster, call: Call) -> str:
    """Return the version of the way to join."""
    return str(_API_VERSION)


@handles("GET", "/cluster/config/join")
def read_join_information(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return what a node needs to know to join."""
    name, found = call.get("node", call.via), corosync.config(cluster)
    if found is None:
        text = "node is not in a cluster, no join info available!"
        raise PveFault(424, text, newline=False)
    if name not in found["members"]:
        raise PveFault(500, f"unknown node '{name}'")
    return {
        "preferred_node": name,
        "config_digest": corosync.digest(cluster),
        "totem": corosync.totem(cluster),
        "nodelist": [
            {
                "name": member,
                **entry,
                "pve_addr": cluster.nodes[member].address,
                "pve_fp": cluster.nodes[member].fingerprint,
            }
            for member, entry in found["members"].items()
            if member in cluster.nodes
        ],
    }


def _address(call: Call) -> str | None:
    """Return the address given for the first link, if one is."""
    text: str = call.sent.get("link0", "")
    parts = (part.partition("=") for part in text.split(",") if part)
    given = {(key if equals else "address"): value or key for key, equals, value in parts}
    return given.get("address")


@handles("POST", "/cluster/config")
def create_cluster(cluster: SimulatedCluster, call: Call) -> str:
    """Make a cluster of a node that is alone."""
    if corosync.config(cluster) is not None:
        raise PveFault(500, "cluster config '/etc/pve/corosync.conf' already exists")
    node = cluster.nodes[call.node]
    address = _address(call) or node.address
    member = corosync.member(call.get("nodeid", 1), address, call.get("votes", 1))

    def work(task: TaskRecord) -> Iterator[float]:
        yield from joining.create(cluster, call.node, call["clustername"], member, task)

    name = call["clustername"]
    return cluster.tasks.start(
        call.node, "clustercreate", work, id=name, user=call.identity.authid
    )  # fmt: skip


@handles("POST", "/cluster/config/join")
def join_cluster(cluster: SimulatedCluster, call: Call) -> str:
    """Join this node to another one's cluster; whatever is wrong shows in the task."""
    wish = Wish(
        call["hostname"],
        call["password"],
        call["fingerprint"],
        call.get("votes", 1),
        call.get("nodeid"),
        _address(call),
        bool(call.get("force")),
    )

    def work(task: TaskRecord) -> Iterator[float]:
        yield from joining.join(cluster, call.node, wish, task)

    return cluster.tasks.start(call.node, "clusterjoin", work, user=call.identity.authid)


@handles("POST", _MEMBER)
def add_member(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Take a node up into the configuration; the node itself asks for this when it joins."""
    version = call.get("apiversion", 0)
    if version < _API_VERSION:
        text = f"unsupported old API version on joining node ({version}, cluster node has"
        raise PveFault(500, f"{text} {_API_VERSION}), please upgrade before joining")
    address = _address(call) or call.get("new_node_ip")
    if address is None:
        text = "no links and no fallback ip (new_node_ip) given, cannot join cluster"
        raise PveFault(500, text)
    joining.add(
        cluster,
        call["node"],
        address,
        call.get("votes", 1),
        call.get("nodeid"),
        force=bool(call.get("force")),
    )
    key = base64.b64encode(cluster.random.randbytes(128)).decode()
    return {"corosync_authkey": key, "corosync_conf": corosync.text(cluster), "warnings": []}


@handles("DELETE", _MEMBER)
def remove_member(cluster: SimulatedCluster, call: Call) -> None:
    """Take a node out of the cluster."""
    if call["node"] == call.via:
        raise PveFault(500, "Cannot delete myself from cluster!")
    joining.remove(cluster, call["node"])
