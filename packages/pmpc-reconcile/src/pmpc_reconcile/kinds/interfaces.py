"""The kind NodeNetwork: interfaces, bridges, bonds and VLANs of one node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pmpc_reconcile.kinds import guest
from pmpc_reconcile.kinds.definition import Kind
from pmpc_reconcile.kinds.hooks import SETTINGS_HOOKS

_IFACE: Final = r"[a-zA-Z][a-zA-Z0-9_]{1,19}([:.]\d+)?"
_ON: Final[Mapping[str, Any]] = {"type": "boolean"}
_TEXT: Final[Mapping[str, Any]] = {"type": "string", "empty": False}
_NUMBER: Final[Mapping[str, Any]] = {"type": "integer", "min": 0}
_LIST: Final[Mapping[str, Any]] = {"type": ["list", "string"]}

# Options of several entries whose order says nothing.
LISTS: Final = frozenset({"bridge_ports", "bridge_vids", "slaves", "ovs_ports", "ovs_bonds"})
# What PVE takes when an option is not set.
DEFAULTS: Final[Mapping[str, str | int | bool]] = {
    "autostart": False,
    "bridge_vlan_aware": False,
    "bridge_ports": "",
}

OPTIONS: Final[Mapping[str, Any]] = {
    "type": {
        "type": "string",
        "required": True,
        "allowed": ["bridge", "bond", "eth", "alias", "vlan", "OVSBridge", "OVSBond", "OVSPort",
                    "OVSIntPort"],
    },
    "cidr": _TEXT,
    "gateway": _TEXT,
    "cidr6": _TEXT,
    "gateway6": _TEXT,
    "autostart": _ON,
    "mtu": {"type": "integer", "min": 1280, "max": 65520},
    "comments": {"type": "string"},
    "bridge_ports": _LIST,
    "bridge_vlan_aware": _ON,
    "bridge_vids": _LIST,
    "slaves": _LIST,
    "bond_mode": {
        "type": "string",
        "allowed": ["balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad",
                    "balance-tlb", "balance-alb", "balance-slb", "lacp-balance-slb",
                    "lacp-balance-tcp"],
    },
    "bond-primary": _TEXT,
    "bond_xmit_hash_policy": {
        "type": "string",
        "allowed": ["layer2", "layer2+3", "layer3+4"],
    },
    "vlan-id": {"type": "integer", "min": 1, "max": 4094},
    "vlan-raw-device": _TEXT,
    "ovs_bridge": _TEXT,
    "ovs_bonds": _LIST,
    "ovs_ports": _LIST,
    "ovs_options": _TEXT,
    "ovs_tag": _NUMBER,
}  # fmt: skip

NODE_NETWORK: Final = Kind(
    name="NodeNetwork",
    guest=None,
    order=5,
    collection_path="/nodes/{node}/network",
    object_path="/nodes/{node}/network/{iface}",
    config_path=None,
    config_method="PUT",
    name_option=None,
    identity="node",
    flat=True,
    sections=("interfaces",),
    spec={
        "node": {"type": "string", "required": True, "regex": guest.NAME},
        "interfaces": {
            "type": "dict",
            "keysrules": {"type": "string", "regex": _IFACE},
            "valuesrules": {"type": "dict", "schema": OPTIONS},
        },
        "protect": {"type": "boolean"},
        "hooks": SETTINGS_HOOKS,
        "conflicts": guest.SPEC["conflicts"],
    },
)
