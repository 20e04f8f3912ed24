"""What a node's machine can do: processors, machine types, PCI and USB devices."""

from __future__ import annotations

import functools
import json
import re
from importlib import resources
from typing import TYPE_CHECKING, Any

from proxmox_client.testing import sections
from proxmox_client.testing.formats import split_list
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_UNWANTED = "05;06;0b"
_PCI_ID = re.compile(r"(?:[0-9a-fA-F]{4}:)?[0-9a-fA-F]{2}:[0-9a-fA-F]{2}\.[0-9a-fA-F]")


@functools.cache
def _facts() -> dict[str, Any]:
    text = resources.files("proxmox_client.testing").joinpath("hardware.json").read_text()
    found: dict[str, Any] = json.loads(text)
    return found


def _row(name: str, nodes: list[str]) -> dict[str, Any]:
    note = _facts()["flag-notes"].get(name)
    row: dict[str, Any] = {"name": name, "supported-on": nodes}
    return row | ({"description": note} if note else {})


@handles("GET", "/cluster/qemu/cpu-flags")
def all_flags(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List every processor flag QEMU knows, and the nodes that have it."""
    nodes = list(cluster.nodes)
    rows = [_row(name, nodes) for name in _facts()["cpu-flags"]]
    return rows + [_row(name, []) for name in _facts()["cpu-flags-elsewhere"]]


@handles("GET", "/nodes/{node}/capabilities/qemu/cpu-flags")
def machine_flags(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the flags that may be set for a single machine."""
    here = set(_facts()["cpu-flags"])
    nodes = list(cluster.nodes)
    return [_row(name, nodes if name in here else []) for name in _facts()["vm-flags"]]


@handles("GET", "/nodes/{node}/capabilities/qemu/cpu")
def processors(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List processor models: QEMU's and the cluster's own."""
    rows: list[dict[str, Any]] = [
        {"name": name, "vendor": vendor, "custom": 0}
        for vendor, names in _facts()["cpu-models"].items()
        for name in names
    ]
    for row in rows:
        if row["name"].startswith("x86-64-v"):
            row["abstract"] = 1
    if cluster.access.allows(call.identity, "/nodes", ["Sys.Audit"]):
        vendors = {row["name"]: row["vendor"] for row in rows}
        for name, entry in sections.entries(cluster, "cpu-models").items():
            vendor = vendors.get(str(entry.get("reported-model", "kvm64")), "default")
            rows.append({"name": f"custom-{name}", "vendor": vendor, "custom": 1})
    return rows


@handles("GET", "/nodes/{node}/capabilities/qemu/machines")
def machines(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List machine types, the newest first."""
    rows: list[dict[str, Any]] = []
    for kind, versions in _facts()["machines"].items():
        for version in versions:
            row = {"id": f"pc-{kind}-{version}", "type": kind, "version": version}
            if "+pve" in version:
                row["changes"] = "Changes of Proxmox VE's own."
            rows.append(row)
    return rows


@handles("GET", "/nodes/{node}/hardware/pci")
def pci_devices(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List PCI devices; bridges, memory and processors are left out unless asked for."""
    unwanted = tuple(
        f"0x{prefix}" for prefix in split_list(call.get("pci-class-blacklist", _UNWANTED))
    )
    rows = [row for row in devices(cluster, call.node) if not row["class"].startswith(unwanted)]
    if call.get("verbose", 1):
        return rows
    return [{"id": row["id"], "class": row["class"]} for row in rows]


def devices(cluster: SimulatedCluster, node: str) -> list[dict[str, Any]]:
    """Return a node's PCI devices; a test may put others in the node's files."""
    found: list[dict[str, Any]] = cluster.nodes[node].files.get("pci", _facts()["pci"])
    return [dict(row) for row in found]


@handles("GET", "/nodes/{node}/hardware/pci/{pci-id-or-mapping}/mdev")
def mediated_types(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the mediated device types of a PCI device, or of all devices of a mapping."""
    wanted = call["pci-id-or-mapping"]
    if _PCI_ID.fullmatch(wanted):
        paths = [wanted]
    else:
        entry = sections.entries(cluster, "mapping-pci").get(wanted)
        if entry is None:
            raise PveFault(500, f"PCI mapping '{wanted}' not found")
        parts = [dict(part.split("=", 1) for part in text.split(",")) for text in entry["map"]]
        paths = [part["path"] for part in parts if part.get("node") == call.node]
    rows = [row for row in devices(cluster, call.node) if row["id"] in paths]
    return [mdev for row in rows for mdev in row.get("mdev-types", [])]


@handles("GET", "/nodes/{node}/hardware/usb")
def usb_devices(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List USB devices."""
    found: list[dict[str, Any]] = cluster.nodes[call.node].files.get("usb", [])
    return [dict(row) for row in found]
