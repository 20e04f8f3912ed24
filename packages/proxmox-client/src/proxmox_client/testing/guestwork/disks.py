"""Making, copying and freeing the volumes of guests."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from proxmox_client.testing.guests import drives, sizes
from proxmox_client.testing.guests.drives import Drive
from proxmox_client.testing.guestwork import features
from proxmox_client.testing.request import PveFault
from proxmox_client.testing.state import Storage, Volume
from proxmox_client.testing.volumes import FILE_TYPES

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

Log = Callable[[str], None]
_FOLDERS = ("iso/", "vztmpl/", "backup/", "snippets/", "import/")
_IMAGE = re.compile(r"\d+/(?:base-\d+-[^/]+/\d+/)?[^/]+\.(?:raw|qcow2|vmdk|subvol)")
_SMALL = {"tpmstate0": drives.TPM_SIZE}
_EFI = {"4m": drives.EFI_SIZE, "2m": 128 * 1024}


def check_volume_name(storage: Storage, volid: str) -> None:
    """Refuse a volume name the storage's plugin cannot read.

    Raises:
        PveFault: Status 500.
    """
    name = volid.partition(":")[2]
    if storage.type in FILE_TYPES:
        if not name.startswith(_FOLDERS) and not _IMAGE.fullmatch(name):
            raise PveFault(500, f"unable to parse directory volume name '{name}'")
    elif not re.fullmatch(r"(?:vm|base)-\d+-\S+", name):
        noun = {"lvmthin": "lvm", "zfspool": "zfs"}.get(storage.type, storage.type)
        raise PveFault(500, f"unable to parse {noun} volume name '{name}'")


def formatting(cluster: SimulatedCluster, volume: Volume) -> str:
    """Return the line a task writes when a volume is made."""
    storage = cluster.volumes.storage(volume.storage)
    if storage.type not in FILE_TYPES:
        return f'  Logical volume "{volume.name}" created.'
    path = cluster.volumes.path(volume.volid)
    if volume.format != "qcow2":
        return f"Formatting '{path}', fmt={volume.format} size={volume.size} preallocation=off"
    backing = (
        f" backing_file={volume.parent} backing_fmt=qcow2" if volume.parent is not None else ""
    )
    return (
        f"Formatting '{path}', fmt=qcow2 cluster_size=65536 extended_l2=off"
        f" preallocation=metadata compression_type=zlib size={volume.size}{backing}"
        " lazy_refcounts=off refcount_bits=16"
    )


def transferred(size: int, log: Log) -> None:
    """Write the progress of a copy."""
    total = sizes.human_size(size)
    log(f"transferred 0.0 B of {total} (0.00%)")
    log(f"transferred {total} of {total} (100.00%)")


def create(
    cluster: SimulatedCluster, node: str, vmid: int, drive: Drive, log: Log
) -> tuple[Drive, Volume | None]:
    """Make the volume a drive option asks for, or look at the one it names.

    Returns:
        The drive as it is stored, and the volume if one was made.

    Raises:
        PveFault: The storage or volume is missing.
    """
    keys = {key: text for key, text in drive.keys.items() if key not in ("format", "import-from")}
    if drive.volid in ("none", "cdrom"):
        keys.pop("size", None)
        return Drive(drive.slot, drive.volid, keys), None
    if drive.volid.endswith(":cloudinit"):
        return _create_cloudinit(cluster, node, vmid, drive, log)
    if (size := drive.new_size) is not None:
        volume = _allocate(cluster, node, vmid, drive, size, log)
        keys["size"] = sizes.format_size(volume.size)
        made = Drive(drive.slot, volume.volid, keys)
        log(f"{drive.slot}: successfully created disk '{made.text()}'")
        return made, volume
    if drive.storage is None:
        return Drive(drive.slot, drive.volid, keys), None
    found = cluster.volumes.find(node, drive.volid)
    if found is None:
        raise PveFault(500, f"volume '{drive.volid}' does not exist")
    keys["size"] = sizes.format_size(found.size)
    return Drive(drive.slot, drive.volid, keys), None


def _allocate(
    cluster: SimulatedCluster, node: str, vmid: int, drive: Drive, size: int, log: Log
) -> Volume:
    storage = cluster.volumes.usable(drive.storage or "", node)
    source = None
    if (origin := drive.keys.get("import-from")) is not None:
        source = cluster.volumes.find(node, origin)
        if source is None:
            raise PveFault(500, f"volume '{origin}' does not exist")
        size = source.size
    size = _SMALL.get(drive.slot, size)
    if drive.slot == "efidisk0" and source is None:
        size = _EFI.get(drive.keys.get("efitype", "2m"), drives.EFI_SIZE)
    kind = "raw" if storage.type not in FILE_TYPES else drive.keys.get("format", "raw")
    volume = cluster.volumes.allocate(node, storage.name, vmid, size, format=kind)
    log(formatting(cluster, volume))
    if source is not None or drive.slot == "efidisk0":
        transferred(size, log)
    return volume


def _create_cloudinit(
    cluster: SimulatedCluster, node: str, vmid: int, drive: Drive, log: Log
) -> tuple[Drive, Volume]:
    storage = cluster.volumes.usable(drive.storage or "", node)
    default = "qcow2" if storage.type in FILE_TYPES else "raw"
    volume = cluster.volumes.allocate(
        node,
        storage.name,
        vmid,
        drives.CLOUDINIT_SIZE,
        format=drive.keys.get("format", default),
        stem=f"vm-{vmid}-cloudinit",
    )
    log(formatting(cluster, volume))
    keys = {key: text for key, text in drive.keys.items() if key not in ("format", "size")}
    made = Drive(drive.slot, volume.volid, {**keys, "media": "cdrom"})
    log(f"{drive.slot}: successfully created disk '{made.text()}'")
    return made, volume


def create_filesystem(
    cluster: SimulatedCluster, node: str, storage: str, vmid: int, size: int, log: Log
) -> Volume:
    """Make a volume with a file system for a container.

    Raises:
        PveFault: The storage is missing, full or not for containers.
    """
    where = cluster.volumes.usable(storage, node)
    volume = cluster.volumes.allocate(node, where.name, vmid, size, format="raw", content="rootdir")
    # Its tables of inodes take space at once.
    volume.used = max(volume.used or 0, size // 64)
    log(formatting(cluster, volume))
    blocks = size // 4096
    log(f"Creating filesystem with {blocks} 4k blocks and {blocks // 4} inodes")
    log(f"Filesystem UUID: {cluster.new_uuid()}")
    return volume


def size_text(volume: Volume) -> str:
    """Return a volume's size as options write it."""
    return sizes.format_size(volume.size)


