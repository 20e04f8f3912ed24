"""What a new simulated cluster starts with, and how guests and volumes are put into it."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from proxmox_client.testing.guests import drives, nics
from proxmox_client.testing.guests.guest import Guest, Status
from proxmox_client.testing.guests.options import Kind
from proxmox_client.testing.state import Node, Storage, Volume
from proxmox_client.testing.validation import text_of

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

GIB = 1024**3
_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": GIB, "T": 1024**4}
_DISK = re.compile(r"(?:scsi|virtio|ide|sata|mp|unused)\d+|efidisk0|tpmstate0|rootfs")
_NET = re.compile(r"net\d+")
_ALL_CONTENT = "backup,images,import,iso,rootdir,snippets,vztmpl"
_FORMATS = {"iso": "iso", "snippets": "snippet", "backup": "tar.zst", "vztmpl": "tgz"}


def make_nodes(names: tuple[str, ...], now: float, chance: random.Random) -> dict[str, Node]:
    """Make the nodes, up since an hour and more."""
    return {
        name: Node(
            name=name,
            address=f"10.77.0.{number}",
            fingerprint=":".join(
                f"{byte:02X}" for byte in hashlib.sha256(f"node {name}".encode()).digest()
            ),
            booted=now - 3600 - 100 * number,
            pid=1000 + chance.randrange(4000),
            phase=chance.random() * 10,
        )
        for number, name in enumerate(names, start=1)
    }


def make_storages(names: tuple[str, ...]) -> dict[str, Storage]:
    """Make storages of a new cluster: one of files, one of volumes, one that all share.

    Raises:
        KeyError: There is no such storage to choose from.
    """
    known = {
        "local": Storage("local", "dir", {"path": "/var/lib/vz", "content": _ALL_CONTENT}),
        "local-lvm": Storage(
            "local-lvm",
            "lvmthin",
            {"vgname": "pve", "thinpool": "data", "content": "images,rootdir"},
            total=500 * GIB,
            base_used=0,
        ),
        "shared": Storage(
            "shared",
            "nfs",
            {
                "server": "10.77.0.200",
                "export": "/export/pve",
                "path": "/mnt/pve/shared",
                "content": _ALL_CONTENT,
            },
            total=2000 * GIB,
            base_used=0,
        ),
    }
    return {name: known[name] for name in names}


def parse_size(text: str) -> int:
    """Read ``32G`` as bytes; a bare number is bytes."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT]?)", text)
    if match is None:
        raise ValueError(f"not a size: {text!r}")
    return int(float(match[1]) * _UNITS[match[2]])


def format_size(size: int) -> str:
    """Write bytes as PVE does in a disk's ``size=``: the largest unit that divides it."""
    for unit in ("T", "G", "M", "K"):
        if size >= _UNITS[unit] and size % _UNITS[unit] == 0:
            return f"{size // _UNITS[unit]}{unit}"
    return str(size)


def content_of(name: str) -> str:
    """Tell the content type from a volume's name."""
    folder = name.partition("/")[0]
    return folder if folder in ("iso", "vztmpl", "snippets", "backup", "import") else "images"


def add_volume(cluster: SimulatedCluster, volid: str, size: int, node: str) -> Volume:
    """Put a complete volume on a storage."""
    name = volid.partition(":")[2]
    content = content_of(name)
    owner = re.search(r"(?:vm|base|subvol|vzdump-(?:qemu|lxc))-(\d+)-", name)
    extension = name.rpartition(".")[2] if "." in name.rpartition("/")[2] else "raw"
    return cluster.volumes.put(
        Volume(
            volid,
            node,
            content,
            _FORMATS.get(content, extension),
            size,
            cluster.clock.now(),
            used=None if content != "images" else size,
            vmid=int(owner[1]) if owner else None,
        )
    )


def add_guest(
    cluster: SimulatedCluster,
    kind: str,
    node: str,
    vmid: int,
    config: Mapping[str, object],
    status: str,
    template: bool,
) -> Guest:
    """Put a guest on a node, with its volumes."""
    if vmid in cluster.guests:
        raise ValueError(f"cannot add guest {vmid}: the id is taken")
    if node not in cluster.nodes:
        raise ValueError(f"cannot add guest {vmid}: there is no node {node!r}")
    texts = {name: text_of(value) for name, value in config.items()}
    for name, value in texts.items():
        if _DISK.fullmatch(name):
            texts[name] = _with_volume(cluster, kind, node, vmid, value)
        elif _NET.fullmatch(name):
            normalise = nics.normalise_net if kind == "qemu" else nics.normalise_veth
            texts[name] = normalise(value, cluster.random)
    if template:
        texts["template"] = "1"
    for name, value in _defaults(cluster, kind).items():
        texts.setdefault(name, value)
    if kind == "qemu" and (boot := drives.default_boot(texts)):
        texts.setdefault("boot", boot)
    guest = Guest(vmid, cast("Kind", kind), node, texts, cast("Status", status))
    if status == "running":
        guest.begin(cluster.nodes[node].pid, cluster.clock.now())
    cluster.guests[vmid] = guest
    cluster.broadcast.tell(guest)
    return guest


def _defaults(cluster: SimulatedCluster, kind: str) -> dict[str, str]:
    if kind == "lxc":
        return {"arch": "amd64", "ostype": "unmanaged"}
    now = int(cluster.clock.now())
    return {
        "smbios1": f"uuid={cluster.new_uuid()}",
        "vmgenid": cluster.new_uuid(),
        "meta": f"creation-qemu=10.1.2,ctime={now}",
    }


def _with_volume(cluster: SimulatedCluster, kind: str, node: str, vmid: int, value: str) -> str:
    volid, comma, rest = value.partition(",")
    storage, colon, name = volid.partition(":")
    if not colon or storage not in cluster.storages:
        return value
    content = "rootdir" if kind == "lxc" else "images"
    if re.fullmatch(r"\d+(?:\.\d+)?", name):
        size = int(float(name) * GIB)
        made = cluster.volumes.allocate(
            node, storage, vmid, size, format="raw" if kind == "lxc" else None, content=content
        )
        return f"{made.volid}{comma}{rest},size={format_size(size)}"
    if cluster.volumes.find(node, volid) is None:
        found = re.search(r"(?:^|,)size=(\d+(?:\.\d+)?[KMGT]?)", rest)
        volume = add_volume(cluster, volid, parse_size(found[1]) if found else GIB, node)
        if volume.content == "images":
            volume.content = content
    return value
