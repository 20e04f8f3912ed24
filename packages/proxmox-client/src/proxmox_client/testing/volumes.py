"""What lies on the storages: finding, naming, allocating and freeing volumes, and free space."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from proxmox_client.testing.clock import VirtualClock
from proxmox_client.testing.request import PveFault
from proxmox_client.testing.state import Storage, Volume

FILE_TYPES = frozenset(("dir", "nfs", "cifs", "btrfs", "cephfs"))
_FOLDERS = {
    "iso": "template/iso",
    "vztmpl": "template/cache",
    "backup": "dump",
    "snippets": "snippets",
    "import": "import",
}
_QCOW_HEADER = 196_608
_BLOCK = 4096
_DISK = re.compile(r"(?:vm|base)-\d+-disk-(\d+)(?:\.\w+)?$")


class VolumeStore:
    """All volumes of the cluster.

    Attributes:
        full: Storages that have no space left whatever lies on them.
    """

    def __init__(self, clock: VirtualClock, storages: dict[str, Storage]) -> None:
        self._clock = clock
        self._storages = storages
        self._volumes: dict[tuple[str, str], dict[str, Volume]] = {}
        self.full: set[str] = set()

    def __iter__(self) -> Iterator[Volume]:
        return (volume for volumes in self._volumes.values() for volume in volumes.values())

    def storage(self, name: str) -> Storage:
        """Return a storage.

        Raises:
            PveFault: There is none of that name.
        """
        storage = self._storages.get(name)
        if storage is None:
            raise PveFault(500, f"storage '{name}' does not exist")
        return storage

    def usable(self, name: str, node: str) -> Storage:
        """Return a storage that is enabled and allowed on a node.

        Raises:
            PveFault: It does not exist, is disabled or not available there.
        """
        storage = self.storage(name)
        if not storage.enabled:
            raise PveFault(500, f"storage '{name}' is disabled")
        if not storage.allowed_on(node):
            raise PveFault(500, f"storage '{name}' is not available on node '{node}'")
        return storage

    def find(self, node: str, volid: str) -> Volume | None:
        """Find a volume as a node sees it."""
        storage = volid.partition(":")[0]
        return self._here(storage, node).get(volid)

    def put(self, volume: Volume) -> Volume:
        """Take up a volume that is already complete."""
        self._here(volume.storage, volume.node)[volume.volid] = volume
        return volume

    def remove(self, volume: Volume) -> None:
        """Free a volume."""
        self._here(volume.storage, volume.node).pop(volume.volid, None)

    def on(self, storage: str, node: str) -> list[Volume]:
        """List the volumes of a storage as a node sees them, by volid."""
        return sorted(self._here(storage, node).values(), key=lambda volume: volume.volid)

    def forget(self, storage: str) -> None:
        """Forget the volumes of a storage that is no longer configured."""
        for key in [key for key in self._volumes if key[0] == storage]:
            del self._volumes[key]

    def allocate(
        self,
        node: str,
        storage: str,
        vmid: int,
        size: int,
        *,
        format: str | None = None,  # noqa: A002 - PVE's name of the field
        stem: str | None = None,
        name: str | None = None,
        content: str = "images",
    ) -> Volume:
        """Make a new disk volume and name it as PVE would.

        Args:
            node: Node that allocates.
            storage: Storage id.
            vmid: Owner.
            size: Bytes.
            format: ``qcow2``, ``raw``, …; None means the storage's default.
            stem: Name without extension, such as ``vm-101-cloudinit``; None means the next free
                ``vm-ID-disk-N``.
            name: Complete name below the owner's folder; wins over ``stem``.
            content: ``images`` or ``rootdir``.

        Raises:
            PveFault: The storage is missing, full, or has a volume of that name.
        """
        where = self.usable(storage, node)
        kind = format or self.default_format(where, content)
        file_name = name or f"{stem or self.free_stem(node, storage, vmid)}{_suffix(where, kind)}"
        volid = (
            f"{storage}:{vmid}/{file_name}"
            if where.type in FILE_TYPES
            else f"{storage}:{file_name}"
        )
        if self.find(node, volid):
            raise PveFault(500, f"disk image '{self.path(volid)}' already exists")
        used = self.initial_use(where, kind, size)
        if storage in self.full or used > self.available(where, node):
            raise PveFault(500, "unable to create image: No space left on device")
        return self.put(
            Volume(volid, node, content, kind, size, self._clock.now(), used=used, vmid=vmid)
        )

    def free_stem(self, node: str, storage: str, vmid: int, *, prefix: str = "vm") -> str:
        """Return the first free ``vm-ID-disk-N`` on a storage."""
        mark = f"-{vmid}-disk-"
        taken = {
            int(found[1])
            for volid in self._here(storage, node)
            if mark in volid
            and (found := _DISK.search(volid))
            and found[0].startswith((f"vm{mark}", f"base{mark}"))
        }
        number = next(index for index in range(len(taken) + 1) if index not in taken)
        return f"{prefix}-{vmid}-disk-{number}"

    @staticmethod
    def default_format(storage: Storage, content: str = "images") -> str:
        """Format a new disk gets on a storage."""
        return "subvol" if storage.type == "zfspool" and content == "rootdir" else "raw"

    @staticmethod
    def initial_use(storage: Storage, kind: str, size: int) -> int:
        """Bytes a fresh volume takes."""
        if storage.type == "lvmthin" or (kind == "raw" and storage.type in FILE_TYPES):
            return 0
        return _QCOW_HEADER + size // 8192 if kind == "qcow2" else size

    def used(self, storage: Storage, node: str) -> int:
        """Bytes taken on a storage as a node sees it."""
        if storage.name in self.full:
            return storage.total
        volumes = sum(
            volume.size if volume.used is None else volume.used
            for volume in self._here(storage.name, node).values()
        )
        return storage.base_used + volumes // _BLOCK * _BLOCK

    def available(self, storage: Storage, node: str) -> int:
        """Bytes free on a storage as a node sees it."""
        return max(0, storage.total - self.used(storage, node))

    def path(self, volid: str) -> str:
        """Return the path of a volume in the node's file system."""
        storage, name = volid.split(":", 1)
        where = self.storage(storage)
        if where.type not in FILE_TYPES:
            return f"/dev/{where.options.get('vgname', storage)}/{name}"
        root = where.options.get("path", f"/mnt/pve/{storage}")
        folder, _, rest = name.partition("/")
        return (
            f"{root}/{_FOLDERS[folder]}/{rest}" if folder in _FOLDERS else f"{root}/images/{name}"
        )

    def owned(self, vmid: int, node: str, storages: Iterable[str]) -> list[Volume]:
        """List a guest's disk volumes on some storages."""
        return [
            volume
            for storage in storages
            for volume in self.on(storage, node)
            if volume.vmid == vmid and volume.content in ("images", "rootdir")
        ]

    def _here(self, storage: str, node: str) -> dict[str, Volume]:
        found = self._storages.get(storage)
        home = "" if found is not None and found.shared else node
        return self._volumes.setdefault((storage, home), {})


def _suffix(storage: Storage, kind: str) -> str:
    return f".{kind}" if storage.type in FILE_TYPES else ""
