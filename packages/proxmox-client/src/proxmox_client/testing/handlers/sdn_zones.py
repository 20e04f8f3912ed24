"""Zones, controllers, IPAM and DNS servers of software-defined networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles
from proxmox_client.testing.sdn.checks import REQUIRED, check_zone
from proxmox_client.testing.sdn.objects import Section
from proxmox_client.testing.sdn.state import SdnState

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_SECTIONS = {
    "zone": Section("zones", "zone", "zone", check=check_zone),
    "controller": Section("controllers", "controller", "controller"),
    "ipam": Section("ipams", "ipam", "ipam"),
    "dns": Section("dns", "dns", "dns"),
}


def _section(call: Call) -> Section:
    folder = call.route.path.split("/")[3]
    return next(section for section in _SECTIONS.values() if section.name == folder)


@handles("GET", "/cluster/sdn/zones")
@handles("GET", "/cluster/sdn/controllers")
@handles("GET", "/cluster/sdn/ipams")
@handles("GET", "/cluster/sdn/dns")
def list_objects(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the objects of a kind."""
    return _section(call).rows(cluster, call)


@handles("GET", "/cluster/sdn/zones/{zone}")
@handles("GET", "/cluster/sdn/controllers/{controller}")
@handles("GET", "/cluster/sdn/ipams/{ipam}")
@handles("GET", "/cluster/sdn/dns/{dns}")
def read_object(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return one object."""
    return _section(call).read(cluster, call)


@handles("POST", "/cluster/sdn/zones")
@handles("POST", "/cluster/sdn/controllers")
@handles("POST", "/cluster/sdn/ipams")
@handles("POST", "/cluster/sdn/dns")
def create_object(cluster: SimulatedCluster, call: Call) -> None:
    """Stage a new object."""
    section = _section(call)
    for needed in REQUIRED.get(call["type"], ()) if section.name == "zones" else ():
        if needed not in call:
            raise PveFault(500, f"missing value for required option '{needed}'")
    section.create(cluster, call, call[section.key], section.fields(call))


@handles("PUT", "/cluster/sdn/zones/{zone}")
@handles("PUT", "/cluster/sdn/controllers/{controller}")
@handles("PUT", "/cluster/sdn/ipams/{ipam}")
@handles("PUT", "/cluster/sdn/dns/{dns}")
def update_object(cluster: SimulatedCluster, call: Call) -> None:
    """Stage a change."""
    section = _section(call)
    section.update(cluster, call, call[section.key], section.fields(call))


@handles("DELETE", "/cluster/sdn/zones/{zone}")
@handles("DELETE", "/cluster/sdn/controllers/{controller}")
@handles("DELETE", "/cluster/sdn/ipams/{ipam}")
@handles("DELETE", "/cluster/sdn/dns/{dns}")
def delete_object(cluster: SimulatedCluster, call: Call) -> None:
    """Stage a removal."""
    section = _section(call)
    name = call[section.key]

    def in_use(state: SdnState) -> str | None:
        return _user_of(state, section, name)

    section.delete(cluster, call, name, in_use)


def _user_of(state: SdnState, section: Section, name: str) -> str | None:
    if section.name == "zones":
        for vnet, entry in state.staged["vnets"].items():
            if entry["zone"] == name:
                return (
                    f"zone {name} is used by vnet {vnet}"
                    " at /usr/share/perl5/PVE/Network/SDN/Zones/Plugin.pm line 149."
                )
        return None
    for zone, entry in state.staged["zones"].items():
        if name in (entry.get(section.key), entry.get("reversedns")):
            return f"{section.noun} {name} is used by {zone}"
    return None


@handles("GET", "/cluster/sdn/ipams/{ipam}/status")
def read_addresses(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the addresses an IPAM gave out; guests get none here."""
    return []
