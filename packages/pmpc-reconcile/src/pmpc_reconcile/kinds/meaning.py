"""What the API facts do not say about options: data, with the reason next to each table.

Keys are `(guest, option without its index)`; `*` as guest means both.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

Key = tuple[str, str]

# How many members an indexed family has (PVE::QemuServer and PVE::LXC::Config; a higher index is
# refused as an unknown property, recorded for scsi99).
SLOTS: Final[Mapping[Key, int]] = MappingProxyType(
    {
        ("qemu", "net"): 32,
        ("qemu", "ipconfig"): 32,
        ("qemu", "scsi"): 31,
        ("qemu", "virtio"): 16,
        ("qemu", "sata"): 6,
        ("qemu", "ide"): 4,
        ("qemu", "usb"): 14,
        ("qemu", "hostpci"): 16,
        ("qemu", "numa"): 8,
        ("qemu", "serial"): 4,
        ("qemu", "parallel"): 3,
        ("qemu", "virtiofs"): 10,
        ("lxc", "net"): 32,
        ("lxc", "mp"): 256,
        ("lxc", "dev"): 256,
    }
)

# Options whose value names a volume.
DISKS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "qemu": frozenset({"scsi", "sata", "ide", "virtio", "efidisk0", "tpmstate0"}),
        "lxc": frozenset({"rootfs", "mp"}),
    }
)

# Disks that carry firmware state: PVE sizes them itself.
FIXED_SIZE_DISKS: Final = frozenset({"efidisk0", "tpmstate0"})

# The key of a disk that names its volume, under whichever name PVE knows it.
VOLUME_KEYS: Final = frozenset({"file", "volume"})

# Property strings with a single key, which older versions declare as a plain value
# (memory became `[current=]N` in 8.1).
COLLAPSED: Final[Mapping[Key, str]] = MappingProxyType({("qemu", "memory"): "current"})

# Keys with a newer name: the older one is what every version takes (9.2 calls it an alias).
RENAMED: Final[Mapping[Key, Mapping[str, str]]] = MappingProxyType(
    {("qemu", "agent"): {"freeze-fs": "freeze-fs-on-backup"}}
)

# Values with several entries where the order says nothing.
UNORDERED_KEYS: Final = frozenset(
    {
        ("qemu", "net", "trunks"),
        ("lxc", "net", "trunks"),
        ("qemu", "cpu", "flags"),
        ("lxc", "features", "mount"),
        ("lxc", "mp", "mountoptions"),
        ("lxc", "rootfs", "mountoptions"),
    }
)
UNORDERED_OPTIONS: Final = frozenset(
    {("qemu", "hotplug"), ("Storage", "content"), ("Storage", "nodes"), ("Storage", "content-dirs")}
)

# Entries separated by ";" whose order counts.
ORDERED_KEYS: Final = frozenset({("qemu", "boot", "order")})

# Entries whose order counts, written as one text (DNS servers are asked in turn).
ORDERED_OPTIONS: Final = frozenset(
    {("qemu", "nameserver"), ("lxc", "nameserver"), ("lxc", "searchdomain")}
)

# What PVE assumes where the facts name no default.
_DISK: Final[Mapping[str, object]] = {
    "backup": True,
    "cache": "none",
    "discard": "ignore",
    "iothread": False,
    "media": "disk",
    "replicate": True,
    "ro": False,
    "shared": False,
    "snapshot": False,
    "ssd": False,
    "scsiblock": False,
}
_MOUNT: Final[Mapping[str, object]] = {
    "quota": False,
    "ro": False,
    "replicate": True,
    "shared": False,
    "keepattrs": False,
}
_NETWORK: Final[Mapping[str, object]] = {"firewall": False, "link_down": False}

IMPLIED_KEYS: Final[Mapping[Key, Mapping[str, object]]] = MappingProxyType(
    {
        **{("qemu", name): _DISK for name in ("scsi", "sata", "ide", "virtio")},
        ("qemu", "net"): _NETWORK,
        ("lxc", "net"): {**_NETWORK, "type": "veth"},
        ("lxc", "mp"): {**_MOUNT, "backup": False},
        ("lxc", "rootfs"): _MOUNT,
        ("qemu", "cpu"): {"hidden": False},
        ("qemu", "smbios1"): {"base64": False},
        ("qemu", "machine"): {"enable-s3": False, "enable-s4": False},
    }
)

# Defaults in the facts that are not what a configuration without the option means: `vcpus` unset is
# all cores, `vmgenid` unset on an existing guest is none at all.
NO_DEFAULT: Final = frozenset({("qemu", "vcpus"), ("qemu", "vmgenid"), ("qemu", "startdate")})

# Defaults of unset options the facts leave out.
IMPLIED_OPTIONS: Final[Mapping[Key, object]] = MappingProxyType(
    {
        ("qemu", "freeze"): False,
        ("qemu", "localtime"): False,
        ("Storage", "disable"): False,
        ("Storage", "shared"): False,
        ("Storage", "sparse"): False,
        ("Storage", "saferemove"): False,
        ("Storage", "skip-cert-verification"): False,
        ("Storage", "tagged_only"): False,
    }
)

# Never shown again (or as asterisks): comparable only with what we remember of our own value.
WRITE_ONLY: Final = frozenset(
    {
        ("qemu", "cipassword"),
        ("lxc", "password"),
        ("Storage", "password"),
        ("Storage", "keyring"),
        ("Storage", "encryption-key"),
        ("Storage", "master-pubkey"),
    }
)

# Options PVE refuses to delete (`unable to delete required option`, `… read-only option`).
KEPT: Final = frozenset(
    {("lxc", "memory"), ("lxc", "ostype"), ("lxc", "rootfs"), ("lxc", "unprivileged")}
)

# Text that PVE keeps percent-encoded.
ENCODED: Final = frozenset({("qemu", "sshkeys")})

# Disk keys that say how to make the volume and are not kept (or not shown) afterwards.
CREATE_ONLY_KEYS: Final = frozenset({"import-from", "format"})

# Keys of firmware disks that are written into the volume when it is made.
FIRMWARE_KEYS: Final = frozenset({"efitype", "pre-enrolled-keys", "ms-cert", "version"})

# Keys PVE fills in by itself, or that only explain another one.
GENERATED_KEYS: Final = frozenset(
    {"macaddr", "hwaddr", "volume", "storage", "size", "media", "cloudinit", "uuid", "type"}
)
