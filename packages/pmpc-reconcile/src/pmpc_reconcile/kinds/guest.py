"""What virtual machines and containers have in common in a manifest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pmpc_reconcile.kinds.hooks import GUEST_HOOKS

# PVE: lower-case or upper-case letters, digits, `.`, `-` and `_`, beginning with a letter or digit.
NAME: Final = r"[A-Za-z0-9][A-Za-z0-9._-]*"
POOL: Final = r"[A-Za-z0-9][A-Za-z0-9._/-]*"
STORAGE: Final = r"[A-Za-z][A-Za-z0-9._-]*"

STATES: Final = ("running", "stopped")
POLICIES: Final = ("never", "on-demand", "window", "automatic")
RESOLUTIONS: Final = ("ours", "theirs", "ignore")

CONTROL: Final = frozenset(
    {"node", "vmid", "delete", "digest", "revert", "skiplock", "force", "background_delay"}
)

RESERVED: Final[Mapping[str, str]] = {
    "lock": "locks belong to PVE's own tasks",
    "template": "turning a guest into a template is not part of a manifest",
    "pool": "write it as spec.pool",
    "vmid": "write it as spec.vmid",
    "node": "write it as spec.placement.nodes",
    "start": "write it as spec.state: running",
    "unused": "unused volumes appear by themselves when a disk is detached",
    "ha-managed": "high availability is not managed by this kind",
    "storage": "name the storage with each disk: {storage: local-lvm, size: 32G}",
    "digest": "it is computed by PVE",
    "meta": "it is written by PVE",
    "parent": "it is written by PVE",
}

CLONE: Final[Mapping[str, Any]] = {
    "type": "dict",
    "schema": {
        "template": {"type": ["string", "integer"], "required": True, "empty": False},
        "full": {"type": "boolean"},
        "storage": {"type": "string", "regex": STORAGE},
    },
}

SPEC: Final[Mapping[str, Any]] = {
    "vmid": {"type": "integer", "min": 100, "max": 999_999_999},
    "placement": {
        "type": "dict",
        "schema": {
            "nodes": {
                "type": "list",
                "minlength": 1,
                "schema": {"type": "string", "regex": NAME},
            }
        },
    },
    "state": {"type": "string", "allowed": list(STATES)},
    "pool": {"type": "string", "regex": POOL},
    "restart": {
        "type": "dict",
        "schema": {
            "policy": {"type": "string", "allowed": list(POLICIES)},
            "window": {"type": "string", "empty": False},
        },
    },
    "protect": {"type": "boolean"},
    "hooks": GUEST_HOOKS,
    "replace": {"type": "string", "allowed": ["forbid", "allow"]},
    "acceptDataLoss": {"type": "integer", "min": 100, "max": 999_999_999},
    "conflicts": {
        "type": "dict",
        "valuesrules": {"type": "string", "allowed": list(RESOLUTIONS)},
    },
}
