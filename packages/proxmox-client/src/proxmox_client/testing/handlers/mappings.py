"""Mappings of devices and directories to names the whole cluster knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxmox_client.testing import sections
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_NOUNS = {"pci": "hardware", "usb": "hardware", "dir": "directory"}


def _kind(call: Call) -> str:
    return call.route.path.split("/")[3]


def _file(call: Call) -> str:
    return f"mapping-{_kind(call)}"


def _row(cluster: SimulatedCluster, call: Call, entry: dict[str, Any]) -> dict[str, Any]:
    return {**entry, "type": _kind(call), "digest": sections.digest(cluster, _file(call))}


def _found(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    entry = sections.entries(cluster, _file(call)).get(call["id"])
    if entry is None:
        raise PveFault(500, f"mapping '{call['id']}' not found")
    return entry


@handles("GET", "/cluster/mapping/pci")
@handles("GET", "/cluster/mapping/usb")
@handles("GET", "/cluster/mapping/dir")
def list_mappings(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the mappings the caller may see; with a node, say what is wrong there."""
    wanted = ["Mapping.Modify", "Mapping.Use", "Mapping.Audit"]
    rows = [
        {**_row(cluster, call, entry), "id": name}
        for name, entry in sections.entries(cluster, _file(call)).items()
        if cluster.access.allows(
            call.identity, f"/mapping/{_kind(call)}/{name}", wanted, any_of=True
        )
    ]
    if "check-node" in call:
        key = "errors" if _kind(call) == "usb" else "checks"
        return [{**row, key: _problems(call, row)} for row in rows]
    return rows


def _problems(call: Call, row: dict[str, Any]) -> list[dict[str, str]]:
    """Complain about devices: simulated nodes have none."""
    entries = [dict(part.split("=", 1) for part in text.split(",")) for text in row["map"]]
    here = [entry for entry in entries if entry.get("node") == call["check-node"]]
    if not here:
        text = f"No mapping for node {call['check-node']}."
        return [{"severity": "warning", "message": text}]
    if _kind(call) != "usb":
        return []
    return [
        {
            "severity": "error",
            "message": f"Invalid configuration: usb device '{entry['id']}' not found\n",
        }
        for entry in here
    ]


@handles("GET", "/cluster/mapping/pci/{id}")
@handles("GET", "/cluster/mapping/usb/{id}")
@handles("GET", "/cluster/mapping/dir/{id}")
def read_mapping(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return one mapping."""
    return _row(cluster, call, _found(cluster, call))


@handles("POST", "/cluster/mapping/pci")
@handles("POST", "/cluster/mapping/usb")
@handles("POST", "/cluster/mapping/dir")
def create_mapping(cluster: SimulatedCluster, call: Call) -> None:
    """Make a mapping."""
    entries = sections.entries(cluster, _file(call))
    if call["id"] in entries:
        raise PveFault(
            500,
            f"create {_NOUNS[_kind(call)]} mapping failed:"
            f" {_kind(call)} ID '{call['id']}' already defined",
        )
    entries[call["id"]] = sections.options(call.params, "id")


@handles("PUT", "/cluster/mapping/pci/{id}")
@handles("PUT", "/cluster/mapping/usb/{id}")
@handles("PUT", "/cluster/mapping/dir/{id}")
def update_mapping(cluster: SimulatedCluster, call: Call) -> None:
    """Change a mapping."""
    _found(cluster, call)
    prefix = f"update {_NOUNS[_kind(call)]} mapping failed: "
    sections.change(cluster, _file(call), call["id"], call.params, "id", prefix=prefix)


@handles("DELETE", "/cluster/mapping/pci/{id}")
@handles("DELETE", "/cluster/mapping/usb/{id}")
@handles("DELETE", "/cluster/mapping/dir/{id}")
def delete_mapping(cluster: SimulatedCluster, call: Call) -> None:
    """Remove a mapping; one that is not there is no error."""
    sections.entries(cluster, _file(call)).pop(call["id"], None)
