"""The kinds of observed resources and what each is called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

KINDS: Final = ("node", "qemu", "lxc", "storage", "content", "pool")
"""The kinds every sync records, in the order people expect them; those of collections follow."""

SETTINGS: Final = (
    "user", "token", "tfa", "group", "role", "acl", "realm", "datacenter-options",
    "corosync-node", "corosync-totem",
    "firewall-options", "firewall-rules", "firewall-ipset", "firewall-alias", "firewall-group",
    "node-firewall-options", "node-firewall-rules", "guest-firewall", "vnet-firewall",
    "sdn-zone", "sdn-vnet", "sdn-controller", "sdn-ipam", "sdn-dns",
    "sdn-fabric", "sdn-fabric-node", "sdn-prefix-list", "sdn-route-map-entry",
    "ha-resource", "ha-rule", "ha-group",
    "backup-job", "replication-job", "realm-sync-job",
    "mapping-pci", "mapping-usb", "mapping-dir",
    "notification-sendmail", "notification-gotify", "notification-smtp", "notification-webhook",
    "notification-matcher", "metric-server", "acme-account", "acme-plugin", "cpu-model",
    "node-network", "node-dns", "node-hosts", "node-time", "node-config",
    "node-certificate", "node-repositories", "node-subscription",
    "node-disk", "node-directory", "node-lvm", "node-lvmthin", "node-zfs",
    "ceph-flag", "ceph-pool", "ceph-fs", "ceph-mon", "ceph-mgr", "ceph-mds", "ceph-config",
    "guest-snapshots",
)  # fmt: skip
"""The kinds of collections, which a sync records unless it is told to leave them out."""

NAME_OPTION: Final[Mapping[str, str]] = {"qemu": "name", "lxc": "hostname", "content": "volid"}
"""The option that holds the name, for kinds that are not called by their key."""


def display_name(kind: str, key: str, config: Mapping[str, Any]) -> str:
    """Return what people call a resource: a guest's name, a volume's volid, else its key."""
    option = NAME_OPTION.get(kind)
    return str(config[option]) if option is not None and config.get(option) else key


def sort_key(kind: str, key: str) -> tuple[int, str, int, str]:
    """Return what orders resources by kind, numbers by value and the rest by text."""
    rank = KINDS.index(kind) if kind in KINDS else len(KINDS)
    return rank, kind, int(key) if key.isdecimal() else 0, key
