"""Volumes that are copied, looked into, or come from elsewhere: images of registries and others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from proxmox_client.testing.guestwork.disks import check_volume_name
from proxmox_client.testing.permissions import require
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles
from proxmox_client.testing.seeding import add_volume
from proxmox_client.testing.state import Storage, Volume
from proxmox_client.testing.tasks import TaskFailed, TaskRecord
from proxmox_client.testing.volumes import FILE_TYPES

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_HERE = "/nodes/{node}/storage/{storage}"
_SEE = ("Datastore.Audit", "Datastore.AllocateSpace")
_IMAGE_SIZE = 50_000_000


def _volid(call: Call, name: str) -> str:
    return name if ":" in name else f"{call['storage']}:{name}"


@handles("POST", f"{_HERE}/content/{{volume}}")
def copy(cluster: SimulatedCluster, call: Call) -> str:
    """Copy a volume to another name, on this node or another one."""
    source, target = _volid(call, call["volume"]), _volid(call, call["target"])
    node = call.get("target_node", call.node)

    def work(task: TaskRecord) -> Iterator[float]:
        task.log(f"DEBUG: starting worker {task.upid}")
        volume = cluster.volumes.find(call.node, source)
        storage = cluster.volumes.usable(target.partition(":")[0], node)
        if volume is None:
            raise TaskFailed(f"volume '{source}' does not exist")
        if cluster.volumes.find(node, target) is not None:
            raise TaskFailed(f"volume '{target}' already exists")
        if volume.size > cluster.volumes.available(storage, node):
            raise TaskFailed("copy failed: No space left on device")
        yield 1.0
        copied = add_volume(cluster, target, volume.size, node)
        copied.used = volume.used
        task.log(f"DEBUG: end worker {task.upid}")

    return cluster.tasks.start(call.node, "imgcopy", work, user=call.identity.authid)


# --- backups --------------------------------------------------------------------------------


def _backup(cluster: SimulatedCluster, call: Call) -> Volume:
    """Return a backup on a backup server; only those can be looked into."""
    storage = cluster.volumes.storage(call["storage"])
    volid = _volid(call, call["volume"])
    name = volid.partition(":")[2]
    if storage.type in FILE_TYPES and re.fullmatch(r"backup/\S+\.(?:vma|tar|tgz)\S*", name) is None:
        raise PveFault(500, f"unable to parse directory volume name '{name}'")
    require(cluster.access, call.identity, f"/storage/{storage.name}", _SEE, any_of=True)
    if storage.type != "pbs":
        text = "Only PBS storages supported for file-restore."
        raise PveFault.parameters({"storage": text})
    volume = cluster.volumes.find(call.node, volid)
    if volume is None:
        raise PveFault(500, f"proxmox-file-restore failed: snapshot '{name}' does not exist")
    return volume


@handles("GET", f"{_HERE}/file-restore/list")
def list_files(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List files in a backup: a test may put names and sizes into the volume's ``files``."""
    files: dict[str, int] = _backup(cluster, call).extra.get("files", {})
    top = call["filepath"].strip("/")
    rows: dict[str, dict[str, Any]] = {}
    for path, size in sorted(files.items()):
        rest = path.strip("/").removeprefix(f"{top}/" if top else "")
        if top and rest == path.strip("/"):
            continue
        name, _, below = rest.partition("/")
        full = f"/{top}/{name}" if top else f"/{name}"
        kind = "d" if below else "f"
        row: dict[str, Any] = {"filepath": full, "text": name, "type": kind, "leaf": int(not below)}
        rows.setdefault(name, row | ({} if below else {"size": size}))
    return list(rows.values())


@handles("GET", f"{_HERE}/file-restore/download")
def download_file(cluster: SimulatedCluster, call: Call) -> str:
    """Return a file of a backup; only its size is known, so it is all zeros."""
    files: dict[str, int] = _backup(cluster, call).extra.get("files", {})
    path = "/" + call["filepath"].strip("/")
    if path not in files:
        raise PveFault(500, f"proxmox-file-restore failed: file '{path}' does not exist")
    return "\0" * files[path]


