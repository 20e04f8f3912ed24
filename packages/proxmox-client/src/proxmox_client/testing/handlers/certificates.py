"""Certificates of a node: reading them, uploading and removing the web interface's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxmox_client.testing import nodecertificates
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_CUSTOM = "/nodes/{node}/certificates/custom"


@handles("GET", "/nodes/{node}/certificates/info")
def list_certificates(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the node's certificates."""
    return nodecertificates.all_of(cluster, cluster.nodes[call.node])


@handles("POST", _CUSTOM)
def upload(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Put a certificate of one's own before the web interface."""
    node = cluster.nodes[call.node]
    there = nodecertificates.custom(node)
    if "key" not in call and there is None:
        text = "Attempted to upload custom certificate without (existing) key."
        raise PveFault.parameters({"key": text})
    if there is not None and not call.get("force"):
        text = "Custom certificate file exists but force flag is not set."
        raise PveFault(500, text)
    row = nodecertificates.read_pem(call["certificates"])
    node.files["certificate"] = row
    return row


@handles("DELETE", _CUSTOM)
def remove(cluster: SimulatedCluster, call: Call) -> None:
    """Remove the uploaded certificate; none is no error."""
    cluster.nodes[call.node].files.pop("certificate", None)
