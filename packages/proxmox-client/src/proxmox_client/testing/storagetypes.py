"""What PVE's storage plugins need and may hold."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

_COMMON = frozenset(
    ("content", "nodes", "disable", "shared", "bwlimit", "prune-backups", "max-protected-backups",
     "preallocation", "maxfiles", "format", "content-dirs", "mkdir", "create-base-path",
     "create-subdirs", "snapshot-as-volume-chain")
)  # fmt: skip
_FILES = ("images", "rootdir", "vztmpl", "iso", "backup", "snippets", "import")
_BLOCKS = ("images", "rootdir")


@attrs.frozen
class Plugin:
    """One type of storage.

    Attributes:
        required: Options without which it cannot be created.
        fixed: Options that cannot be changed later.
        own: Options only this type knows.
        content: Content types it may hold.
        default_content: What it holds if nobody says.
    """

    required: tuple[str, ...]
    fixed: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    content: tuple[str, ...] = _BLOCKS
    default_content: str = "images,rootdir"

    @property
    def options(self) -> frozenset[str]:
        """All options the type knows."""
        return _COMMON | {*self.required, *self.fixed, *self.own}


_NET = ("server", "export", "share", "username", "password", "domain", "smbversion", "subdir")

PLUGINS: Mapping[str, Plugin] = {
    "dir": Plugin(("path",), ("path",), ("is_mountpoint",), _FILES, "images"),
    "btrfs": Plugin(("path",), ("path",), ("is_mountpoint",), _FILES, "images,rootdir"),
    "nfs": Plugin(
        ("server", "export"), ("export", "path"), ("server", "options", "path"), _FILES, "images"
    ),
    "cifs": Plugin(
        ("server", "share"), ("share", "path"), (*_NET, "path", "options"), _FILES, "images"
    ),
    "pbs": Plugin(
        ("server", "datastore"),
        ("datastore",),
        ("username", "password", "fingerprint", "encryption-key", "master-pubkey", "namespace",
         "port"),
        ("backup",),
        "backup",
    ),
    "lvm": Plugin(
        ("vgname",),
        ("vgname", "base"),
        ("saferemove", "saferemove_throughput", "saferemove-stepsize", "tagged_only"),
        _BLOCKS,
        "images",
    ),
    "lvmthin": Plugin(("thinpool", "vgname"), ("thinpool", "vgname"), ("tagged_only",)),
    "zfspool": Plugin(("pool",), ("pool",), ("blocksize", "sparse", "mountpoint")),
    "zfs": Plugin(
        ("iscsiprovider", "pool", "portal", "target"),
        ("iscsiprovider", "pool", "portal", "target"),
        ("blocksize", "sparse", "nowritecache", "comstar_hg", "comstar_tg", "lio_tpg",
         "zfs-base-path"),
        ("images",),
        "images",
    ),
    "rbd": Plugin(
        (),
        (),
        ("pool", "data-pool", "monhost", "username", "krbd", "keyring", "namespace", "fsname"),
    ),
    "cephfs": Plugin(
        (),
        (),
        ("path", "monhost", "username", "subdir", "fuse", "keyring", "fs-name", "options"),
        ("vztmpl", "iso", "backup", "snippets", "import"),
        "backup",
    ),
    "iscsi": Plugin(("portal", "target"), ("portal", "target"), (), ("images", "none"), "images"),
    "iscsidirect": Plugin(
        ("portal", "target"), ("portal", "target"), (), ("images", "none"), "images"
    ),
    "esxi": Plugin(
        ("server", "username", "password"),
        ("server",),
        ("skip-cert-verification",),
        ("import",),
        "import",
    ),
}  # fmt: skip
