"""Replication of guests between nodes: jobs, their state, and a run of one.

Only volumes on ZFS can be replicated. PVE runs jobs in its scheduler, not as tasks.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import attrs

from proxmox_client.testing import schedules
from proxmox_client.testing.guests import drives
from proxmox_client.testing.notifications import Notification, send
from proxmox_client.testing.request import PveFault

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster
    from proxmox_client.testing.guests.guest import Guest
    from proxmox_client.testing.state import Volume

DEFAULT_SCHEDULE = "*/15"
_SHOWN = ("last_sync", "last_try", "fail_count", "error", "duration")
_BYTES_PER_SECOND = 200 * 1024**2
_LOUD = 3


def jobs(cluster: SimulatedCluster) -> dict[str, dict[str, Any]]:
    """Return the configured jobs by id (``100-0``)."""
    found: dict[str, dict[str, Any]] = cluster.files.setdefault("replication", {})
    return found


def state(cluster: SimulatedCluster, ident: str) -> dict[str, Any]:
    """Return what is known of a job's runs."""
    found: dict[str, dict[str, Any]] = cluster.files.setdefault("replication-state", {})
    fresh: dict[str, Any] = {"last_sync": 0, "last_try": 0, "fail_count": 0, "log": []}
    return found.setdefault(ident, fresh)


def volumes(cluster: SimulatedCluster, guest: Guest) -> list[Volume]:
    """Return a guest's volumes that are replicated.

    Raises:
        PveFault: One of its own volumes cannot be.
    """
    found: list[Volume] = []
    for drive in drives.drives(guest.kind, guest.config):
        if drive.storage is None or drive.is_cdrom or drive.keys.get("replicate") == "0":
            continue
        storage = cluster.volumes.storage(drive.storage)
        if storage.shared:
            continue
        if storage.type != "zfspool":
            raise PveFault(500, f"missing replicate feature on volume '{drive.volid}'")
        volume = cluster.volumes.find(guest.node, drive.volid)
        if volume is not None:
            found.append(volume)
    return found


def settle(cluster: SimulatedCluster, ident: str) -> dict[str, Any] | None:
    """Return a job, turned round if its guest has moved; None if the guest is gone."""
    job = jobs(cluster)[ident]
    guest = cluster.guests.get(job["guest"])
    if guest is None:
        return None
    if guest.node != job["source"]:
        old, job["source"] = job["source"], guest.node
        if job["target"] == guest.node:
            job["target"] = old
    return job


def next_sync(cluster: SimulatedCluster, ident: str) -> int:
    """Say when a job runs next; 1 for one that is to be removed, 0 for never."""
    job, known = jobs(cluster)[ident], state(cluster, ident)
    if job.get("remove_job"):
        return 1
    if fails := known["fail_count"]:
        target = cluster.nodes.get(job["target"])
        pause = 60 * (5 * fails if fails <= _LOUD else 30)
        return known["last_try"] + pause if target and target.online else 0
    schedule = schedules.parse(job.get("schedule", DEFAULT_SCHEDULE))
    since = known["last_try"] or known.get("made", 0)
    return schedule.after(since) or 0


def status(cluster: SimulatedCluster, ident: str) -> dict[str, Any] | None:
    """Return a job with its state, as its source node tells; None if its guest is gone."""
    job = settle(cluster, ident)
    if job is None:
        return None
    known = state(cluster, ident)
    row = {**job, "id": ident, "vmtype": cluster.guests[job["guest"]].kind}
    row |= {key: known[key] for key in _SHOWN if key in known}
    if "pid" in known:
        row["pid"] = known["pid"]
    return row | {"next_sync": next_sync(cluster, ident)}


def due(cluster: SimulatedCluster, now: float) -> Iterator[str]:
    """Find the jobs that have to run now, those that waited longest first."""
    found: list[tuple[int, str]] = []
    for ident in jobs(cluster):
        job = settle(cluster, ident)
        if job is None or "pid" in state(cluster, ident):
            continue
        if not job.get("remove_job") and (job.get("disable") or job["target"] == job["source"]):
            continue
        source, when = cluster.nodes[job["source"]], next_sync(cluster, ident)
        if when and when <= now and source.online:
            found.append((when, ident))
    yield from (ident for _, ident in sorted(found))


