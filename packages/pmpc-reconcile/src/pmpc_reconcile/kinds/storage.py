"""The kind Storage: where volumes lie, as configured for the cluster."""

from __future__ import annotations

from typing import Final

from pmpc_reconcile.kinds import guest
from pmpc_reconcile.kinds.definition import Kind
from pmpc_reconcile.kinds.hooks import SETTINGS_HOOKS

TYPES: Final = (
    "btrfs", "cephfs", "cifs", "dir", "esxi", "iscsi", "iscsidirect", "lvm", "lvmthin", "nfs",
    "pbs", "rbd", "zfs", "zfspool",
)  # fmt: skip

STORAGE: Final = Kind(
    name="Storage",
    guest=None,
    order=4,
    collection_path="/storage",
    object_path="/storage/{storage}",
    config_path="/storage/{storage}",
    config_method="PUT",
    name_option=None,
    identity="storage",
    sections=("config",),
    control=frozenset({"storage", "delete", "digest", "create-base-path", "create-subdirs"}),
    reserved={
        "type": "write it as spec.type",
        "storage": "it is metadata.name",
        "maxfiles": "it is an old name; write prune-backups: {keep-last: 3}",
    },
    # What PVE fixes when a storage is made.
    create_only=frozenset(
        {"authsupported", "base", "datastore", "export", "iscsiprovider", "path", "portal",
         "share", "target", "thinpool", "vgname", "volume"}
    ),
    spec={
        "type": {"type": "string", "required": True, "allowed": list(TYPES)},
        "protect": {"type": "boolean"},
        "hooks": SETTINGS_HOOKS,
        "conflicts": guest.SPEC["conflicts"],
    },
)  # fmt: skip
