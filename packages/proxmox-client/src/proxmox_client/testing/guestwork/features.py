"""What storages can do with a volume: snapshot it, clone it without copying, hold its format."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from proxmox_client.testing.guests.drives import Drive, drives
from proxmox_client.testing.guests.guest import Guest
from proxmox_client.testing.state import Storage
from proxmox_client.testing.volumes import FILE_TYPES

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_SNAPSHOTS = frozenset(("lvmthin", "zfspool", "rbd", "btrfs"))


def stored_format(storage: Storage, volid: str) -> str:
    """Return the format a volume's name says."""
    if storage.type not in FILE_TYPES:
        return "raw"
    return volid.rpartition(".")[2]


def can_snapshot(cluster: SimulatedCluster, volid: str) -> bool:
    """Whether a volume's storage takes snapshots of it."""
    storage = cluster.volumes.storage(volid.partition(":")[0])
    return storage.type in _SNAPSHOTS or stored_format(storage, volid) == "qcow2"


def can_link(cluster: SimulatedCluster, kind: str, volid: str, *, snapshot: bool) -> bool:
    """Whether a linked clone of a volume is possible."""
    storage = cluster.volumes.storage(volid.partition(":")[0])
    base = volid.rpartition("/")[2].rpartition(":")[2].startswith("base-")
    if storage.type in FILE_TYPES:
        return base and kind == "qemu" and not snapshot
    return base or (snapshot and storage.type in _SNAPSHOTS)


def copy_format(storage: Storage, wanted: str | None, source: str) -> str:
    """Return the format of a copy on a storage."""
    if storage.type not in FILE_TYPES:
        return "raw"
    return wanted or source


def disks(guest: Guest) -> Iterable[Drive]:
    """Yield the guest's own disks in force, cloud-init and media aside."""
    for drive in drives(guest.kind, guest.config):
        if drive.storage is not None and not drive.is_cdrom:
            yield drive


def has_feature(cluster: SimulatedCluster, guest: Guest, feature: str, snapshot: bool) -> bool:
    """Whether all disks of a guest support a feature."""
    if feature == "copy":
        return True
    if feature == "snapshot":
        return all(can_snapshot(cluster, drive.volid) for drive in disks(guest))
    return all(
        can_link(cluster, guest.kind, drive.volid, snapshot=snapshot) for drive in disks(guest)
    )


def common_nodes(cluster: SimulatedCluster, guest: Guest) -> list[str]:
    """Nodes that see all disks of a guest."""
    nodes = list(cluster.nodes)
    for drive in disks(guest):
        storage = cluster.volumes.storage(drive.storage or "")
        nodes = [
            node
            for node in nodes
            if storage.allowed_on(node) and (storage.shared or node == guest.node)
        ]
    return nodes
