"""Which firewall file a path means, and the paths an operation of the firewall has."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from proxmox_client.testing.firewall.files import FirewallFile, firewall_file
from proxmox_client.testing.permissions import require
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import Handler, handles
from proxmox_client.testing.sdn.state import sdn

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_PREFIXES = {
    "cluster": ("/cluster/firewall",),
    "node": ("/nodes/{node}/firewall",),
    "guest": ("/nodes/{node}/qemu/{vmid}/firewall", "/nodes/{node}/lxc/{vmid}/firewall"),
    "vnet": ("/cluster/sdn/vnets/{vnet}/firewall",),
}
_F = TypeVar("_F", bound=Handler)


def in_scopes(method: str, tail: str, *scopes: str) -> Callable[[_F], _F]:
    """Mark a function as the handler of one operation in several scopes."""

    def mark(function: _F) -> _F:
        for scope in scopes:
            for prefix in _PREFIXES[scope]:
                handles(method, prefix + tail)(function)
        return function

    return mark


def scope_of(call: Call) -> str:
    """Name the scope a call is about: ``cluster``, ``node``, ``guest`` or ``vnet``."""
    path = call.route.path
    return next(
        scope for scope, prefixes in _PREFIXES.items() if any(path.startswith(p) for p in prefixes)
    )


def file_of(cluster: SimulatedCluster, call: Call) -> FirewallFile:
    """Return the file a call is about.

    A guest's file is cluster-wide and needs neither the guest nor its right node.

    Raises:
        PveFault: The virtual network is unknown or not the caller's.
    """
    scope = scope_of(call)
    match scope:
        case "node":
            return firewall_file(cluster, f"node/{call.node}")
        case "guest":
            return firewall_file(cluster, f"guest/{call['vmid']}")
        case "vnet":
            _require_vnet(cluster, call)
            return firewall_file(cluster, f"vnet/{call['vnet']}")
        case _:
            return firewall_file(cluster, "cluster")


def visible_files(cluster: SimulatedCluster, call: Call) -> tuple[FirewallFile, ...]:
    """Return the files whose aliases and sets a rule of this scope may name."""
    own, whole = file_of(cluster, call), firewall_file(cluster, "cluster")
    return (own,) if own is whole else (own, whole)


def _require_vnet(cluster: SimulatedCluster, call: Call) -> None:
    running = sdn(cluster).running["vnets"]
    if call["vnet"] not in running:
        raise PveFault(
            500,
            "invalid vnet specified at /usr/share/perl5/PVE/API2/Firewall/Helpers.pm line 54.",
        )
    zone = running[call["vnet"]]["zone"]
    wanted = ["SDN.Audit", "SDN.Allocate"] if call.route.method == "GET" else ["SDN.Allocate"]
    require(
        cluster.access,
        call.identity,
        f"/sdn/zones/{zone}/{call['vnet']}",
        wanted,
        any_of=True,
    )
