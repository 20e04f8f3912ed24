"""Packages of a node: repositories, updates, versions; and container templates to download."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from proxmox_client.testing.digest import check_digest, digest_of
from proxmox_client.testing.handlers.version import full_version
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles
from proxmox_client.testing.state import Volume
from proxmox_client.testing.tasks import TaskFailed, TaskRecord

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_REPOSITORIES = "/nodes/{node}/apt/repositories"
_MIRROR = "http://download.proxmox.com/debian/pve"
_STANDARD = {
    "enterprise": ("Enterprise", "pve-enterprise", "https://enterprise.proxmox.com/debian/pve"),
    "no-subscription": ("No-Subscription", "pve-no-subscription", _MIRROR),
    "test": ("Test", "pve-test", _MIRROR),
}
_PACKAGES = ("corosync", "libpve-access-control", "libpve-common-perl", "libpve-storage-perl",
             "pve-cluster", "pve-container", "pve-firewall", "pve-ha-manager", "pve-qemu-kvm",
             "qemu-server", "zfsutils-linux")  # fmt: skip
_KERNEL = "6.17.2-1-pve"
_TEMPLATES = {
    "alpine-3.22-default_20250617_amd64.tar.xz": ("alpine-3.22", "alpine-3.22-default", "Alpine"),
    "debian-12-standard_12.12-1_amd64.tar.zst": ("debian-12", "debian-12-standard", "Debian 12"),
    "debian-13-standard_13.1-2_amd64.tar.zst": ("debian-13", "debian-13-standard", "Debian 13"),
    "ubuntu-24.04-standard_24.04-2_amd64.tar.zst": (
        "ubuntu-24.04",
        "ubuntu-24.04-standard",
        "Ubuntu 24.04",
    ),
}
_TEMPLATE_SIZE = 130_000_000


def _suite(cluster: SimulatedCluster) -> str:
    return "bookworm" if cluster.version.startswith("8") else "trixie"


def _file(name: str, uris: list[str], suites: list[str], parts: list[str]) -> dict[str, Any]:
    entry = {
        "Types": ["deb"],
        "URIs": uris,
        "Suites": suites,
        "Components": parts,
        "Comment": "",
        "Enabled": 1,
        "FileType": "sources",
    }
    path = f"/etc/apt/sources.list.d/{name}.sources"
    return {"path": path, "file-type": "sources", "repositories": [entry]}


def _files(cluster: SimulatedCluster, node: str) -> list[dict[str, Any]]:
    suite = _suite(cluster)
    debian = _file("debian", ["http://mirror.example.org/debian"], [suite], ["main", "contrib"])
    uri, part = _STANDARD["enterprise"][2], _STANDARD["enterprise"][1]
    found: list[dict[str, Any]] = cluster.nodes[node].files.setdefault(
        "apt", [debian, _file("pve-enterprise", [uri], [suite], [part])]
    )
    return found


def _digest(cluster: SimulatedCluster, node: str) -> str:
    return digest_of(str(_files(cluster, node)))


@handles("GET", "/nodes/{node}/apt")
def index(cluster: SimulatedCluster, call: Call) -> list[dict[str, str]]:
    """List what is below."""
    return [{"id": name} for name in ("changelog", "repositories", "update", "versions")]


@handles("GET", _REPOSITORIES)
def repositories(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return the sources of packages, file by file."""
    files = _files(cluster, call.node)
    standard: list[dict[str, Any]] = []
    for handle, (name, part, _) in _STANDARD.items():
        states = [
            entry["Enabled"]
            for file in files
            for entry in file["repositories"]
            if part in entry["Components"]
        ]
        row: dict[str, Any] = {"handle": handle, "name": name, "description": name}
        standard.append(row | ({"status": max(states)} if states else {}))
    return {
        "digest": _digest(cluster, call.node),
        "errors": [],
        "files": [
            {**file, "digest": list(hashlib.sha256(str(file).encode()).digest())} for file in files
        ],
        "infos": [],
        "standard-repos": standard,
    }


@handles("PUT", _REPOSITORIES)
def add_repository(cluster: SimulatedCluster, call: Call) -> None:
    """Add one of the standard repositories, or switch it on."""
    check_digest(call.sent.get("digest"), _digest(cluster, call.node))
    if call["handle"] not in _STANDARD:
        raise PveFault(500, f"unknown repository handle '{call['handle']}'")
    _, part, uri = _STANDARD[call["handle"]]
    for file in _files(cluster, call.node):
        for entry in file["repositories"]:
            if part in entry["Components"]:
                entry["Enabled"] = 1
                return
    _files(cluster, call.node).append(_file(part, [uri], [_suite(cluster)], [part]))


