"""What objects of the networks must look like, and PVE's words for what they may not."""

from __future__ import annotations

import ipaddress
from typing import Any

from proxmox_client.testing.request import PveFault
from proxmox_client.testing.sdn.state import SdnState

REQUIRED = {
    "vlan": ("bridge",),
    "qinq": ("bridge", "tag"),
    "evpn": ("controller", "vrf-vxlan"),
}
_VLAN_TAGS = 4096
_VXLAN_TAGS = 16777216


def nested(errors: dict[str, str]) -> str:
    """Write parameter errors as PVE does when it wraps them into a sentence of its own."""
    lines = "\n".join(f"{name}: {text}" for name, text in errors.items())
    return f"400 Parameter verification failed.\n{lines}"


def check_zone(state: SdnState, name: str, zone: dict[str, Any], prefix: str) -> None:
    """Refuse a zone that names what does not exist.

    Raises:
        PveFault: Status 500.
    """
    errors: dict[str, str] = {}
    for key in ("dns", "reversedns"):
        if (server := zone.get(key)) and server not in state.staged["dns"]:
            errors[key] = f"{server} don't exist"
    if zone.get("dnszone") and not zone.get("dns"):
        errors["dnszone"] = "missing dns server"
    if (ipam := zone.get("ipam")) and ipam not in state.staged["ipams"]:
        errors["ipam"] = f"{ipam} not existing"
    if zone["type"] == "vxlan" and ("peers" in zone) == ("fabric" in zone):
        text = "must have exactly one of peers / fabric defined"
        errors |= {"peers": text, "fabric": text}
    if errors:
        raise PveFault(500, f"{prefix}: {nested(errors)}")


def check_vnet(state: SdnState, name: str, vnet: dict[str, Any], prefix: str) -> None:
    """Refuse a virtual network that does not fit its zone.

    Raises:
        PveFault: Status 500.
    """
    zone = state.staged["zones"].get(vnet.get("zone", ""))
    if zone is None:
        raise PveFault(
            500,
            f"{prefix}: cannot lookup undefined type!"
            " at /usr/share/perl5/PVE/API2/Network/SDN/Vnets.pm line 326.",
        )
    if text := _tag_complaint(state, name, vnet, zone["type"]):
        raise PveFault(500, f"{prefix}: {nested({'tag': text})}")


def _tag_complaint(state: SdnState, name: str, vnet: dict[str, Any], kind: str) -> str | None:
    tag = vnet.get("tag")
    noun = "vxlan" if kind in ("vxlan", "evpn") else "vlan"
    limit = _VXLAN_TAGS if noun == "vxlan" else _VLAN_TAGS
    if kind == "simple":
        return "vlan tag is not allowed on simple zone" if tag is not None else None
    if tag is None:
        return None if kind == "qinq" else f"missing {noun} tag"
    if tag > limit:
        return f"{noun} tag max value is {limit}"
    for other, entry in state.staged["vnets"].items():
        if other != name and entry["zone"] == vnet["zone"] and entry.get("tag") == tag:
            return f"tag {tag} already exist in vnet {other}"
    return None


def check_subnet(state: SdnState, subnet: dict[str, Any], cidr: str, prefix: str) -> None:
    """Refuse a subnet that does not fit its network.

    Raises:
        PveFault: Status 500.
    """
    network = ipaddress.ip_network(cidr, strict=False)
    errors: dict[str, str] = {}
    vnet = state.staged["vnets"].get(subnet["vnet"])
    if vnet is None:
        errors["vnet"] = f"{subnet['vnet']} don't exist"
    elif vnet.get("vlanaware"):
        errors["vnet"] = "you can't add a subnet on a vlanaware vnet"
    gateway = subnet.get("gateway")
    if gateway and ipaddress.ip_address(gateway) not in network:
        errors["gateway"] = f"{gateway} is not in subnet {cidr}"
    for span in subnet.get("dhcp-range", ()):
        for end in ("start-address", "end-address"):
            if ipaddress.ip_address(span[end]) not in network:
                errors["dhcp-range"] = f"{end} {span[end]} is not in subnet {cidr}"
    if errors:
        raise PveFault(500, f"{prefix}: {nested(errors)}")
