"""The kind Pool: a named group of guests and storages, used for permissions."""

from __future__ import annotations

from typing import Final

from pmpc_reconcile.kinds import guest
from pmpc_reconcile.kinds.definition import Kind
from pmpc_reconcile.kinds.hooks import POOL_HOOKS

POOL: Final = Kind(
    name="Pool",
    guest=None,
    order=10,
    collection_path="/pools",
    object_path="/pools/{poolid}",
    config_path=None,
    config_method="PUT",
    name_option=None,
    identity="poolid",
    flat=True,
    sections=("comment", "guests", "storage"),
    spec={
        "comment": {"type": "string"},
        "storage": {"type": "list", "schema": {"type": "string", "regex": guest.STORAGE}},
        "guests": {
            "type": "list",
            "schema": {"type": ["integer", "string"], "check_with": "guest_reference"},
        },
        "protect": {"type": "boolean"},
        "hooks": POOL_HOOKS,
        "conflicts": guest.SPEC["conflicts"],
    },
)