@handles("POST", _REPOSITORIES)
def switch_repository(cluster: SimulatedCluster, call: Call) -> None:
    """Switch one entry of a file on or off."""
    check_digest(call.sent.get("digest"), _digest(cluster, call.node))
    for file in _files(cluster, call.node):
        if file["path"] == call["path"]:
            if call["index"] >= len(file["repositories"]):
                raise PveFault(500, f"invalid index - {call['index']}")
            if "enabled" in call:
                file["repositories"][call["index"]]["Enabled"] = call["enabled"]
            return
    raise PveFault(500, f"invalid path - {call['path']}")


def _package(name: str, version: str) -> dict[str, Any]:
    return {
        "Package": name,
        "Title": name,
        "Description": name,
        "Version": version,
        "OldVersion": version,
        "Arch": "amd64",
        "Origin": "Proxmox",
        "Priority": "optional",
        "Section": "admin",
    }


@handles("GET", "/nodes/{node}/apt/versions")
def versions(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """Return the versions of the packages that matter."""
    installed = full_version(cluster.version)
    manager = f"pve-manager/{installed}"
    rows = [
        _package("proxmox-ve", f"{cluster.version}.0") | {"RunningKernel": _KERNEL},
        _package("pve-manager", installed) | {"ManagerVersion": manager},
        *(_package(name, f"{cluster.version}.0") for name in _PACKAGES),
    ]
    return [row | {"CurrentState": "Installed"} for row in rows]


@handles("GET", "/nodes/{node}/apt/update")
def updates(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List packages that could be updated: what a test put into the node's files."""
    found: list[dict[str, Any]] = cluster.nodes[call.node].files.get("updates", [])
    return [_package(row["Package"], row["OldVersion"]) | row for row in found]


@handles("POST", "/nodes/{node}/apt/update")
def refresh(cluster: SimulatedCluster, call: Call) -> str:
    """Read the lists of packages anew."""

    def work(task: TaskRecord) -> Iterator[float]:
        if not call.get("quiet"):
            task.log("starting apt-get update")
        for number, file in enumerate(_files(cluster, call.node), start=1):
            entry = file["repositories"][0]
            yield 0.4
            if entry["Enabled"] and "enterprise" in entry["URIs"][0]:
                if cluster.nodes[call.node].files.get("subscription") is None:
                    task.log(f"Err:{number} {entry['URIs'][0]} {entry['Suites'][0]} InRelease")
                    raise TaskFailed("command 'apt-get update' failed: exit code 100")
            elif entry["Enabled"] and not call.get("quiet"):
                task.log(f"Hit:{number} {entry['URIs'][0]} {entry['Suites'][0]} InRelease")
        if not call.get("quiet"):
            task.log("Reading package lists...")

    return cluster.tasks.start(call.node, "aptupdate", work, user=call.identity.authid)


@handles("GET", "/nodes/{node}/apt/changelog")
def changelog(cluster: SimulatedCluster, call: Call) -> str:
    """Return a package's changelog; nobody wrote any, which apt says with its exit code."""
    return "RC: 100"


# --- templates ------------------------------------------------------------------------------


@handles("GET", "/nodes/{node}/aplinfo")
def templates(cluster: SimulatedCluster, call: Call) -> list[dict[str, str]]:
    """List container templates that can be downloaded."""
    rows: list[dict[str, str]] = []
    for template, (system, package, headline) in _TEMPLATES.items():
        rows.append(
            {
                "template": template,
                "package": package,
                "os": system,
                "type": "lxc",
                "section": "system",
                "version": template.split("_")[1],
                "architecture": "amd64",
                "headline": headline,
                "description": headline,
                "location": f"http://download.proxmox.com/images/system/{template}",
                "source": "https://releases.proxmox.com/",
                "infopage": "https://pve.proxmox.com/wiki/Linux_Container",
                "maintainer": "Proxmox Support Team <support@proxmox.com>",
                "sha512sum": hashlib.sha512(template.encode()).hexdigest(),
            }
        )
    return rows


@handles("POST", "/nodes/{node}/aplinfo")
def download_template(cluster: SimulatedCluster, call: Call) -> str:
    """Download a container template."""
    template = call["template"]
    if template not in _TEMPLATES:
        raise PveFault.parameters({"template": "no such template"})
    storage = cluster.volumes.usable(call["storage"], call.node)
    if "vztmpl" not in storage.content:
        raise PveFault(500, f"storage '{storage.name}' does not support templates")
    volid = f"{storage.name}:vztmpl/{template}"

    def work(task: TaskRecord) -> Iterator[float]:
        task.log(f"downloading http://download.proxmox.com/images/system/{template}")
        yield 4.0
        left = cluster.volumes.available(storage, call.node)
        if storage.name in cluster.volumes.full or left < _TEMPLATE_SIZE:
            raise TaskFailed("download failed: No space left on device")
        kind = "t" + template.rpartition(".")[2]
        cluster.volumes.put(
            Volume(volid, call.node, "vztmpl", kind, _TEMPLATE_SIZE, cluster.clock.now())
        )
        task.log("download finished")

    user = call.identity.authid
    return cluster.tasks.start(call.node, "download", work, id=template, user=user)
