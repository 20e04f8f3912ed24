"""Files that come to a storage: uploads and downloads; and old backups that go."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

from proxmox_client.testing.backups import pruning
from proxmox_client.testing.request import UPLOAD_SOURCE, Call, PveFault
from proxmox_client.testing.routing import handles
from proxmox_client.testing.seeding import add_volume
from proxmox_client.testing.state import Storage, Volume
from proxmox_client.testing.tasks import TaskFailed, TaskRecord

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_ENDINGS = {
    "iso": r".+\.(?:iso|img)",
    "vztmpl": r".+\.(?:tar(?:\.(?:gz|xz|zst))?|tgz)",
    "import": r".+\.(?:ova|ovf|qcow2|raw|vmdk)",
}


def _target(cluster: SimulatedCluster, call: Call) -> tuple[Storage, str]:
    """Return the storage and the volume's name for a file that arrives."""
    content, filename = call["content"], call["filename"]
    if not re.fullmatch(_ENDINGS[content], filename, re.IGNORECASE):
        raise PveFault.parameters({"filename": "wrong file extension"})
    storage = cluster.volumes.usable(call["storage"], call.node)
    if content not in storage.content:
        raise PveFault(500, f"storage '{storage.name}' does not support '{content}' content")
    return storage, f"{storage.name}:{content}/{filename}"


@handles("POST", "/nodes/{node}/storage/{storage}/upload")
def upload(cluster: SimulatedCluster, call: Call) -> str:
    """Take a file; the checksum is compared in the task."""
    storage, volid = _target(cluster, call)
    data = call.upload.data if call.upload else b""
    path = cluster.volumes.path(volid)
    source = call.get("tmpfilename", UPLOAD_SOURCE)

    def work(task: TaskRecord) -> None:
        task.log(f"starting file import from: {source}")
        if "checksum" in call:
            _compare(task, call, data)
        task.log(f"target node: {call.node}\ntarget file: {path}\nfile size is: {len(data)}")
        task.log(f"command: cp -- {source} {path}")
        if len(data) > cluster.volumes.available(storage, call.node):
            raise TaskFailed("import failed: No space left on device")
        add_volume(cluster, volid, len(data), call.node)
        task.log("finished file import successfully")

    return cluster.tasks.start(
        call.node, "imgcopy", work, user=call.identity.authid, delay=0.0, duration=0.2
    )


def _compare(task: TaskRecord, call: Call, data: bytes) -> None:
    actual = hashlib.new(call["checksum-algorithm"], data).hexdigest()
    if actual != call["checksum"].lower():
        task.log("calculating checksum...")
        raise TaskFailed(f"checksum mismatch: got '{actual}' != expect '{call['checksum']}'")
    task.log("calculating checksum...OK, checksum verified")


@handles("POST", "/nodes/{node}/storage/{storage}/download-url")
def download(cluster: SimulatedCluster, call: Call) -> str:
    """Fetch a file: from `SimulatedCluster.downloads` if it is there, else nobody answers."""
    storage, volid = _target(cluster, call)
    url = call["url"]
    path = cluster.volumes.path(volid)

    def work(task: TaskRecord) -> None:
        task.log(f"downloading {url} to {path}")
        data = cluster.downloads.get(url)
        if data is None:
            host = re.sub(r"^\w+://([^/]+).*", r"\1", url)
            raise TaskFailed(
                f"download failed: Connecting to {host}... failed: Connection refused."
            )
        if "checksum" in call:
            _compare(task, call, data)
        if len(data) > cluster.volumes.available(storage, call.node):
            raise TaskFailed("download failed: No space left on device")
        add_volume(cluster, volid, len(data), call.node)
        task.log("download finished")

    return cluster.tasks.start(
        call.node, "download", work, id=call["filename"], user=call.identity.authid
    )


def _rules(cluster: SimulatedCluster, call: Call) -> dict[str, int]:
    """Return how many backups to keep, from the call or the storage's configuration."""
    storage = cluster.volumes.usable(call["storage"], call.node)
    text = call.get("prune-backups") or storage.options.get("prune-backups")
    if not text:
        raise PveFault(500, f"no prune-backups options configured for storage '{storage.name}'")
    return pruning.parse(text)


def _marked(cluster: SimulatedCluster, call: Call) -> list[tuple[Volume, str]]:
    """Mark every backup of the wanted guests and kinds: keep, remove or protected."""
    wanted = [
        volume
        for volume in cluster.volumes.on(call["storage"], call.node)
        if call.get("vmid", volume.vmid) == volume.vmid
        and call.get("type") in (None, pruning.kind_of(volume))
    ]
    return pruning.marked(wanted, _rules(cluster, call))


@handles("GET", "/nodes/{node}/storage/{storage}/prunebackups")
def prune_preview(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """Say which backups would go."""
    return [
        {
            "volid": volume.volid,
            "ctime": int(volume.ctime),
            "type": "lxc" if "-lxc-" in volume.name else "qemu",
            "vmid": volume.vmid,
            "mark": mark,
        }
        for volume, mark in _marked(cluster, call)
    ]


@handles("DELETE", "/nodes/{node}/storage/{storage}/prunebackups")
def prune(cluster: SimulatedCluster, call: Call) -> str:
    """Remove old backups in a task."""
    _rules(cluster, call)

    def work(task: TaskRecord) -> None:
        for volume, mark in _marked(cluster, call):
            if mark == "remove":
                cluster.volumes.remove(volume)
                task.log(f"removed backup '{volume.volid}'")

    subject = f"{call['vmid']}@{call['storage']}" if "vmid" in call else call["storage"]
    return cluster.tasks.start(
        call.node, "prunebackups", work, id=subject, user=call.identity.authid
    )
