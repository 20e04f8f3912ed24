"""Storages as a node sees them: state, free space and what lies there."""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from proxmox_client.testing import nodedisks
from proxmox_client.testing.formats import split_list
from proxmox_client.testing.guestwork.disks import check_volume_name
from proxmox_client.testing.guestwork.storage_turns import turn
from proxmox_client.testing.permissions import denied, require
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles
from proxmox_client.testing.seeding import content_of, parse_size
from proxmox_client.testing.state import Storage, Volume
from proxmox_client.testing.tasks import TaskFailed, TaskRecord
from proxmox_client.testing.volumes import FILE_TYPES

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_OWNER = re.compile(r"^(\d+)/|^backup/vzdump-\w+-(\d+)-|^(?:vm|base|subvol)-(\d+)-")
_SEE = ["Datastore.Audit", "Datastore.AllocateSpace"]


def _status(cluster: SimulatedCluster, storage: Storage, node: str) -> dict[str, Any]:
    row: dict[str, Any] = {
        "type": storage.type,
        "content": ",".join(storage.content),
        "shared": int(storage.shared),
        "enabled": int(storage.enabled and storage.allowed_on(node)),
    }
    if not row["enabled"] or not nodedisks.is_there(cluster.nodes[node], storage):
        return row | {"active": 0, "total": 0, "used": 0, "avail": 0}
    used = cluster.volumes.used(storage, node)
    avail = cluster.volumes.available(storage, node)
    return row | {"active": 1, "total": storage.total, "used": used, "avail": avail}