# --- imports --------------------------------------------------------------------------------


@handles("GET", f"{_HERE}/identity")
def identity(cluster: SimulatedCluster, call: Call) -> dict[str, str]:
    """Return what tells a storage's server from others; only backup servers say it."""
    storage = cluster.volumes.usable(call["storage"], call.node)
    if storage.type != "pbs":
        where = "/usr/share/perl5/PVE/Storage/Plugin.pm line 2681."
        raise PveFault(500, f"get_identity not implemented for this plugin at {where}")
    return {"type": "pbs", "id": f"{storage.options['server']}/{storage.options['datastore']}"}


@handles("GET", f"{_HERE}/import-metadata")
def import_metadata(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Say how a foreign machine would be created: what a test put into the volume's ``import``."""
    storage = cluster.volumes.storage(call["storage"])
    require(cluster.access, call.identity, f"/storage/{storage.name}", _SEE, any_of=True)
    name: str = call["volume"]
    _check_import(storage, name)
    volume = cluster.volumes.find(call.node, f"{storage.name}:{name}")
    if volume is None:
        raise PveFault(500, f"volume '{storage.name}:{name}' does not exist")
    found: dict[str, Any] = volume.extra.get("import", {})
    arguments = {"name": name.rpartition("/")[2].rpartition(".")[0], "cores": 1, "memory": 512}
    return {
        "type": "vm",
        "source": "esxi",
        "create-args": arguments,
        "disks": {"scsi0": {"volid": volume.volid, "size": volume.size}},
        "net": {},
        "warnings": [],
        **found,
    }


def _check_import(storage: Storage, name: str) -> None:
    if storage.type == "esxi":
        return
    check_volume_name(storage, f"{storage.name}:{name}")
    content, _, file = name.partition("/")
    if content not in ("iso", "vztmpl", "backup", "snippets", "import"):
        content = "images"
    if content != "import":
        raise PveFault(500, f"invalid content type '{content}'")
    if not file.endswith((".ova", ".ovf")):
        raise PveFault(500, "invalid format")


@handles("POST", f"{_HERE}/oci-registry-pull")
def pull_image(cluster: SimulatedCluster, call: Call) -> str:
    """Fetch a container image from a registry as a template."""
    if not cluster.nodes[call.node].files.get("skopeo-installed"):
        raise PveFault(500, "Install 'skopeo' to pull OCI images from registries.")
    storage = cluster.volumes.usable(call["storage"], call.node)
    if storage.type not in FILE_TYPES:
        text = f"can't upload to storage type '{storage.type}', not a file based storage!"
        raise PveFault(500, text)
    if "vztmpl" not in storage.content:
        text = f"storage '{storage.name}' is not configured for content-type 'vztmpl'"
        raise PveFault(500, text)
    reference: str = call["reference"]
    file = re.sub(r"[^A-Za-z0-9_.\-]", "_", call.get("filename", reference)) + ".tar"
    volid = f"{storage.name}:vztmpl/{file}"
    if cluster.volumes.find(call.node, volid) is not None:
        raise PveFault(500, f"refusing to override existing file '{file}'")

    def work(task: TaskRecord) -> Iterator[float]:
        name, _, tag = reference.partition(":")
        yield 2.0
        if (tag or "latest") not in cluster.outside.images.get(name, ()):
            raise TaskFailed("command 'skopeo copy' failed: exit code 1")
        if cluster.volumes.available(storage, call.node) < _IMAGE_SIZE:
            raise TaskFailed("command 'skopeo copy' failed: No space left on device")
        add_volume(cluster, volid, _IMAGE_SIZE, call.node)

    user = call.identity.authid
    return cluster.tasks.start(call.node, "ociregistrypull", work, id=file, user=user)
