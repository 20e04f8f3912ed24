"""Moving machines and containers to other nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxmox_client.testing.guests import drives
from proxmox_client.testing.guests.drives import Drive
from proxmox_client.testing.guests.guest import Guest
from proxmox_client.testing.guestwork import features, finding, migration
from proxmox_client.testing.guestwork.migration import Move
from proxmox_client.testing.ha.rules import blockers, dependents
from proxmox_client.testing.locks import check_lock
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_QEMU = "/nodes/{node}/qemu/{vmid}/migrate"
_LXC = "/nodes/{node}/lxc/{vmid}/migrate"


@handles("GET", _QEMU)
def machine_preconditions(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Tell where the machine could go, and which of its disks are local."""
    guest = finding.called(cluster, call, "qemu")
    check_lock(guest)
    others = [node for node in cluster.nodes if node != guest.node]
    missing = {node: _unavailable(cluster, guest, node) for node in others}
    blocking = {node: blockers(cluster, guest.vmid, node) for node in others}
    return {
        "running": 1 if guest.running else 0,
        "allowed_nodes": [node for node in others if not (missing[node] or blocking[node])],
        "not_allowed_nodes": {
            node: ({"unavailable_storages": missing[node]} if missing[node] else {})
            | ({"blocking-ha-resources": blocking[node]} if blocking[node] else {})
            for node in others
        },
        "local_disks": [
            _local_disk(cluster, guest, drive) for drive in migration.local_drives(cluster, guest)
        ],
        "local_resources": [],
        "mapped-resources": [],
        "mapped-resource-info": {},
        "has-dbus-vmstate": 1,
        **dependents(cluster, guest.vmid),
    }


def _unavailable(cluster: SimulatedCluster, guest: Guest, node: str) -> list[str]:
    names = {drive.storage for drive in features.disks(guest) if drive.storage is not None}
    return sorted(name for name in names if not cluster.volumes.storage(name).allowed_on(node))


def _local_disk(cluster: SimulatedCluster, guest: Guest, drive: Drive) -> dict[str, Any]:
    volume = cluster.volumes.find(guest.node, drive.volid)
    entry: dict[str, Any] = {
        "volid": drive.volid,
        "drivename": drive.slot,
        "size": volume.size if volume is not None else drive.size,
        "cdrom": 1 if drive.is_cdrom else 0,
        "is_attached": 0 if drives.is_unused(drive.slot) else 1,
        "is_cloudinit": 1 if drive.is_cloudinit else 0,
        "is_tpmstate": 1 if drive.slot == "tpmstate0" else 0,
        "is_unused": 1 if drives.is_unused(drive.slot) else 0,
        "is_vmstate": 0,
        "replicate": 0 if drive.keys.get("replicate") == "0" else 1,
        "shared": 1 if drive.keys.get("shared") == "1" else 0,
    }
    referenced = {
        snapshot.name: 1
        for snapshot in guest.snapshots.values()
        if any(drive.volid == other.volid for other in drives.drives("qemu", snapshot.config))
    }
    return {**entry, "referenced_in_snapshot": referenced} if referenced else entry


@handles("GET", _LXC)
def container_preconditions(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Tell where the container could go; storages are not looked at."""
    guest = finding.called(cluster, call, "lxc")
    check_lock(guest)
    others = [node for node in cluster.nodes if node != guest.node]
    blocking = {node: blockers(cluster, guest.vmid, node) for node in others}
    return {
        "running": 1 if guest.running else 0,
        "allowed-nodes": [node for node in others if not blocking[node]],
        "not-allowed-nodes": {
            node: {"blocking-ha-resources": rows} for node, rows in blocking.items() if rows
        },
        **dependents(cluster, guest.vmid),
    }


@handles("POST", _QEMU)
def migrate_machine(cluster: SimulatedCluster, call: Call) -> str:
    """Move a machine, running or not."""
    guest = _admitted(cluster, call)
    if guest.running and not call.get("online"):
        raise PveFault(500, "can't migrate running VM without --online")
    storages = _storage_map(cluster, call, call.get("targetstorage"))
    _check_storages(cluster, guest, call["target"], storages)
    move = Move(
        call["target"],
        storages,
        online=guest.running,
        with_local_disks=bool(call.get("with-local-disks")),
        bwlimit=call.get("bwlimit"),
    )
    return _start(cluster, call, "qmigrate", move)


@handles("POST", _LXC)
def migrate_container(cluster: SimulatedCluster, call: Call) -> str:
    """Move a container; a running one only with a restart."""
    guest = _admitted(cluster, call)
    if guest.running and not (call.get("online") or call.get("restart")):
        raise PveFault(500, "can't migrate running container without --online or --restart")
    storages = _storage_map(cluster, call, call.get("target-storage"))
    move = Move(
        call["target"],
        storages,
        online=bool(call.get("online")),
        restart=bool(call.get("restart")),
        timeout=call.get("timeout"),
        bwlimit=call.get("bwlimit"),
    )
    return _start(cluster, call, "vzmigrate", move)


def _admitted(cluster: SimulatedCluster, call: Call) -> Guest:
    if call["target"] == call.node:
        raise PveFault.parameters({"target": "target is local node."})
    finding.check_node(cluster, call["target"])
    guest = finding.of_path(cluster, call)
    check_lock(guest)
    return guest


def _storage_map(cluster: SimulatedCluster, call: Call, text: str | None) -> dict[str, str]:
    """Read a storage map (``1``, ``name`` or ``from:to,…``) and look its targets up."""
    storages: dict[str, str] = {}
    for entry in (text or "").split(","):
        source, colon, target = entry.partition(":")
        if colon:
            storages[source] = target
        elif entry not in ("", "1"):
            storages[""] = entry
    for name in storages.values():
        cluster.volumes.usable(name, call["target"])
    return storages


def _check_storages(
    cluster: SimulatedCluster, guest: Guest, target: str, storages: dict[str, str]
) -> None:
    if storages:
        return
    for drive in features.disks(guest):
        cluster.volumes.usable(drive.storage or "", target)


def _start(cluster: SimulatedCluster, call: Call, kind: str, move: Move) -> str:
    return cluster.tasks.start(
        call.node,
        kind,
        lambda task: migration.migrate(cluster, lambda: finding.of_path(cluster, call), task, move),
        id=call["vmid"],
        user=call.identity.authid,
        delay=finding.TASK_DELAY,
    )
