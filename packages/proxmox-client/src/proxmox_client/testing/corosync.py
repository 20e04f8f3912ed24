"""Who is in the cluster, as corosync's configuration says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from proxmox_client.testing.digest import digest_of

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

Members = dict[str, dict[str, Any]]
"""By name: ``nodeid``, ``quorum_votes`` and ``ring0_addr``, all as text."""


def config(cluster: SimulatedCluster) -> dict[str, Any] | None:
    """Return name, version and members; None while a node is alone."""
    stored: dict[str, Any] | None = cluster.files.get("corosync")
    if stored is not None and "members" in stored:
        return stored
    if not cluster.name:
        return None
    made = {
        node.name: member(number, node.address)
        for number, node in enumerate(cluster.nodes.values(), start=1)
    }
    return {"name": cluster.name, "version": len(made), "members": made}


def member(number: int, address: str, votes: int = 1) -> dict[str, str]:
    """Make a member's entry."""
    return {"nodeid": str(number), "quorum_votes": str(votes), "ring0_addr": address}


def change(cluster: SimulatedCluster, members: Members, name: str | None = None) -> None:
    """Write the configuration anew, with a higher version."""
    before = config(cluster) or {"name": "", "version": 0}
    cluster.files["corosync"] = {
        "name": name or before["name"],
        "version": before["version"] + 1,
        "members": members,
    }


def free_number(members: Members) -> int:
    """Return the lowest node id nobody has."""
    taken = {int(entry["nodeid"]) for entry in members.values()}
    return next(number for number in range(1, len(taken) + 2) if number not in taken)


def node_id(cluster: SimulatedCluster, name: str) -> int:
    """Return a node's id; 0 while it is alone."""
    found = config(cluster)
    return int(found["members"][name]["nodeid"]) if found and name in found["members"] else 0


def totem(cluster: SimulatedCluster) -> dict[str, Any] | None:
    """Return corosync's general settings; None while a node is alone."""
    found = config(cluster)
    if found is None:
        return None
    return {
        "cluster_name": found["name"],
        "config_version": str(found["version"]),
        "interface": {"0": {"linknumber": "0"}},
        "ip_version": "ipv4-6",
        "link_mode": "passive",
        "secauth": "on",
        "token_coefficient": "125",
        "version": "2",
    }


def text(cluster: SimulatedCluster) -> str:
    """Return the configuration file."""
    found = config(cluster) or {"members": {}}
    blocks = [
        f"  node {{\n    name: {name}\n    nodeid: {entry['nodeid']}\n"
        f"    quorum_votes: {entry['quorum_votes']}\n    ring0_addr: {entry['ring0_addr']}\n  }}"
        for name, entry in found["members"].items()
    ]
    general = totem(cluster) or {}
    lines = [f"  {key}: {value}" for key, value in general.items() if key != "interface"]
    return (
        "logging {\n  debug: off\n  to_syslog: yes\n}\n\nnodelist {\n"
        + "\n".join(blocks)
        + "\n}\n\nquorum {\n  provider: corosync_votequorum\n}\n\ntotem {\n"
        + "\n".join(lines)
        + "\n  interface {\n    linknumber: 0\n  }\n}\n"
    )


def digest(cluster: SimulatedCluster) -> str:
    """Return the digest of the configuration."""
    return digest_of(json.dumps(config(cluster), sort_keys=True))
