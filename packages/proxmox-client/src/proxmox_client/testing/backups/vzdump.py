"""Making backups: the work inside a ``vzdump`` task."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from proxmox_client.testing.backups import pruning
from proxmox_client.testing.backups.archive import included, name_of, take
from proxmox_client.testing.guests.guest import Guest
from proxmox_client.testing.guests.sizes import format_size
from proxmox_client.testing.locks import check_lock
from proxmox_client.testing.notifications import Notification, send
from proxmox_client.testing.request import PveFault
from proxmox_client.testing.state import Volume
from proxmox_client.testing.tasks import TaskFailed, TaskRecord

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

BYTES_PER_SECOND = 16 * 1024**3
_OVERHEAD = 821


def start(
    cluster: SimulatedCluster, node: str, vmids: list[int], options: Mapping[str, Any], user: str
) -> str:
    """Start a backup of guests of one node and return the task's UPID."""

    def work(task: TaskRecord) -> Iterator[float]:
        yield from back_up(cluster, node, vmids, options, task)

    subject = vmids[0] if len(vmids) == 1 else ""
    return cluster.tasks.start(node, "vzdump", work, id=subject, user=user)


def back_up(
    cluster: SimulatedCluster,
    node: str,
    vmids: list[int],
    options: Mapping[str, Any],
    task: TaskRecord,
) -> Iterator[float]:
    """Back up guests one after the other; a failure does not stop the others."""
    flags = " ".join(f"--{name} {text}" for name, text in options.items() if name != "vmid")
    ids = " ".join(str(vmid) for vmid in vmids)
    task.log(f"INFO: starting new backup job: vzdump {ids} {flags}".rstrip())
    storage = options.get("storage", "local")
    try:
        cluster.volumes.usable(storage, node)
    except PveFault as fault:
        raise TaskFailed(
            f"could not get storage information for '{storage}': {fault.message}"
        ) from None
    failed = False
    for vmid in vmids:
        try:
            yield from _one(cluster, node, vmid, storage, options, task)
        except PveFault as fault:
            failed = True
            task.log(f"ERROR: Backup of VM {vmid} failed - {fault.message}")
            task.log(f"INFO: Failed at {_now(cluster)}")
    _tell(cluster, node, options, failed=failed)
    if failed:
        task.log("INFO: Backup job finished with errors")
        raise TaskFailed("job errors")
    task.log("INFO: Backup job finished successfully")


def _tell(
    cluster: SimulatedCluster, node: str, options: Mapping[str, Any], *, failed: bool
) -> None:
    """Send the notification of a finished job."""
    fields = {"type": "vzdump", "hostname": node}
    if "job-id" in options:
        fields["job-id"] = str(options["job-id"])
    outcome = "backup failed" if failed else "backup successful"
    title = f"vzdump backup status ({node}): {outcome}"
    send(cluster, Notification("error" if failed else "info", title, fields))


def _now(cluster: SimulatedCluster) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(cluster.clock.now()))


def _one(
    cluster: SimulatedCluster,
    node: str,
    vmid: int,
    storage: str,
    options: Mapping[str, Any],
    task: TaskRecord,
) -> Iterator[float]:
    guest = cluster.guests.get(vmid)
    if guest is None or guest.node != node:
        raise PveFault(500, f"unable to find VM '{vmid}'")
    began = cluster.clock.now()
    task.log(f"INFO: Starting Backup of VM {vmid} ({guest.kind})")
    task.log(f"INFO: Backup started at {_now(cluster)}")
    task.log(f"INFO: status = {guest.status}")
    check_lock(guest)
    yield from cluster.locks.guest(guest)
    guest.config["lock"] = "backup"
    cluster.locks.release_guest(guest)
    try:
        yield from _copy(cluster, guest, storage, options, task)
        _prune(cluster, guest, storage, options, task)
    finally:
        guest.config.pop("lock", None)
    seconds = int(cluster.clock.now() - began)
    clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    task.log(f"INFO: Finished Backup of VM {vmid} ({clock})")
    task.log(f"INFO: Backup finished at {_now(cluster)}")


def _prune(
    cluster: SimulatedCluster,
    guest: Guest,
    storage: str,
    options: Mapping[str, Any],
    task: TaskRecord,
) -> None:
    """Remove the guest's older backups as the call, or else the storage, says."""
    text = options.get("prune-backups") or cluster.storages[storage].options.get("prune-backups")
    rules = pruning.parse(str(text or "keep-all=1"))
    if rules.get("keep-all") or options.get("remove", "1") == "0":
        return
    kept = ", ".join(f"{name}={rules[name]}" for name in sorted(rules))
    task.log(f"INFO: prune older backups with retention: {kept}")
    mine = [
        volume
        for volume in cluster.volumes.on(storage, guest.node)
        if volume.vmid == guest.vmid and pruning.kind_of(volume) == guest.kind
    ]
    gone = pruning.prune(cluster, mine, rules)
    for volid in gone:
        task.log(f"INFO: removing backup '{volid}'")
    extra = " not covered by keep-retention policy" if gone else ""
    task.log(f"INFO: pruned {len(gone)} backup(s){extra}")


def _copy(
    cluster: SimulatedCluster,
    guest: Guest,
    storage: str,
    options: Mapping[str, Any],
    task: TaskRecord,
) -> Iterator[float]:
    where = cluster.volumes.usable(storage, guest.node)
    if "backup" not in where.content:
        raise PveFault(500, f"storage '{storage}' does not support backups")
    archive = take(cluster, guest)
    task.log(f"INFO: backup mode: {options.get('mode', 'snapshot')}")
    for drive in included(guest):
        task.log(f"INFO: include disk '{drive.slot}' '{drive.volid}' {format_size(drive.size)}")
    name = name_of(guest, cluster.clock.now(), options.get("compress", "0"))
    volid = f"{storage}:backup/{name}"
    task.log(f"INFO: creating vzdump archive '{cluster.volumes.path(volid)}'")
    total = sum(size for *_, size in archive.disks)
    for done in (25, 50, 75, 100):
        yield 0.02 + total / BYTES_PER_SECOND / 4
        task.log(f"INFO: {done}% ({total * done // 100} B of {total} B)")
    size = _OVERHEAD + sum(
        volume.used or 0
        for drive in included(guest)
        if (volume := cluster.volumes.find(guest.node, drive.volid)) is not None
    )
    if storage in cluster.volumes.full or size > cluster.volumes.available(where, guest.node):
        raise PveFault(500, "job failed with err -28 - No space left on device")
    notes = options.get("notes-template")
    cluster.volumes.put(
        Volume(
            volid,
            guest.node,
            "backup",
            name.partition(".")[2],
            size,
            int(cluster.clock.now()),
            vmid=guest.vmid,
            notes=None if notes is None else _notes(cluster, guest, notes),
            protected=bool(int(options.get("protected", "0"))),
            payload=archive,
        )
    )


def _notes(cluster: SimulatedCluster, guest: Guest, template: str) -> str:
    words = {
        "guestname": guest.name or "",
        "vmid": str(guest.vmid),
        "node": guest.node,
        "cluster": cluster.name or "standalone node",
    }
    for word, value in words.items():
        template = template.replace("{{" + word + "}}", value)
    return template