@handles("GET", "/nodes/{node}/storage")
def list_storages(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the storages of a node with their state."""
    wanted = split_list(call.get("content", ""))
    rows: list[dict[str, Any]] = []
    for storage in cluster.storages.values():
        if call.get("storage") not in (None, storage.name):
            continue
        if wanted and not set(wanted) & set(storage.content):
            continue
        if not storage.allowed_on(call.node) or (call.get("enabled") and not storage.enabled):
            continue
        if not cluster.access.allows(call.identity, f"/storage/{storage.name}", _SEE, any_of=True):
            continue
        row = _status(cluster, storage, call.node)
        row["storage"] = storage.name
        if row["total"]:
            row["used_fraction"] = row["used"] / row["total"]
        if "target" in call and call["target"] not in (call.node, "") and not storage.shared:
            continue
        rows.append(row)
    return rows


@handles("GET", "/nodes/{node}/storage/{storage}/status")
def storage_status(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return the state of a storage."""
    storage = cluster.storages.get(call["storage"])
    if storage is None:
        raise PveFault.parameters({"storage": "No such storage."})
    return _status(cluster, storage, call.node)


def _row(volume: Volume) -> dict[str, Any]:
    row: dict[str, Any] = {
        "volid": volume.volid,
        "content": volume.content,
        "format": volume.format,
        "size": volume.size,
        "ctime": int(volume.ctime),
    }
    if volume.content in ("images", "rootdir"):
        row |= {"vmid": volume.vmid, "parent": volume.parent}
        if volume.used is not None:
            row["used"] = volume.used
    if volume.content == "backup":
        row |= {"vmid": volume.vmid, "subtype": "lxc" if "-lxc-" in volume.name else "qemu"}
        if volume.protected:
            row["protected"] = 1
    if volume.notes is not None:
        row["notes"] = volume.notes
    return row | volume.extra


def _listed(cluster: SimulatedCluster, call: Call, volume: Volume) -> bool:
    if "content" in call and volume.content != call["content"]:
        return False
    # Recorded: the filter by guest lets through what belongs to nobody, except ISO and templates.
    if "vmid" in call and volume.vmid != call["vmid"] and volume.content != "snippets":
        return False
    return _may_see(cluster, call, volume)


def _may_see(cluster: SimulatedCluster, call: Call, volume: Volume) -> bool:
    if volume.content in ("iso", "vztmpl", "import"):
        return True
    if cluster.access.allows(call.identity, f"/storage/{volume.storage}", ["Datastore.Allocate"]):
        return True
    if volume.vmid is None:
        return False
    need = ["VM.Backup"] if volume.content == "backup" else ["VM.Config.Disk"]
    return cluster.access.allows(call.identity, f"/vms/{volume.vmid}", need)


@handles("GET", "/nodes/{node}/storage/{storage}/content")
def list_content(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List what lies on a storage."""
    cluster.volumes.usable(call["storage"], call.node)
    volumes = cluster.volumes.on(call["storage"], call.node)
    return [_row(volume) for volume in volumes if _listed(cluster, call, volume)]


def _volid(call: Call) -> str:
    name = call["volume"]
    return name if name.startswith(f"{call['storage']}:") else f"{call['storage']}:{name}"


def _require_volume(
    cluster: SimulatedCluster, call: Call, volid: str, volume: Volume | None
) -> None:
    path = f"/storage/{call['storage']}"
    if cluster.access.allows(call.identity, path, ["Datastore.Allocate"]):
        return
    if volume is not None and volume.vmid is not None:
        require(cluster.access, call.identity, f"/vms/{volume.vmid}", ["VM.Config.Disk"])
        require(cluster.access, call.identity, path, ["Datastore.AllocateSpace"])
        return
    if content_of(volid.partition(":")[2]) in ("iso", "vztmpl"):
        require(cluster.access, call.identity, path, ["Datastore.AllocateTemplate"])
        return
    raise denied(f"{path}, Datastore.Allocate")


@handles("POST", "/nodes/{node}/storage/{storage}/content")
def allocate(cluster: SimulatedCluster, call: Call) -> Generator[float, None, str]:
    """Make a disk image."""
    storage = cluster.volumes.usable(call["storage"], call.node)
    size = call.sent["size"]
    bytes_ = parse_size(size) if size[-1:].isalpha() else int(float(size) * 1024)
    name = call["filename"]
    suffix = name.rpartition(".")[2] if "." in name else "raw"
    kind = call.get("format", suffix)
    if storage.type in FILE_TYPES and suffix not in ("raw", "qcow2", "vmdk", "subvol"):
        raise PveFault(500, f"illegal name '{name}' - should be 'vm-{call['vmid']}-*'")
    yield from turn(cluster, storage.name, call.node)
    volume = cluster.volumes.allocate(
        call.node, storage.name, call["vmid"], bytes_, format=kind, name=name
    )
    return volume.volid


@handles("GET", "/nodes/{node}/storage/{storage}/content/{volume}")
def read_volume(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return size, format and path of a volume."""
    volid = _volid(call)
    volume = cluster.volumes.find(call.node, volid)
    _require_volume(cluster, call, volid, volume)
    if volume is None:
        raise PveFault(500, f"volume_size_info on '{volid}' failed - no format")
    row: dict[str, Any] = {
        "path": cluster.volumes.path(volid),
        "size": volume.size,
        "used": volume.size if volume.used is None else volume.used,
        "format": volume.format,
    }
    if volume.content == "backup":
        row["protected"] = int(volume.protected)
        row["format"] = "raw"
        if volume.notes is not None:
            row["notes"] = volume.notes
    return row


@handles("PUT", "/nodes/{node}/storage/{storage}/content/{volume}")
def annotate(cluster: SimulatedCluster, call: Call) -> None:
    """Set notes and protection of a backup."""
    volid = _volid(call)
    volume = cluster.volumes.find(call.node, volid)
    for name in ("notes", "protected"):
        if name in call and content_of(volid.partition(":")[2]) != "backup":
            what = "have notes" if name == "notes" else "be protected"
            raise PveFault(500, f"only backups can {what}")
    if volume is None:
        raise PveFault(500, f"volume '{volid}' does not exist")
    if "notes" in call:
        volume.notes = call["notes"] or None
    if "protected" in call:
        volume.protected = bool(call["protected"])


@handles("DELETE", "/nodes/{node}/storage/{storage}/content/{volume}")
def free(cluster: SimulatedCluster, call: Call) -> str:
    """Remove a volume in a task; a missing one is no error there."""
    volid = _volid(call)
    volume = cluster.volumes.find(call.node, volid)
    _require_volume(cluster, call, volid, volume)
    storage = cluster.volumes.storage(call["storage"])
    if storage.type in FILE_TYPES:
        check_volume_name(storage, volid)

    def work(task: TaskRecord) -> None:
        found = cluster.volumes.find(call.node, volid)
        if found is None:
            task.log(f"disk image '{cluster.volumes.path(volid)}' does not exist")
        elif found.protected:
            name, storage = found.name, found.storage
            raise TaskFailed(f"cannot remove protected volume '{name}' on '{storage}'")
        else:
            cluster.volumes.remove(found)
        task.log(f"Removed volume '{volid}'")

    owner = _OWNER.search(volid.partition(":")[2])
    subject = f"{owner[owner.lastindex or 0]}@{call['storage']}" if owner else call["storage"]
    return cluster.tasks.start(
        call.node, "imgdel", work, id=subject, user=call.identity.authid, duration=0.1
    )