@attrs.define
class _Log:
    """A job's log: every run begins a new one."""

    cluster: SimulatedCluster
    ident: str
    lines: list[str]

    def __call__(self, text: str) -> None:
        now = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(self.cluster.clock.now()))
        self.lines.append(f"{now} {self.ident}: {text}")


def run(cluster: SimulatedCluster, ident: str) -> None:
    """Start a job's run; it ends later."""
    known, job = state(cluster, ident), jobs(cluster)[ident]
    lines: list[str] = []
    known["log"] = lines
    log = _Log(cluster, ident, lines)
    node = cluster.nodes[job["source"]]
    node.pid += 1
    known["pid"], began = node.pid, cluster.clock.now()
    log("start replication job")
    error: str | None = None
    try:
        seconds = _replicate(cluster, ident, log)
    except PveFault as fault:
        seconds, error = 1.0, fault.message
    cluster.clock.after(seconds, lambda: _end(cluster, ident, began, error))


def _replicate(cluster: SimulatedCluster, ident: str, log: _Log) -> float:
    """Copy what is to be copied and return how long it takes.

    Raises:
        PveFault: A volume, the storage over there, or the other node is in the way.
    """
    job = jobs(cluster)[ident]
    guest = cluster.guests[job["guest"]]
    label = "VM" if guest.kind == "qemu" else "CT"
    log(f"guest => {label} {guest.vmid}, running => {int(guest.running)}")
    if mode := job.get("remove_job"):
        log(f"start job removal - mode '{mode}'")
        log("job removed")
        return 1.0
    found = volumes(cluster, guest)
    log(f"volumes => {','.join(volume.volid for volume in found)}")
    target = cluster.nodes[job["target"]]
    if not target.online or target.away is not None:
        command = f"/usr/bin/ssh root@{target.address} -- /bin/true"
        raise PveFault(500, f"command '{command}' failed: exit code 255")
    total = 0
    for volume in found:
        storage = cluster.volumes.usable(volume.storage, target.name)
        snapshot = f"__replicate_{ident}_{int(cluster.clock.now())}__"
        log(f"create snapshot '{snapshot}' on {volume.volid}")
        copy = cluster.volumes.find(target.name, volume.volid)
        if copy is None:
            if volume.size > cluster.volumes.available(storage, target.name):
                raise PveFault(500, f"cannot receive new filesystem stream: {volume.volid}")
            log(f"full sync '{volume.volid}' ({snapshot})")
            total += volume.size
            cluster.volumes.put(attrs.evolve(volume, node=target.name))
        else:
            log(f"incremental sync '{volume.volid}' ({snapshot})")
            copy.size, copy.used = volume.size, volume.used
    return 2.0 + total / _BYTES_PER_SECOND


def _end(cluster: SimulatedCluster, ident: str, began: float, error: str | None) -> None:
    known = state(cluster, ident)
    known.pop("pid", None)
    job = jobs(cluster).get(ident)
    if job is None:
        return
    log = _Log(cluster, ident, known["log"])
    known["last_try"] = int(began)
    known["duration"] = round(cluster.clock.now() - began, 6)
    if error is None:
        log("end replication job")
        known["fail_count"] = 0
        known["last_sync"] = int(began)
        known.pop("error", None)
        if job.get("remove_job"):
            _remove(cluster, ident)
        return
    log(f"end replication job with error: {error}")
    known["fail_count"] += 1
    known["error"] = error
    if known["fail_count"] <= _LOUD:
        fields = {"type": "replication", "job-id": ident, "hostname": job["source"]}
        send(cluster, Notification("error", f"Replication Job: {ident} failed", fields))


def _remove(cluster: SimulatedCluster, ident: str) -> None:
    """Forget a job, and (mode ``full``) the copies it made."""
    job = jobs(cluster).pop(ident)
    cluster.files["replication-state"].pop(ident, None)
    guest = cluster.guests.get(job["guest"])
    if job["remove_job"] != "full" or guest is None:
        return
    for volume in volumes(cluster, guest):
        copy = cluster.volumes.find(job["target"], volume.volid)
        if copy is not None and job["target"] != guest.node:
            cluster.volumes.remove(copy)
