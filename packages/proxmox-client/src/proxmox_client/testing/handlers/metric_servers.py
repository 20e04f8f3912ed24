"""Servers that figures are sent to; nothing is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxmox_client.testing import sections
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_FILE = "status"
_ONE = "/cluster/metrics/server/{id}"


def _found(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    entry = sections.entries(cluster, _FILE).get(call["id"])
    if entry is None:
        raise PveFault(500, f"status server entry '{call['id']}' does not exist")
    return entry


@handles("GET", "/cluster/metrics/server")
def list_servers(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the servers, each with what matters most."""
    return [
        {
            "id": name,
            "type": entry["type"],
            "server": entry["server"],
            "port": entry["port"],
            "disable": entry.get("disable", 0),
        }
        for name, entry in sections.entries(cluster, _FILE).items()
    ]


@handles("GET", _ONE)
def read_server(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return one server (without a digest)."""
    return dict(_found(cluster, call))


@handles("POST", _ONE)
def create_server(cluster: SimulatedCluster, call: Call) -> None:
    """Add a server."""
    entries = sections.entries(cluster, _FILE)
    if call["id"] in entries:
        raise PveFault(500, f"Metric server '{call['id']}' already exists")
    entries[call["id"]] = sections.options(call.params, "id")


@handles("PUT", _ONE)
def update_server(cluster: SimulatedCluster, call: Call) -> None:
    """Change a server."""
    _found(cluster, call)
    sections.change(cluster, _FILE, call["id"], call.params, "id")


@handles("DELETE", _ONE)
def delete_server(cluster: SimulatedCluster, call: Call) -> None:
    """Remove a server; one that is not there is no error."""
    sections.entries(cluster, _FILE).pop(call["id"], None)
