"""Custom CPU models of the cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxmox_client.testing import sections
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_FILE = "cpu-models"
_ALL = "/cluster/qemu/custom-cpu-models"


def _name(call: Call) -> str:
    return str(call["cputype"]).removeprefix("custom-")


def _row(cluster: SimulatedCluster, name: str) -> dict[str, Any]:
    entry = sections.entries(cluster, _FILE)[name]
    return {
        **entry,
        "cputype": f"custom-{name}",
        "digest": sections.digest(cluster, _FILE),
    }


def _require(cluster: SimulatedCluster, name: str) -> None:
    if name not in sections.entries(cluster, _FILE):
        raise PveFault(500, f"Custom cputype 'custom-{name}' not found")


@handles("GET", _ALL)
def list_models(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the models."""
    return [_row(cluster, name) for name in sections.entries(cluster, _FILE)]


@handles("GET", _ALL + "/{cputype}")
def read_model(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return one model; it is found with and without its prefix."""
    _require(cluster, _name(call))
    return _row(cluster, _name(call))


@handles("POST", _ALL)
def create_model(cluster: SimulatedCluster, call: Call) -> None:
    """Make a model."""
    entries, name = sections.entries(cluster, _FILE), _name(call)
    if name in entries:
        raise PveFault(500, f"custom CPU model 'custom-{name}' already exists")
    entries[name] = sections.options(call.params, "cputype")


@handles("PUT", _ALL + "/{cputype}")
def update_model(cluster: SimulatedCluster, call: Call) -> None:
    """Change a model."""
    _require(cluster, _name(call))
    sections.change(cluster, _FILE, _name(call), call.params, "cputype")


@handles("DELETE", _ALL + "/{cputype}")
def delete_model(cluster: SimulatedCluster, call: Call) -> None:
    """Remove a model."""
    _require(cluster, _name(call))
    del sections.entries(cluster, _FILE)[_name(call)]
