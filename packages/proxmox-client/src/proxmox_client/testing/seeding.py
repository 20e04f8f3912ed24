"""What a new simulated cluster starts with, and how guests and volumes are put into it."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from proxmox_client.testing.formats import NODE_NAME
from proxmox_client.testing.guests.guest import Guest
from proxmox_client.testing.guests.options import Kind
from proxmox_client.testing.state import Node, Storage, Volume
from proxmox_client.testing.validation import text_of

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

GIB = 1024**3
_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": GIB, "T": 1024**4}
_ALL_CONTENT = "backup,images,import,iso,rootdir,snippets,vztmpl"
_FORMATS = {"iso": "iso", "snippets": "snippet", "vztmpl": "tgz"}
_ARCHIVE = re.compile(r"\.((?:vma|tar|tgz)(?:\.(?:zst|gz|lzo))?)$")


def numbered(count: int) -> tuple[str, ...]:
    """Return the names of so many nodes."""
    return tuple(f"pve{number}" for number in range(1, count + 1))


def make_nodes(names: tuple[str, ...], now: float, chance: random.Random) -> dict[str, Node]:
    """Make the nodes, up since an hour and more.

    Raises:
        ValueError: There is none, one has no name PVE takes, or two have the same.
    """
    if not names:
        raise ValueError("a cluster has nodes: give their names, such as ('pve1', 'pve2')")
    for name in names:
        if re.fullmatch(NODE_NAME, name) is None or names.count(name) > 1:
            raise ValueError(f"cannot make the node {name!r}: names are unique host names")
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
    if content == "backup" and (archive := _ARCHIVE.search(name)) is not None:
        extension = archive[1]
    return cluster.volumes.put(
        Volume(
            volid,
            node,
            content,
            extension if content == "backup" else _FORMATS.get(content, extension),
            size,
            cluster.clock.now(),
            used=None if content != "images" else size,
            vmid=int(owner[1]) if owner else None,
        )
    )


def add_guest(
    cluster: SimulatedCluster,
    kind: Kind,
    node: str,
    vmid: int,
    config: Mapping[str, object] | None,
    running: bool,
    template: bool,
) -> Guest:
    """Put a guest on a node, with its volumes, as if it had long been there.

    Raises:
        ValueError: The id is taken, or there is no such node or option.
    """
    from proxmox_client.testing.guestwork.placing import place

    if vmid in cluster.guests:
        raise ValueError(f"cannot add guest {vmid}: the id is taken")
    if node not in cluster.nodes:
        raise ValueError(f"cannot add guest {vmid}: there is no node {node!r}")
    texts = {name: text_of(value) for name, value in (config or {}).items()}
    guest = place(cluster, kind, node, vmid, texts, running=running, template=template)
    cluster.broadcast.tell(guest)
    return guest
