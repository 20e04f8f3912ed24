"""Servers that figures are sent to; nothing is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxmox_client.testing import sections
from proxmox_client.testing.formats import split_list
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_FILE = "status"
_COMMON = frozenset(("server", "port", "mtu", "disable", "timeout"))
_OTEL = ("protocol", "path", "timeout", "headers", "verify-ssl", "max-body-size",
         "resource-attributes", "compression")  # fmt: skip
_OPTIONS = {
    "graphite": _COMMON | {"proto", "path"},
    "influxdb": _COMMON | {"organization", "bucket", "token", "influxdbproto", "max-body-size",
                           "api-path-prefix", "verify-certificate"},
    "opentelemetry": frozenset(("server", "port", "disable", *(f"otel-{name}" for name in _OTEL))),
}  # fmt: skip
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
    return {key: value for key, value in _found(cluster, call).items() if key != "token"}


@handles("POST", _ONE)
def create_server(cluster: SimulatedCluster, call: Call) -> None:
    """Add a server."""
    entries = sections.entries(cluster, _FILE)
    if call["id"] in entries:
        raise PveFault(500, f"Metric server '{call['id']}' already exists")
    entry = sections.options(call.params, "id")
    _check(cluster, entry)
    entries[call["id"]] = entry


def _check(cluster: SimulatedCluster, entry: dict[str, Any]) -> None:
    """Refuse options of other types, and servers that a connection finds not there."""
    kind = entry["type"]
    for key in entry:
        if key != "type" and key not in _OPTIONS[kind]:
            raise PveFault(500, f"unexpected property '{key}'")
    where = f"{entry['server']}:{entry['port']}"
    if entry.get("disable") or where in cluster.outside.mailboxes:
        return
    if kind == "graphite" and entry.get("proto") == "tcp":
        host = f"[{entry['server']}]:{entry['port']}"
        raise PveFault(500, f"couldn't create carbon socket {host} - Connection refused")
    if kind == "influxdb" and entry.get("influxdbproto", "udp") != "udp":
        raise PveFault(500, f"500 Can't connect to {where} (Connection refused)")
    if kind == "opentelemetry":
        text = f"500 Can't connect to {where} (Connection refused)"
        raise PveFault(500, f"Connection test failed: {text}")


@handles("PUT", _ONE)
def update_server(cluster: SimulatedCluster, call: Call) -> None:
    """Change a server."""
    changed = {**_found(cluster, call), **sections.options(call.params, "id")}
    for key in split_list(call.get("delete", "")):
        changed.pop(key, None)
    _check(cluster, changed)
    sections.change(cluster, _FILE, call["id"], call.params, "id")


@handles("DELETE", _ONE)
def delete_server(cluster: SimulatedCluster, call: Call) -> None:
    """Remove a server; one that is not there is no error."""
    sections.entries(cluster, _FILE).pop(call["id"], None)