def free(cluster: SimulatedCluster, node: str, volid: str) -> None:
    """Free a volume if it exists.

    Raises:
        PveFault: Linked clones need it.
    """
    volume = cluster.volumes.find(node, volid)
    if volume is None:
        return
    check_unlinked(cluster, node, volid)
    cluster.volumes.remove(volume)


def check_unlinked(cluster: SimulatedCluster, node: str, volid: str) -> None:
    """Refuse to lose a base image that linked clones build on.

    Raises:
        PveFault: Status 500.
    """
    storage = volid.partition(":")[0]
    for other in cluster.volumes.on(storage, node):
        if other.volid.startswith(f"{volid}/"):
            raise PveFault(500, f"base volume '{volid}' is still in use by linked cloned")


def copy(
    cluster: SimulatedCluster,
    node: str,
    source: Volume,
    vmid: int,
    *,
    storage: str | None = None,
    kind: str | None = None,
    content: str = "images",
    stem: str | None = None,
) -> Volume:
    """Make a full copy of a volume for a guest.

    Raises:
        PveFault: The storage is missing or full.
    """
    where = cluster.volumes.usable(storage or source.storage, node)
    return cluster.volumes.allocate(
        node,
        where.name,
        vmid,
        source.size,
        format=features.copy_format(where, kind, source.format),
        content=content,
        stem=stem,
    )


def link(cluster: SimulatedCluster, node: str, base: Volume, vmid: int) -> Volume:
    """Make a linked clone of a base volume for a guest."""
    storage = cluster.volumes.usable(base.storage, node)
    stem = cluster.volumes.free_stem(node, storage.name, vmid)
    files = storage.type in FILE_TYPES
    name = f"{base.name}/{vmid}/{stem}.qcow2" if files else stem
    return cluster.volumes.put(
        Volume(
            f"{storage.name}:{name}",
            node,
            base.content,
            "qcow2" if files else "raw",
            base.size,
            cluster.clock.now(),
            used=0,
            vmid=vmid,
            parent=f"../{base.name}" if files else base.name,
        )
    )


def rename(cluster: SimulatedCluster, volume: Volume, old: str, new: str) -> Volume:
    """Rename a volume (``vm-`` to ``base-`` and the like)."""
    cluster.volumes.remove(volume)
    head, slash, tail = volume.volid.rpartition("/")
    if not slash:
        head, slash, tail = volume.volid.rpartition(":")
    volume.volid = f"{head}{slash}{tail.replace(old, new, 1)}"
    return cluster.volumes.put(volume)
