"""What tasks and lists hint at of collections: most edits of settings leave neither.

What nothing hints at is found by the sweep, or by a full sync.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from pmpc_state.discovery.collections.table import Collection
from pmpc_state.discovery.look import Listing
from pmpc_state.values.inventory import Knowledge, TaskSection

Name = tuple[str, str]
_GUESTS: Final = ("qemu", "lxc")
_DISKS: Final = ("node-disk", "node-directory", "node-lvm", "node-lvmthin", "node-zfs")
_PURGED: Final = (
    "acl", "backup-job", "replication-job", "ha-resource", "ha-rule", "firewall-ipset",
)  # fmt: skip
CHANGED_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "acmedeactivate": ("acme-account",),
    "acmenewcert": ("node-certificate",),
    "acmeregister": ("acme-account",),
    "acmerenew": ("node-certificate",),
    "acmerevoke": ("node-certificate",),
    "acmeupdate": ("acme-account",),
    "auth-realm-sync": ("user", "token", "group", "acl"),
    "clustercreate": ("corosync-node", "corosync-totem"),
    "clusterjoin": ("corosync-node", "corosync-totem"),
    "dircreate": _DISKS,
    "dirremove": _DISKS,
    "diskinit": _DISKS,
    "lvmcreate": _DISKS,
    "lvmremove": _DISKS,
    "lvmthincreate": _DISKS,
    "lvmthinremove": _DISKS,
    "qmdestroy": _PURGED,
    "reloadnetworkall": (
        "node-network", "sdn-zone", "sdn-vnet", "sdn-controller", "sdn-fabric", "sdn-fabric-node",
    ),
    "srvreload": ("node-network",),
    "vzdestroy": _PURGED,
    "wipedisk": _DISKS,
    "zfscreate": _DISKS,
    "zfsremove": _DISKS,
}  # fmt: skip
"""Type of a task to the collections it changes."""
_CEPH: Final = "ceph"
_SNAPSHOTS: Final = "guest-snapshots"
_STEPS: Final = ("snapshot", "delsnapshot", "rollback", "restore", "clone")


def hinted(
    listing: Listing, recorded: Knowledge, news: TaskSection, wanted: tuple[Collection, ...]
) -> Iterator[Name]:
    """Tell which lists, and which guests' parts, may have changed."""
    kinds = {one.kind for one in wanted}
    changed: set[str] = set()
    for task in news.tasks:
        changed.update(CHANGED_BY.get(task.type, ()))
        if task.type.startswith(_CEPH):
            changed.update(one.kind for one in wanted if one.is_ceph)
    changed.update(_listed(listing, recorded, wanted))
    yield from ((kind, "") for kind in changed & kinds)
    if _SNAPSHOTS in kinds:
        yield from ((_SNAPSHOTS, key) for key in _snapshotted(listing, news))


def _snapshotted(listing: Listing, news: TaskSection) -> Iterator[str]:
    touched = {task.object_id for task in news.tasks if task.type[2:] in _STEPS}
    for entry in listing.of_type(*_GUESTS):
        if str(entry["vmid"]) in touched:
            yield f"{entry['type']}/{entry['vmid']}"


def _listed(listing: Listing, recorded: Knowledge, wanted: tuple[Collection, ...]) -> Iterator[str]:
    """Compare what the cluster's list repeats of settings."""
    if set(listing.nodes) != set(recorded.get("node", ())):
        yield "corosync-node"
        yield from (one.kind for one in wanted if one.is_per_node)
    zones = {str(entry.get("sdn")) for entry in listing.of_type("sdn")}
    if "sdn-zone" in recorded and zones - set(recorded["sdn-zone"]) - _BUILT_IN:
        yield from ("sdn-zone", "sdn-vnet", "vnet-firewall")
    managed = {
        f"{entry['type']}/{entry['vmid']}"
        for entry in listing.of_type(*_GUESTS)
        if entry.get("hastate")
    }
    known = {
        f"{kind}/{key}"
        for kind in _GUESTS
        for key, one in recorded.get(kind, {}).items()
        if one.facts.get("hastate")
    }
    if managed != known:
        yield from ("ha-resource", "ha-rule")


_BUILT_IN: Final = frozenset({"localnetwork"})
"""A zone of every node's bridges, which is in no configuration."""
