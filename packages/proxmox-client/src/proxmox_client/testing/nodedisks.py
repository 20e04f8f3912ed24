"""A node's physical disks and what is made of them: volume groups, pools, mounted directories."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from proxmox_client.testing.request import PveFault
from proxmox_client.testing.state import Storage

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster
    from proxmox_client.testing.state import Node

Row = dict[str, Any]
DISK_SIZE = 274_877_906_944
EXTENT = 4 * 1024**2


def new_disk(devpath: str, size: int, *, kind: str = "unknown", used: str = "") -> Row:
    """Make a disk as the node's list shows it; one without a use is free to be taken."""
    row: Row = {
        "devpath": devpath,
        "size": size,
        "gpt": 0,
        "osdid": -1,
        "osdid-list": None,
        "wwn": "unknown",
        "health": "UNKNOWN" if kind == "unknown" else "PASSED",
        "vendor": "0x1af4" if kind == "unknown" else "ATA     ",
        "type": kind,
        "rpm": 7200 if kind == "hdd" else (-1 if kind == "unknown" else 0),
        "wearout": "N/A" if kind in ("unknown", "hdd") else 100,
        "serial": "unknown" if kind == "unknown" else f"S{size % 10**8:08d}{devpath[-1].upper()}",
        "model": "unknown" if kind == "unknown" else f"Simulated_{kind.upper()}",
    }
    return row | ({"used": used} if used else {})


def disks(node: Node) -> list[Row]:
    """Return a node's disks; the first one carries its system."""
    first = new_disk("/dev/vda", DISK_SIZE, used="mounted") | {"mounted": 1}
    found: list[Row] = node.files.setdefault("disks", [first])
    return found


def made(node: Node, kind: str) -> dict[str, Row]:
    """Return what was made of disks, by name: ``lvm``, ``lvmthin``, ``zfs`` or ``directory``."""
    found: dict[str, Row] = node.files.setdefault(f"disks-{kind}", {})
    return found


def find(node: Node, devpath: str) -> Row:
    """Return a disk.

    Raises:
        PveFault: Status 500: there is none at that path.
    """
    for disk in disks(node):
        if disk["devpath"] == devpath:
            return disk
    raise PveFault(500, "not a valid block device")


def free(node: Node, devpath: str) -> Row:
    """Return a disk nobody uses.

    Raises:
        PveFault: Status 500: there is none at that path, or it is used.
    """
    disk = find(node, devpath)
    if disk.get("used"):
        raise PveFault(500, f"device '{devpath}' is already in use")
    return disk


def release(node: Node, devpaths: list[str]) -> None:
    """Make disks free again."""
    for disk in disks(node):
        if disk["devpath"] in devpaths:
            disk.pop("used", None)
            disk.pop("mounted", None)
            disk["gpt"] = 0


def volume_groups(cluster: SimulatedCluster, node: Node) -> dict[str, Row]:
    """Return all volume groups: those that were made, and those that storages stand on."""
    found = {
        name: {"size": group["size"], "devices": group["devices"]}
        for name, group in (made(node, "lvm") | made(node, "lvmthin")).items()
    }
    for storage in _of_types(cluster, node, ("lvm", "lvmthin")):
        found.setdefault(
            storage.options["vgname"], {"size": storage.total, "devices": ["/dev/vda3"]}
        )
    return found


def thin_pools(cluster: SimulatedCluster, node: Node) -> list[Row]:
    """Return all thin pools, with the group each lies in."""
    found = {(name, name): pool["size"] for name, pool in made(node, "lvmthin").items()}
    for storage in _of_types(cluster, node, ("lvmthin",)):
        key = storage.options["vgname"], storage.options["thinpool"]
        found.setdefault(key, storage.total)
    rows: list[Row] = []
    for (group, name), size in sorted(found.items()):
        used = _used(cluster, node, group, name)
        rows.append(
            {
                "vg": group,
                "lv": name,
                "lv_size": size,
                "used": used,
                "metadata_size": 1024**3,
                "metadata_used": 1024**3 // 100,
            }
        )
    return rows


def zfs_pools(cluster: SimulatedCluster, node: Node) -> list[Row]:
    """Return all ZFS pools with their figures."""
    found = {name: pool["size"] for name, pool in made(node, "zfs").items()}
    for storage in _of_types(cluster, node, ("zfspool",)):
        found.setdefault(storage.options["pool"].partition("/")[0], storage.total)
    rows: list[Row] = []
    for name, size in sorted(found.items()):
        used = sum(
            volume.used or volume.size
            for storage in _of_types(cluster, node, ("zfspool",))
            if storage.options["pool"].partition("/")[0] == name
            for volume in cluster.volumes.on(storage.name, node.name)
        )
        rows.append(
            {
                "name": name,
                "size": size,
                "alloc": used,
                "free": size - used,
                "frag": 0,
                "dedup": 1.0,
                "health": "ONLINE",
            }
        )
    return rows


def _used(cluster: SimulatedCluster, node: Node, group: str, pool: str) -> int:
    return sum(
        volume.size
        for storage in _of_types(cluster, node, ("lvmthin",))
        if (storage.options["vgname"], storage.options["thinpool"]) == (group, pool)
        for volume in cluster.volumes.on(storage.name, node.name)
    )


def _of_types(cluster: SimulatedCluster, node: Node, kinds: tuple[str, ...]) -> Iterator[Storage]:
    for storage in cluster.storages.values():
        if storage.type in kinds and storage.allowed_on(node.name):
            yield storage


def is_there(node: Node, storage: Storage) -> bool:
    """Whether a node has the volume group a storage stands on; ``pve`` is there by itself."""
    group = storage.options.get("vgname", "pve")
    return group == "pve" or group in made(node, "lvm") | made(node, "lvmthin")


def add_storage(
    cluster: SimulatedCluster, node: Node, kind: str, name: str, options: dict[str, str], size: int
) -> None:
    """Configure a storage on what was made; another node's storage of that name is extended.

    Raises:
        PveFault: There is another storage of that name.
    """
    old = cluster.storages.get(name)
    if old is None:
        cluster.storages[name] = Storage(
            name, kind, options | {"nodes": node.name}, total=size, base_used=0
        )
        return
    if old.type != kind or any(
        old.options.get(key) != text for key, text in options.items() if key != "content"
    ):
        raise PveFault(500, f"storage ID '{name}' already exists on node {node.name}")
    nodes = set(old.options.get("nodes", "").split(",")) - {""}
    old.options["nodes"] = ",".join(sorted(nodes | {node.name}))


def remove_storages(cluster: SimulatedCluster, node: Node, kind: str, **options: str) -> None:
    """Take a node out of the storages that stood on something; without nodes they go."""
    for storage in list(cluster.storages.values()):
        if storage.type != kind or any(
            storage.options.get(key) != text for key, text in options.items()
        ):
            continue
        nodes = [name for name in storage.options.get("nodes", "").split(",") if name]
        left = [name for name in nodes if name != node.name]
        if left:
            storage.options["nodes"] = ",".join(left)
        else:
            del cluster.storages[storage.name]
