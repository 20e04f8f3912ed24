"""Disks of a node, and making storages' ground of them: directories, LVM, ZFS."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from proxmox_client.testing import nodedisks
from proxmox_client.testing.formats import split_list
from proxmox_client.testing.permissions import require
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles
from proxmox_client.testing.tasks import TaskFailed, TaskRecord

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster
    from proxmox_client.testing.state import Node

_DISKS = "/nodes/{node}/disks"
_FEWEST = {"single": 1, "mirror": 2, "raid10": 4, "raidz": 3, "raidz2": 4, "raidz3": 5,
           "draid": 3, "draid2": 4, "draid3": 5}  # fmt: skip
_PARITY = {"raidz": 1, "raidz2": 2, "raidz3": 3, "draid": 1, "draid2": 2, "draid3": 3}


def _here(cluster: SimulatedCluster, call: Call) -> Node:
    return cluster.nodes[call.node]


# --- single disks ---------------------------------------------------------------------------


@handles("GET", f"{_DISKS}/list")
def list_disks(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the disks, all or those still free."""
    kind = call.get("type")
    return [
        dict(disk)
        for disk in nodedisks.disks(_here(cluster, call))
        if kind is None
        or not disk.get("used")
        or (kind == "journal_disks" and disk["used"] == "LVM")
    ]


