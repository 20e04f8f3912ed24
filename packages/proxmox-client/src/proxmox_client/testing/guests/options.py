"""Options a guest's configuration may hold, and how their stored text looks in an answer."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from typing import Literal

from proxmox_client import schema

Kind = Literal["qemu", "lxc"]

HIDDEN = "**********"
_FAMILY_LIMIT = {
    "qemu": {
        "hostpci": 16, "ide": 4, "ipconfig": 32, "net": 32, "numa": 8, "parallel": 3, "sata": 6,
        "scsi": 31, "serial": 4, "unused": 256, "usb": 14, "virtio": 16, "virtiofs": 10,
    },
    "lxc": {"dev": 256, "mp": 256, "net": 32, "unused": 256},
}  # fmt: skip
_NOT_CONFIG = {
    "qemu": frozenset(
        [
            "archive",
            "background_delay",
            "bwlimit",
            "cdrom",
            "delete",
            "digest",
            "force",
            "ha-managed",
            "import-working-storage",
            "live-restore",
            "node",
            "pool",
            "revert",
            "skip_cloud_init",
            "skiplock",
            "start",
            "storage",
            "unique",
            "vmid",
        ]
    ),
    "lxc": frozenset(
        [
            "bwlimit",
            "delete",
            "digest",
            "force",
            "ha-managed",
            "ignore-unpack-errors",
            "node",
            "ostemplate",
            "password",
            "pool",
            "restore",
            "revert",
            "ssh-public-keys",
            "start",
            "storage",
            "unique",
            "vmid",
        ]
    ),
}
_ONLY_IN_FILES = {
    "qemu": frozenset(
        {
            "meta",
            "parent",
            "snaptime",
            "vmstate",
            "runningmachine",
            "runningcpu",
            "running-nets-host-mtu",
        }
    ),
    "lxc": frozenset({"parent", "snaptime"}),
}
_INTEGERS_IN_FILES = frozenset({"snaptime"})
_INDEXED = re.compile(r"([a-z]+)(\d+)")


@functools.cache
def _types(kind: Kind) -> Mapping[str, str]:
    """Return the schema's type of each option; families under their stem."""
    found: dict[str, str] = {}
    for method, path in (
        ("POST", f"/nodes/{{node}}/{kind}"),
        ("PUT", f"/nodes/{{node}}/{kind}/{{vmid}}/config"),
    ):
        for name, facts in schema.operation(method, path).parameters.items():
            if name not in _NOT_CONFIG[kind]:
                found[name] = facts.type
    return found


def option_exists(kind: Kind, name: str) -> bool:
    """Whether PVE knows an option of this name."""
    if name in _types(kind) and not name.endswith("[n]"):
        return True
    if name in _ONLY_IN_FILES[kind]:
        return True
    indexed = _INDEXED.fullmatch(name)
    if indexed is None:
        return False
    return int(indexed[2]) < _FAMILY_LIMIT[kind].get(indexed[1], 0)


def config_params(kind: Kind, sent: Mapping[str, str]) -> dict[str, str]:
    """Pick the parameters of a request that are options, as text."""
    return {name: text for name, text in sent.items() if name not in _NOT_CONFIG[kind]}


def api_value(kind: Kind, name: str, text: str) -> str | int:
    """Return a stored text as an answer shows it: whole numbers and booleans as numbers."""
    if name in _INTEGERS_IN_FILES or _types(kind).get(name) in ("integer", "boolean"):
        try:
            return int(text)
        except ValueError:
            return text
    return text


def api_config(kind: Kind, config: Mapping[str, str], *, hide: bool = True) -> dict[str, str | int]:
    """Return a configuration as an answer shows it."""
    shown: dict[str, str | int] = {
        name: api_value(kind, name, text) for name, text in config.items()
    }
    if hide and "cipassword" in shown:
        shown["cipassword"] = HIDDEN
    return shown


def normalise_tags(text: str) -> str:
    """Write tags as PVE does: each once, lower case, sorted, joined by semicolons."""
    words: Iterable[str] = re.split(r"[,;\s]+", text)
    return ";".join(sorted({word.lower() for word in words if word}))


def normalise_description(kind: Kind, text: str) -> str:
    """Write a description as it comes back: only a container's ends in a line feed."""
    if kind == "qemu":
        return text.rstrip()
    stripped = text.rstrip("\n")
    return stripped + "\n" if stripped else ""


def split_list(text: str | None) -> list[str]:
    """Split a list parameter at commas, semicolons and white space."""
    return [word for word in re.split(r"[,;\s\0]+", text or "") if word]


def memory_mib(kind: Kind, config: Mapping[str, str]) -> int:
    """Return the guest's memory in MiB."""
    text = config.get("memory", "512").removeprefix("current=").split(",")[0]
    return int(text)


def cpu_count(kind: Kind, config: Mapping[str, str], host_cpus: int) -> int:
    """Return the number of processors that status entries show."""
    if kind == "lxc":
        limit = float(config.get("cpulimit", "0"))
        return int(config.get("cores", "0")) or (max(1, round(limit)) if limit else host_cpus)
    if config.get("vcpus", "0") != "0":
        return int(config["vcpus"])
    return min(int(config.get("sockets", "1")) * int(config.get("cores", "1")), host_cpus)
