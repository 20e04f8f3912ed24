"""The kind Firewall: options, rules, aliases, sets and security groups of one level."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pmpc_reconcile.kinds import guest
from pmpc_reconcile.kinds.definition import Kind
from pmpc_reconcile.kinds.hooks import SETTINGS_HOOKS

_NAME: Final = r"[A-Za-z][A-Za-z0-9_-]*"
_LONG: Final = r"[A-Za-z][A-Za-z0-9_-]{1,63}"  # of an alias or a set
_SHORT: Final = r"[A-Za-z][A-Za-z0-9_-]{1,17}"  # of a group
_LOG: Final = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug", "nolog")
_ON: Final[Mapping[str, Any]] = {"type": "boolean"}
_NUMBER: Final[Mapping[str, Any]] = {"type": "integer", "min": 0}
_TEXT: Final[Mapping[str, Any]] = {"type": "string"}
_LEVEL: Final[Mapping[str, Any]] = {"type": "string", "allowed": list(_LOG)}
_POLICY: Final[Mapping[str, Any]] = {"type": "string", "allowed": ["ACCEPT", "DROP", "REJECT"]}

# The options of the three levels (PUT …/firewall/options), and what PVE takes when one is not set.
OPTIONS: Final[Mapping[str, Mapping[str, Mapping[str, Any]]]] = {
    "cluster": {
        "enable": _ON,
        "ebtables": _ON,
        "log_ratelimit": _TEXT,
        "policy_in": _POLICY,
        "policy_out": _POLICY,
        "policy_forward": {"type": "string", "allowed": ["ACCEPT", "DROP"]},
    },
    "node": {
        "enable": _ON,
        "nosmurfs": _ON,
        "tcpflags": _ON,
        "tcp_flags_log_level": _LEVEL,
        "smurf_log_level": _LEVEL,
        "log_level_in": _LEVEL,
        "log_level_out": _LEVEL,
        "log_level_forward": _LEVEL,
        "log_nf_conntrack": _ON,
        "ndp": _ON,
        "nf_conntrack_allow_invalid": _ON,
        "nf_conntrack_helpers": _TEXT,
        "nf_conntrack_max": _NUMBER,
        "nf_conntrack_tcp_timeout_established": _NUMBER,
        "nf_conntrack_tcp_timeout_syn_recv": _NUMBER,
        "nftables": _ON,
        "protection_synflood": _ON,
        "protection_synflood_burst": _NUMBER,
        "protection_synflood_rate": _NUMBER,
    },
    "guest": {
        "enable": _ON,
        "dhcp": _ON,
        "ipfilter": _ON,
        "macfilter": _ON,
        "ndp": _ON,
        "radv": _ON,
        "log_level_in": _LEVEL,
        "log_level_out": _LEVEL,
        "policy_in": _POLICY,
        "policy_out": _POLICY,
    },
}
OPTION_DEFAULTS: Final[Mapping[str, Mapping[str, str | int | bool]]] = {
    "cluster": {
        "enable": False,
        "ebtables": True,
        "policy_in": "DROP",
        "policy_out": "ACCEPT",
        "policy_forward": "ACCEPT",
    },
    "node": {
        "enable": True,
        "nosmurfs": True,
        "tcpflags": False,
        "ndp": True,
        "nftables": False,
        "log_nf_conntrack": False,
        "nf_conntrack_allow_invalid": False,
        "nf_conntrack_max": 262144,
        "nf_conntrack_tcp_timeout_established": 432000,
        "nf_conntrack_tcp_timeout_syn_recv": 60,
        "protection_synflood": False,
        "protection_synflood_burst": 1000,
        "protection_synflood_rate": 200,
        "tcp_flags_log_level": "nolog",
        "smurf_log_level": "nolog",
        "log_level_in": "nolog",
        "log_level_out": "nolog",
        "log_level_forward": "nolog",
    },
    "guest": {
        "enable": False,
        "dhcp": False,
        "ipfilter": False,
        "macfilter": True,
        "ndp": True,
        "radv": False,
        "log_level_in": "nolog",
        "log_level_out": "nolog",
        "policy_in": "DROP",
        "policy_out": "ACCEPT",
    },
}

RULE: Final[Mapping[str, Any]] = {
    "type": {"type": "string", "required": True, "allowed": ["in", "out", "forward", "group"]},
    "action": {"type": "string", "required": True, "regex": _NAME},
    "macro": {"type": "string", "regex": r"[A-Za-z0-9_+.-]+"},
    "iface": {"type": "string", "regex": r"\S+"},
    "source": {"type": "string", "empty": False},
    "dest": {"type": "string", "empty": False},
    "proto": {"type": "string", "regex": r"\S+"},
    "dport": {"type": "string", "empty": False},
    "sport": {"type": "string", "empty": False},
    "icmp-type": {"type": "string", "regex": r"\S+"},
    "log": _LEVEL,
    "comment": {"type": "string"},
    "enable": _ON,
}
_RULES: Final[Mapping[str, Any]] = {
    "type": "list",
    "schema": {"type": "dict", "schema": RULE},
    "check_with": "distinct_rules",
}

FIREWALL: Final = Kind(
    name="Firewall",
    guest=None,
    order=60,
    collection_path="/cluster/firewall",
    object_path="/cluster/firewall",
    config_path=None,
    config_method="PUT",
    name_option=None,
    identity="scope",
    flat=True,
    sections=("options", "aliases", "ipsets", "groups", "rules", "order"),
    spec={
        "node": {"type": "string", "regex": guest.NAME, "excludes": "guest"},
        "guest": {
            "type": ["integer", "string"],
            "check_with": "guest_reference",
            "excludes": "node",
        },
        "options": {
            "type": "dict",
            "schema": {**OPTIONS["guest"], **OPTIONS["node"], **OPTIONS["cluster"]},
        },
        "aliases": {
            "type": "dict",
            "keysrules": {"type": "string", "regex": _LONG},
            "valuesrules": {"type": "string", "check_with": "network_line"},
        },
        "ipsets": {
            "type": "dict",
            "keysrules": {"type": "string", "regex": _LONG},
            "valuesrules": {
                "type": "dict",
                "schema": {
                    "comment": {"type": "string"},
                    "entries": {
                        "type": "list",
                        "schema": {"type": "string", "check_with": "set_entry"},
                    },
                },
            },
        },
        "groups": {
            "type": "dict",
            "keysrules": {"type": "string", "regex": _SHORT},
            "valuesrules": {
                "type": "dict",
                "schema": {"comment": {"type": "string"}, "rules": _RULES},
            },
        },
        "rules": _RULES,
        "protect": {"type": "boolean"},
        "hooks": SETTINGS_HOOKS,
        "conflicts": guest.SPEC["conflicts"],
    },
)
