"""Mappings of devices and directories to names the whole cluster knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxmox_client.testing import sections
from proxmox_client.testing.handlers import hardware
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
        return [{**row, key: _problems(cluster, call, row)} for row in rows]
    return rows


def _problems(cluster: SimulatedCluster, call: Call, row: dict[str, Any]) -> list[dict[str, str]]:
    """Say what is wrong with a mapping on the node that is asked."""
    node = call.via if call["check-node"] == "localhost" else call["check-node"]
    here = [entry for entry in map(_parts, row["map"]) if entry.get("node") == node]
    if not here:
        return [{"severity": "warning", "message": f"No mapping for node {node}."}]
    checks = {"pci": _pci_problem, "usb": _usb_problem, "dir": _no_problem}
    found = (checks[_kind(call)](cluster, node, row, entry) for entry in here)
    return [
        {"severity": "error", "message": f"Invalid configuration: {text}\n"}
        for text in found
        if text
    ]


def _parts(text: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in text.split(",") if "=" in part)


def _no_problem(
    cluster: SimulatedCluster, node: str, row: dict[str, Any], entry: dict[str, str]
) -> str:
    """Find nothing wrong with a directory: every path is thought to exist."""
    return ""


def _usb_problem(
    cluster: SimulatedCluster, node: str, row: dict[str, Any], entry: dict[str, str]
) -> str:
    found = [
        device
        for device in cluster.nodes[node].files.get("usb", [])
        if entry.get("path") in (None, f"{device['busnum']}-{device.get('usbpath', '')}")
    ]
    ids = [f"{device['vendid']}:{device['prodid']}" for device in found]
    if entry["id"] in ids:
        return ""
    if "path" in entry and ids:
        return f"'id' does not match for '{row['id']}' ({ids[0]} != {entry['id']})"
    return f"usb device '{entry.get('path', entry['id'])}' not found"


def _pci_problem(
    cluster: SimulatedCluster, node: str, row: dict[str, Any], entry: dict[str, str]
) -> str:
    known = {device["id"]: device for device in hardware.devices(cluster, node)}
    for path in entry.get("path", "").split(";"):
        full = path if "." in path else f"{path}.0"
        if full not in known:
            return f"pci device '{full}' not found"
        expected = _expected(known[full])
        for name in sorted(expected):
            theirs = expected[name]
            if theirs is None and name not in entry:
                continue
            if name not in entry:
                return f"missing expected property '{name}' for device '{full}'"
            if theirs is None:
                return f"unexpected property '{name}' configured for device '{full}'"
            mine = entry[name].replace("0x", "")
            if theirs != mine:
                return f"'{name}' does not match for '{row['id']}' ({theirs} != {mine})"
    return ""


def _expected(device: dict[str, Any]) -> dict[str, str | None]:
    def pair(first: str, second: str) -> str | None:
        if first not in device or second not in device:
            return None
        return f"{device[first]}:{device[second]}".replace("0x", "")

    return {
        "id": pair("vendor", "device"),
        "iommugroup": str(device["iommugroup"]) if "iommugroup" in device else None,
        "subsystem-id": pair("subsystem_vendor", "subsystem_device"),
    }


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
    _check_once(call)
    if call["id"] in entries:
        raise PveFault(
            500,
            f"create {_NOUNS[_kind(call)]} mapping failed:"
            f" {_kind(call)} ID '{call['id']}' already defined",
        )
    entries[call["id"]] = sections.options(call.params, "id")


def _check_once(call: Call) -> None:
    """Refuse a directory mapping that names a node more than once."""
    nodes = [_parts(text).get("node", "") for text in call.get("map", ())]
    for node in nodes:
        if _kind(call) == "dir" and nodes.count(node) > 1:
            raise PveFault(500, f"Node '{node}' is specified {nodes.count(node)} times.")


@handles("PUT", "/cluster/mapping/pci/{id}")
@handles("PUT", "/cluster/mapping/usb/{id}")
@handles("PUT", "/cluster/mapping/dir/{id}")
def update_mapping(cluster: SimulatedCluster, call: Call) -> None:
    """Change a mapping."""
    _found(cluster, call)
    _check_once(call)
    prefix = f"update {_NOUNS[_kind(call)]} mapping failed: "
    sections.change(cluster, _file(call), call["id"], call.params, "id", prefix=prefix)


@handles("DELETE", "/cluster/mapping/pci/{id}")
@handles("DELETE", "/cluster/mapping/usb/{id}")
@handles("DELETE", "/cluster/mapping/dir/{id}")
def delete_mapping(cluster: SimulatedCluster, call: Call) -> None:
    """Remove a mapping; one that is not there is no error."""
    sections.entries(cluster, _file(call)).pop(call["id"], None)
