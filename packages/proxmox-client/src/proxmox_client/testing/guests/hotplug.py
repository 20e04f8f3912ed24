"""Which changes a running guest takes at once and which have to wait for a stop and start."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping

from proxmox_client.testing.guests import keyed, nics
from proxmox_client.testing.guests.drives import Drive, is_drive, parse_drive
from proxmox_client.testing.guests.options import Kind


class Outcome(enum.Enum):
    """What becomes of a change to a running guest."""

    LIVE = "live"
    PENDING = "pending"
    UNPLUG = "unplug"
    """Takes effect at once if the guest gives the device back."""


FAST = {
    "qemu": frozenset(
        [
            "description",
            "hookscript",
            "lock",
            "migrate_downtime",
            "migrate_speed",
            "name",
            "onboot",
            "protection",
            "shares",
            "startup",
            "tags",
            "vmstatestorage",
        ]
    ),
    "lxc": frozenset(
        [
            "description",
            "onboot",
            "startup",
            "protection",
            "hostname",
            "hookscript",
            "cores",
            "tags",
            "lock",
        ]
    ),
}
# What cloud-init reads goes into the configuration at once; its drive follows when regenerated.
_CLOUD_INIT = re.compile(
    r"ci(type|user|password|upgrade|custom)|searchdomain|nameserver|sshkeys|ipconfig\d+"
)
_COLD_DRIVE_KEYS = (
    "aio",
    "discard",
    "iothread",
    "queues",
    "product",
    "cache",
    "ssd",
    "vendor",
    "ro",
)
_NOT_HOTPLUGGABLE = re.compile(r"(ide|sata|efidisk|tpmstate)\d+")
_LXC_LIVE = re.compile(r"cpulimit|cpuunits|memory|swap|net\d+|unused\d+")
_KNOWS_USB = frozenset({"l26", "win8", "win10", "win11"})
_DEFAULT_FEATURES = frozenset({"network", "disk", "usb"})


def features(config: Mapping[str, str]) -> frozenset[str]:
    """Return what the machine's ``hotplug`` option allows."""
    text = config.get("hotplug", "1")
    if text == "0":
        return frozenset()
    return _DEFAULT_FEATURES if text == "1" else frozenset(text.split(","))


def change(kind: Kind, config: Mapping[str, str], name: str, new: str) -> Outcome:
    """Say what setting an option does to a running guest."""
    if _fast(kind, name):
        return Outcome.LIVE
    if kind == "lxc":
        added = name not in config and re.fullmatch(r"(mp|dev)\d+", name)
        return Outcome.LIVE if added or _LXC_LIVE.fullmatch(name) else Outcome.PENDING
    allowed = features(config)
    if re.fullmatch(r"net\d+", name):
        return _net(config.get(name), new, "network" in allowed)
    if is_drive(name):
        return _drive(config.get(name), parse_drive(name, new), "disk" in allowed)
    return _qemu_option(config, name, new, allowed)


def removal(kind: Kind, config: Mapping[str, str], name: str) -> Outcome:
    """Say what removing an option does to a running guest."""
    if _fast(kind, name):
        return Outcome.LIVE
    if kind == "lxc":
        return Outcome.LIVE if name != "memory" and _LXC_LIVE.fullmatch(name) else Outcome.PENDING
    allowed = features(config)
    if re.fullmatch(r"net\d+", name):
        return Outcome.UNPLUG if "network" in allowed else Outcome.PENDING
    if is_drive(name):
        cold = "disk" not in allowed or _NOT_HOTPLUGGABLE.fullmatch(name)
        return Outcome.PENDING if cold else Outcome.UNPLUG
    if name == "balloon":
        return Outcome.PENDING if config.get("balloon") == "0" else Outcome.LIVE
    if name == "hotplug":
        cold = re.search("cpu|memory", config.get("hotplug", ""))
        return Outcome.PENDING if cold else Outcome.LIVE
    return _by_feature(config, name, allowed)


def _fast(kind: Kind, name: str) -> bool:
    return name in FAST[kind] or (kind == "qemu" and _CLOUD_INIT.fullmatch(name) is not None)


def _agent(old: str | None, new: str) -> Outcome:
    """Only whether cloned disks are trimmed matters to nobody but us, and can change at once."""
    if old is None:
        return Outcome.PENDING
    ours, theirs = (
        {k: v for k, v in keyed.parse(text, "enabled").items() if k != "fstrim_cloned_disks"}
        for text in (old, new)
    )
    return Outcome.LIVE if ours == theirs else Outcome.PENDING


def _by_feature(config: Mapping[str, str], name: str, allowed: frozenset[str]) -> Outcome:
    if name in ("cpuunits", "cpulimit"):
        return Outcome.LIVE
    needed = {"tablet": "usb", "vcpus": "cpu", "memory": "memory"}.get(name)
    if re.fullmatch(r"usb\d+", name):
        # Older systems, and those that nobody named, do not notice new devices.
        needed = "usb" if config.get("ostype") in _KNOWS_USB else None
    return Outcome.LIVE if needed in allowed else Outcome.PENDING


def _qemu_option(
    config: Mapping[str, str], name: str, new: str, allowed: frozenset[str]
) -> Outcome:
    if name == "balloon":
        was, will = config.get("balloon") != "0", new != "0"
        return Outcome.LIVE if was == will else Outcome.PENDING
    if name == "agent":
        return _agent(config.get("agent"), new)
    if name == "hotplug":
        cold = re.search("cpu|memory", new + config.get("hotplug", ""))
        return Outcome.PENDING if cold else Outcome.LIVE
    return _by_feature(config, name, allowed)


def _net(old: str | None, new: str, allowed: bool) -> Outcome:
    if old is not None and not nics.needs_replug(old, new):
        return Outcome.LIVE
    if not allowed:
        return Outcome.PENDING
    return Outcome.LIVE if old is None else Outcome.UNPLUG


def _drive(old_text: str | None, new: Drive, allowed: bool) -> Outcome:
    if new.slot in ("efidisk0", "tpmstate0"):
        return Outcome.PENDING
    if old_text is None:
        cold = not allowed or _NOT_HOTPLUGGABLE.fullmatch(new.slot)
        return Outcome.PENDING if cold else Outcome.LIVE
    old = parse_drive(new.slot, old_text)
    if old.is_cdrom:
        return Outcome.LIVE
    if new.volid != old.volid:
        return Outcome.UNPLUG if allowed else Outcome.PENDING
    same = all(new.keys.get(key) == old.keys.get(key) for key in _COLD_DRIVE_KEYS)
    return Outcome.LIVE if same else Outcome.PENDING
