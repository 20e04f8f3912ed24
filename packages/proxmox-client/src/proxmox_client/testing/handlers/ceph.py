"""Ceph, as nodes answer on which it is not installed; the simulated cluster has none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxmox_client import schema
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_MON = "/usr/bin/ceph-mon"
_BINARIES = {"mds": "/usr/bin/ceph-mds", "mgr": "/usr/bin/ceph-mgr", "mon": _MON}
_INDEXES: dict[str, tuple[str, ...]] = {
    "/cluster/ceph": ("metadata", "status", "flags"),
    "/nodes/{node}/ceph": (
        "cmd-safety", "cfg", "crush", "fs", "init", "log", "mds", "mgr", "mon", "osd", "pool",
        "restart", "rules", "start", "status", "stop",
    ),
    "/nodes/{node}/ceph/cfg": ("raw", "db", "value"),
    "/nodes/{node}/ceph/osd/{osdid}": ("metadata", "lv-info"),
    "/nodes/{node}/ceph/pool/{name}": ("status",),
}  # fmt: skip
_RELEASES = {"squid": ("19.2", 1), "tentacle": ("20.2", 0)}


def _index(cluster: SimulatedCluster, call: Call) -> list[dict[str, str]]:
    """List what is below."""
    return [{"name": name} for name in _INDEXES[call.route.path]]


def _absent(cluster: SimulatedCluster, call: Call) -> None:
    """Say that Ceph is not there."""
    raise PveFault(500, f"binary not installed: {_MON}")


@handles("GET", "/cluster/ceph/metadata")
def metadata(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return nothing about versions, and refuse the rest."""
    if call.get("scope") != "versions":
        _absent(cluster, call)
    return {}


@handles("POST", "/nodes/{node}/ceph/init")
def initialise(cluster: SimulatedCluster, call: Call) -> None:
    """Refuse to configure what is not installed."""
    raise PveFault(500, "Ceph Nautilus required - please run 'pveceph install'")


@handles("POST", "/nodes/{node}/ceph/mds/{name}")
@handles("POST", "/nodes/{node}/ceph/mgr/{id}")
@handles("POST", "/nodes/{node}/ceph/mon/{monid}")
def create_daemon(cluster: SimulatedCluster, call: Call) -> None:
    """Refuse to start a daemon whose program is not installed."""
    kind = call.route.path.split("/")[4]
    raise PveFault(500, f"binary not installed: {_BINARIES[kind]}")


@handles("GET", "/nodes/{node}/ceph/releases")
def releases(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the releases that could be installed."""
    return [
        {"release": name, "version": version, "available": 1, "is-default": default,
         "unsupported": 0}
        for name, (version, default) in _RELEASES.items()
    ]  # fmt: skip


_OWN = {
    ("GET", "/cluster/ceph/metadata"),
    ("POST", "/nodes/{node}/ceph/init"),
    ("POST", "/nodes/{node}/ceph/mds/{name}"),
    ("POST", "/nodes/{node}/ceph/mgr/{id}"),
    ("POST", "/nodes/{node}/ceph/mon/{monid}"),
    ("GET", "/nodes/{node}/ceph/releases"),
}
for _facts in schema.operations():
    if "ceph" in _facts.path.split("/") and (_facts.method, _facts.path) not in _OWN:
        _is_index = _facts.method == "GET" and _facts.path in _INDEXES
        handles(_facts.method, _facts.path)(_index if _is_index else _absent)
