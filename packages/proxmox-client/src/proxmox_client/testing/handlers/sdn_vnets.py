"""Virtual networks and their subnets."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from proxmox_client.testing.permissions import require
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles
from proxmox_client.testing.sdn.checks import check_subnet, check_vnet, nested
from proxmox_client.testing.sdn.objects import Section
from proxmox_client.testing.sdn.state import SdnState, sdn

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_VNETS = Section("vnets", "vnet", "vnet", "sdn vnet '%s' does not exist", check_vnet)
_SUBNETS = Section("subnets", "subnet", "subnet", "sdn subnet '%s' does not exist")
_SEE = ("SDN.Audit", "SDN.Allocate")


def _vnet_zone(cluster: SimulatedCluster, call: Call, *privileges: str) -> str:
    """Return a network's zone, if the caller may do something about the network."""
    vnet = sdn(cluster).staged["vnets"].get(call["vnet"])
    if vnet is None:
        raise PveFault(500, f"sdn vnet '{call['vnet']}' does not exist")
    zone: str = vnet["zone"]
    path = f"/sdn/zones/{zone}/{call['vnet']}"
    require(cluster.access, call.identity, path, privileges, any_of=True)
    return zone


@handles("GET", "/cluster/sdn/vnets")
def list_vnets(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the networks."""
    return _VNETS.rows(cluster, call)


@handles("GET", "/cluster/sdn/vnets/{vnet}")
def read_vnet(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return one network."""
    return _VNETS.read(cluster, call)


@handles("POST", "/cluster/sdn/vnets")
def create_vnet(cluster: SimulatedCluster, call: Call) -> None:
    """Stage a new network."""
    _VNETS.create(cluster, call, call["vnet"], _VNETS.fields(call) | {"type": "vnet"})


@handles("PUT", "/cluster/sdn/vnets/{vnet}")
def update_vnet(cluster: SimulatedCluster, call: Call) -> None:
    """Stage a change of a network."""
    _vnet_zone(cluster, call, "SDN.Allocate")
    _VNETS.update(cluster, call, call["vnet"], _VNETS.fields(call))


@handles("DELETE", "/cluster/sdn/vnets/{vnet}")
def delete_vnet(cluster: SimulatedCluster, call: Call) -> None:
    """Stage the removal of a network without subnets."""
    _vnet_zone(cluster, call, "SDN.Allocate")

    def in_use(state: SdnState) -> str | None:
        if any(entry["vnet"] == call["vnet"] for entry in state.staged["subnets"].values()):
            return nested({"vnet": "Can't delete vnet if subnets exists"})
        return None

    _VNETS.delete(cluster, call, call["vnet"], in_use)


@handles("POST", "/cluster/sdn/vnets/{vnet}/ips")
@handles("PUT", "/cluster/sdn/vnets/{vnet}/ips")
@handles("DELETE", "/cluster/sdn/vnets/{vnet}/ips")
def change_address(cluster: SimulatedCluster, call: Call) -> None:
    """Accept an address for the IPAM; addresses are not kept."""


def _subnet_row(state: SdnState, name: str, entry: dict[str, Any]) -> dict[str, Any]:
    zone, network, mask = name.rsplit("-", 2)
    shown = {key: value for key, value in entry.items() if key != "pending"}
    return shown | {
        "id": name,
        "subnet": name,
        "zone": zone,
        "network": network,
        "mask": mask,
        "cidr": f"{network}/{mask}",
    } | ({"pending": entry["pending"]} if "pending" in entry else {})  # fmt: skip


@handles("GET", "/cluster/sdn/vnets/{vnet}/subnets")
def list_subnets(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List a network's subnets."""
    _vnet_zone(cluster, call, *_SEE)
    state = sdn(cluster)
    objects, digest = _SUBNETS.view(state, call)
    return [
        _subnet_row(state, name, entry) | {"digest": digest}
        for name, entry in objects.items()
        if call["vnet"] in (entry.get("vnet"), entry.get("pending", {}).get("vnet"))
    ]


@handles("GET", "/cluster/sdn/vnets/{vnet}/subnets/{subnet}")
def read_subnet(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return one subnet."""
    _vnet_zone(cluster, call, *_SEE)
    state = sdn(cluster)
    objects, digest = _SUBNETS.view(state, call)
    name = call["subnet"]
    if name not in objects:
        raise PveFault(500, f"sdn subnet '{name}' does not exist")
    return _subnet_row(state, name, objects[name]) | {"digest": digest}


def _subnet_fields(call: Call) -> dict[str, Any]:
    fields = _SUBNETS.fields(call)
    if "dhcp-range" in fields:
        fields["dhcp-range"] = [
            dict(part.split("=", 1) for part in text.split(",")) for text in fields["dhcp-range"]
        ]
    return fields | {"type": "subnet", "vnet": call["vnet"]}


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        complaint = "invalid format - value does not look like a valid CIDR network\n"
        raise PveFault.parameters({"subnet": complaint}) from None


@handles("POST", "/cluster/sdn/vnets/{vnet}/subnets")
def create_subnet(cluster: SimulatedCluster, call: Call) -> None:
    """Stage a new subnet; its id is made of zone and network."""
    zone = _vnet_zone(cluster, call, "SDN.Allocate")
    network = _network(call["subnet"])
    name = f"{zone}-{network.network_address}-{network.prefixlen}"
    entry = _subnet_fields(call)
    check_subnet(sdn(cluster), entry, str(network), "create sdn subnet object failed")
    _SUBNETS.create(cluster, call, name, entry)


@handles("PUT", "/cluster/sdn/vnets/{vnet}/subnets/{subnet}")
def update_subnet(cluster: SimulatedCluster, call: Call) -> None:
    """Stage a change of a subnet."""
    _vnet_zone(cluster, call, "SDN.Allocate")
    _SUBNETS.update(cluster, call, call["subnet"], _subnet_fields(call))


@handles("DELETE", "/cluster/sdn/vnets/{vnet}/subnets/{subnet}")
def delete_subnet(cluster: SimulatedCluster, call: Call) -> None:
    """Stage the removal of a subnet."""
    _vnet_zone(cluster, call, "SDN.Allocate")
    _SUBNETS.delete(cluster, call, call["subnet"], lambda state: None)
