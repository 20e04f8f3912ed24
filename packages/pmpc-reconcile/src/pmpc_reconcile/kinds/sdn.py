"""The kind Sdn: zones, virtual networks, subnets and controllers of the cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pmpc_reconcile.kinds import guest
from pmpc_reconcile.kinds.definition import Kind
from pmpc_reconcile.kinds.hooks import SETTINGS_HOOKS

_ID: Final = r"[A-Za-z][A-Za-z0-9]{1,7}"  # PVE: interface names are made of it
_CONTROLLER: Final = r"[A-Za-z][A-Za-z0-9_-]{0,62}[A-Za-z0-9]"
_ON: Final[Mapping[str, Any]] = {"type": "boolean"}
_TEXT: Final[Mapping[str, Any]] = {"type": "string", "empty": False}
_NUMBER: Final[Mapping[str, Any]] = {"type": "integer", "min": 0}
_LIST: Final[Mapping[str, Any]] = {"type": ["list", "string"], "empty": False}

# Options of several entries whose order says nothing.
LISTS: Final = frozenset(
    {"nodes", "exitnodes", "peers", "rt-import", "isis-ifaces", "secondary-controllers",
     "dhcp-range"}
)  # fmt: skip
# Those that go over the wire as several parameters of one name.
ARRAYS: Final = frozenset({"secondary-controllers", "dhcp-range"})
# What PVE takes when an option is not set.
DEFAULTS: Final[Mapping[str, str | int | bool]] = {
    "vlan-protocol": "802.1q",
    "vxlan-port": 4789,
    "vlanaware": False,
    "isolate-ports": False,
    "snat": False,
    "advertise-subnets": False,
    "exitnodes-local-routing": False,
    "bridge-disable-mac-learning": False,
    "disable-arp-nd-suppression": False,
    "ebgp": False,
    "bgp-multipath-as-path-relax": False,
}

OPTIONS: Final[Mapping[str, Mapping[str, Any]]] = {
    "zones": {
        "type": {
            "type": "string",
            "required": True,
            "allowed": ["simple", "vlan", "qinq", "vxlan", "evpn", "faucet"],
        },
        "bridge": _TEXT,
        "tag": _NUMBER,
        "mtu": _NUMBER,
        "nodes": _LIST,
        "peers": _LIST,
        "fabric": _TEXT,
        "ipam": _TEXT,
        "dhcp": {"type": "string", "allowed": ["dnsmasq"]},
        "dns": _TEXT,
        "dnszone": _TEXT,
        "reversedns": _TEXT,
        "controller": _TEXT,
        "secondary-controllers": _LIST,
        "vrf-vxlan": _NUMBER,
        "vxlan-port": _NUMBER,
        "vlan-protocol": {"type": "string", "allowed": ["802.1q", "802.1ad"]},
        "mac": _TEXT,
        "exitnodes": _LIST,
        "exitnodes-primary": _TEXT,
        "exitnodes-local-routing": _ON,
        "advertise-subnets": _ON,
        "bridge-disable-mac-learning": _ON,
        "disable-arp-nd-suppression": _ON,
        "rt-import": _LIST,
        "dp-id": _NUMBER,
    },
    "vnets": {
        "zone": {"type": "string", "required": True, "empty": False},
        "tag": _NUMBER,
        "alias": _TEXT,
        "vlanaware": _ON,
        "isolate-ports": _ON,
    },
    "subnets": {
        "vnet": {"type": "string", "required": True, "empty": False},
        "gateway": _TEXT,
        "snat": _ON,
        "dnszoneprefix": _TEXT,
        "dhcp-dns-server": _TEXT,
        "dhcp-range": _LIST,
    },
    "controllers": {
        "type": {
            "type": "string",
            "required": True,
            "allowed": ["evpn", "bgp", "isis", "faucet"],
        },
        "asn": _NUMBER,
        "peers": _LIST,
        "fabric": _TEXT,
        "node": _TEXT,
        "nodes": _LIST,
        "ebgp": _ON,
        "ebgp-multihop": _NUMBER,
        "loopback": _TEXT,
        "bgp-mode": {"type": "string", "allowed": ["auto", "external", "internal"]},
        "bgp-multipath-as-path-relax": _ON,
        "isis-domain": _TEXT,
        "isis-ifaces": _LIST,
        "isis-net": _TEXT,
        "peer-group-name": _TEXT,
        "route-map-in": _TEXT,
        "route-map-out": _TEXT,
    },
}
# The option whose presence is the item's, and by which we know that we made it.
MADE_BY: Final[Mapping[str, str]] = {
    "zones": "type",
    "vnets": "zone",
    "subnets": "vnet",
    "controllers": "type",
}


def _section(name: str, key: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        "type": "dict",
        "keysrules": {"type": "string", **key},
        "valuesrules": {"type": "dict", "schema": OPTIONS[name]},
    }


SDN: Final = Kind(
    name="Sdn",
    guest=None,
    order=6,
    collection_path="/cluster/sdn",
    object_path="/cluster/sdn",
    config_path=None,
    config_method="PUT",
    name_option=None,
    identity="cluster",
    flat=True,
    sections=("controllers", "zones", "vnets", "subnets"),
    spec={
        "zones": _section("zones", {"regex": _ID}),
        "vnets": _section("vnets", {"regex": _ID}),
        "subnets": _section("subnets", {"check_with": "network"}),
        "controllers": _section("controllers", {"regex": _CONTROLLER}),
        "protect": {"type": "boolean"},
        "hooks": SETTINGS_HOOKS,
        "conflicts": guest.SPEC["conflicts"],
    },
)