@handles("GET", f"{_DISKS}/smart")
def smart(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return what a disk says about its health; virtual ones say nothing."""
    disk = nodedisks.find(_here(cluster, call), call["disk"])
    answer: dict[str, Any] = {"health": disk["health"]}
    if disk["type"] == "unknown" or call.get("healthonly"):
        return answer
    return answer | {"type": "ata", "attributes": []}


@handles("POST", f"{_DISKS}/initgpt")
def initialise(cluster: SimulatedCluster, call: Call) -> str:
    """Write a partition table to a free disk."""
    disk = nodedisks.find(_here(cluster, call), call["disk"])
    if disk.get("used"):
        raise PveFault(500, f"disk {call['disk']} already in use")

    def work(task: TaskRecord) -> None:
        disk["gpt"] = 1

    return _start(cluster, call, "diskinit", call["disk"].rpartition("/")[2], work)


@handles("PUT", f"{_DISKS}/wipedisk")
def wipe(cluster: SimulatedCluster, call: Call) -> str:
    """Erase a disk nothing stands on."""
    disk = nodedisks.find(_here(cluster, call), call["disk"])
    if disk.get("mounted"):
        raise PveFault(500, f"disk/partition '{call['disk']}' is mounted")
    if disk.get("used") in ("LVM", "ZFS"):
        raise PveFault(500, f"disk/partition '{call['disk']}' has a holder")

    def work(task: TaskRecord) -> None:
        task.log(f"wiping block device {call['disk']}")
        nodedisks.release(_here(cluster, call), [call["disk"]])

    return _start(cluster, call, "wipedisk", call["disk"].rpartition("/")[2], work)


def _start(
    cluster: SimulatedCluster,
    call: Call,
    kind: str,
    name: str,
    work: Callable[[TaskRecord], None],
) -> str:
    return cluster.tasks.start(
        call.node, kind, work, id=name, user=call.identity.authid, duration=1.5
    )


# --- making and removing --------------------------------------------------------------------


def _make(
    cluster: SimulatedCluster,
    call: Call,
    kind: str,
    devices: list[str],
    row: dict[str, Any],
    storage: tuple[str, dict[str, str]],
) -> str:
    """Take free disks for something and configure a storage on it if that is wanted."""
    node, name = _here(cluster, call), call["name"]
    for device in devices:
        nodedisks.free(node, device)
    if call.get("add_storage"):
        require(cluster.access, call.identity, "/storage", ["Datastore.Allocate"])
        known = cluster.storages.get(name)
        if known is not None and call.node in known.options.get("nodes", call.node).split(","):
            text = f"storage ID '{name}' already exists on node {call.node}"
            raise PveFault(500, text)

    def work(task: TaskRecord) -> None:
        if kind in ("lvm", "lvmthin") and name in nodedisks.volume_groups(cluster, node):
            text = f"volume group with name '{name}' already exists on node '{call.node}'"
            raise TaskFailed(text)
        for device in devices:
            disk = nodedisks.free(node, device)
            disk["used"] = {"directory": row.get("type", ""), "zfs": "ZFS"}.get(kind, "LVM")
            if kind == "directory":
                disk["mounted"] = 1
        nodedisks.made(node, kind)[name] = row
        if call.get("add_storage"):
            nodedisks.add_storage(cluster, node, storage[0], name, storage[1], row["size"])

    task = {"directory": "dir"}.get(kind, kind)
    return _start(cluster, call, f"{task}create", name, work)


def _remove(cluster: SimulatedCluster, call: Call, kind: str, label: str, **options: str) -> str:
    """Undo what was made; ``cleanup-config`` and ``cleanup-disks`` say how thoroughly."""
    node, name = _here(cluster, call), call["name"]
    if call.get("cleanup-config"):
        require(cluster.access, call.identity, "/storage", ["Datastore.Allocate"])

    def work(task: TaskRecord) -> None:
        row = nodedisks.made(node, kind).pop(name, None)
        if row is None:
            raise TaskFailed(_missing(kind, call))
        if call.get("cleanup-config"):
            storage = {"directory": "dir", "zfs": "zfspool"}.get(kind, kind)
            nodedisks.remove_storages(cluster, node, storage, **options)
        if call.get("cleanup-disks"):
            for device in row["devices"]:
                task.log(f"wiping block device {device}")
            nodedisks.release(node, row["devices"])

    task = {"directory": "dir"}.get(kind, kind)
    return _start(cluster, call, f"{task}remove", label, work)


def _missing(kind: str, call: Call) -> str:
    name = call["name"]
    return {
        "directory": f"command 'systemctl stop mnt-pve-{name}.mount' failed: exit code 5",
        "lvm": f"no such volume group '{name}'",
        "lvmthin": f"no such thin pool {call.get('volume-group', name)}/{name}",
        "zfs": f"command 'zpool destroy {name}' failed: exit code 1",
    }[kind]


# --- directories ----------------------------------------------------------------------------


@handles("GET", f"{_DISKS}/directory")
def list_directories(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the disks that are mounted below /mnt/pve."""
    return [
        {
            "unitfile": f"/etc/systemd/system/mnt-pve-{name}.mount",
            "path": f"/mnt/pve/{name}",
            "device": f"/dev/disk/by-uuid/{row['uuid']}",
            "type": row["type"],
            "options": "defaults",
        }
        for name, row in nodedisks.made(_here(cluster, call), "directory").items()
    ]


@handles("POST", f"{_DISKS}/directory")
def make_directory(cluster: SimulatedCluster, call: Call) -> str:
    """Put a file system on a disk and mount it."""
    node, name = _here(cluster, call), call["name"]
    disk = nodedisks.free(node, call["device"])
    if name in nodedisks.made(node, "directory"):
        unit = f"/etc/systemd/system/mnt-pve-{name}.mount"
        raise PveFault(500, f"a systemd mount unit already exists: {unit}")
    row = {
        "size": disk["size"],
        "devices": [call["device"]],
        "type": call.get("filesystem", "ext4"),
        "uuid": cluster.new_uuid(),
    }
    options = {
        "path": f"/mnt/pve/{name}",
        "content": "rootdir,images,iso,backup,vztmpl,snippets",
        "is_mountpoint": "1",
    }
    return _make(cluster, call, "directory", [call["device"]], row, ("dir", options))


@handles("DELETE", f"{_DISKS}/directory/{{name}}")
def remove_directory(cluster: SimulatedCluster, call: Call) -> str:
    """Unmount a directory."""
    path = f"/mnt/pve/{call['name']}"
    return _remove(cluster, call, "directory", call["name"], path=path)


# --- LVM ------------------------------------------------------------------------------------


@handles("GET", f"{_DISKS}/lvm")
def list_groups(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """List volume groups as a tree with their disks as leaves."""
    node = _here(cluster, call)
    rows: list[dict[str, Any]] = []
    for name, group in sorted(nodedisks.volume_groups(cluster, node).items()):
        share = group["size"] // len(group["devices"])
        rows.append(
            {
                "name": name,
                "size": group["size"],
                "free": nodedisks.EXTENT,
                "lvcount": 1,
                "leaf": 0,
                "children": [
                    {"name": device, "size": share, "free": nodedisks.EXTENT, "leaf": 1}
                    for device in group["devices"]
                ],
            }
        )
    return {"leaf": 0, "children": rows}


@handles("POST", f"{_DISKS}/lvm")
def make_group(cluster: SimulatedCluster, call: Call) -> str:
    """Make a volume group of a disk."""
    disk = nodedisks.free(_here(cluster, call), call["device"])
    row = {"size": disk["size"], "devices": [call["device"]]}
    options = {"vgname": call["name"], "content": "rootdir,images", "shared": "0"}
    return _make(cluster, call, "lvm", [call["device"]], row, ("lvm", options))


@handles("DELETE", f"{_DISKS}/lvm/{{name}}")
def remove_group(cluster: SimulatedCluster, call: Call) -> str:
    """Remove a volume group."""
    return _remove(cluster, call, "lvm", call["name"], vgname=call["name"])


@handles("GET", f"{_DISKS}/lvmthin")
def list_thin_pools(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List thin pools."""
    return nodedisks.thin_pools(cluster, _here(cluster, call))


@handles("POST", f"{_DISKS}/lvmthin")
def make_thin_pool(cluster: SimulatedCluster, call: Call) -> str:
    """Make a volume group of a disk with one thin pool in it."""
    disk = nodedisks.free(_here(cluster, call), call["device"])
    # Two hundredths go to metadata, a gigabyte each at least.
    size = disk["size"] - 2 * max(disk["size"] // 100, 1024**3)
    row = {"size": size, "devices": [call["device"]]}
    name = call["name"]
    options = {"vgname": name, "thinpool": name, "content": "rootdir,images"}
    return _make(cluster, call, "lvmthin", [call["device"]], row, ("lvmthin", options))


@handles("DELETE", f"{_DISKS}/lvmthin/{{name}}")
def remove_thin_pool(cluster: SimulatedCluster, call: Call) -> str:
    """Remove a thin pool."""
    group, name = call["volume-group"], call["name"]
    return _remove(cluster, call, "lvmthin", f"{group}-{name}", vgname=group, thinpool=name)


# --- ZFS ------------------------------------------------------------------------------------


def _require_zfs(node: Node) -> None:
    if not node.files.get("zfs-installed", True):
        raise PveFault(500, "zfsutils-linux not installed")


@handles("GET", f"{_DISKS}/zfs")
def list_pools(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List ZFS pools."""
    _require_zfs(_here(cluster, call))
    return nodedisks.zfs_pools(cluster, _here(cluster, call))


@handles("GET", f"{_DISKS}/zfs/{{name}}")
def read_pool(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return a pool with its disks as a tree."""
    node, name = _here(cluster, call), call["name"]
    _require_zfs(node)
    known = {row["name"] for row in nodedisks.zfs_pools(cluster, node)}
    if name not in known:
        raise PveFault(500, f"command '/sbin/zpool status -P {name}' failed: exit code 1")
    row = nodedisks.made(node, "zfs").get(name, {"devices": ["/dev/vda3"], "level": "single"})
    clean = {"state": "ONLINE", "read": 0, "write": 0, "cksum": 0, "msg": ""}
    leaves = [{"name": device, "leaf": 1, **clean} for device in row["devices"]]
    inner = (
        leaves
        if row["level"] == "single"
        else [{"name": f"{row['level']}-0", "leaf": 0, **clean, "children": leaves}]
    )
    tree = [{"name": name, "leaf": 0, **clean, "children": inner}]
    return {
        "name": name,
        "state": "ONLINE",
        "errors": "No known data errors",
        "leaf": 0,
        "children": tree,
    }


@handles("POST", f"{_DISKS}/zfs")
def make_pool(cluster: SimulatedCluster, call: Call) -> str:
    """Make a ZFS pool of disks."""
    node, name, level = _here(cluster, call), call["name"], call["raidlevel"]
    devices = split_list(call["devices"])
    if "draid-config" in call and not level.startswith("draid"):
        raise PveFault(500, "draid-config set without using dRAID level")
    sizes = [nodedisks.free(node, device)["size"] for device in devices]
    _require_zfs(node)
    if any(row["name"] == name for row in nodedisks.zfs_pools(cluster, node)):
        raise PveFault(500, f"pool '{name}' already exists on node '{call.node}'")
    _check_number(level, len(devices))
    row = {"size": _usable(level, sizes), "devices": devices, "level": level}
    options = {"pool": name, "content": "rootdir,images"}
    return _make(cluster, call, "zfs", devices, row, ("zfspool", options))


def _check_number(level: str, number: int) -> None:
    if level == "raid10" and number % 2:
        raise PveFault(500, "raid10 needs an even number of disks")
    if level == "single" and number > 1:
        raise PveFault(500, "please give only one disk for single disk mode")
    if number < _FEWEST[level]:
        raise PveFault(500, f"{level} needs at least {_FEWEST[level]} disks")


def _usable(level: str, sizes: list[int]) -> int:
    """Bytes a pool of these disks offers."""
    smallest = min(sizes)
    if level == "mirror":
        return smallest
    if level == "raid10":
        return smallest * len(sizes) // 2
    return smallest * (len(sizes) - _PARITY.get(level, 0))


@handles("DELETE", f"{_DISKS}/zfs/{{name}}")
def remove_pool(cluster: SimulatedCluster, call: Call) -> str:
    """Destroy a ZFS pool."""
    return _remove(cluster, call, "zfs", call["name"], pool=call["name"])
