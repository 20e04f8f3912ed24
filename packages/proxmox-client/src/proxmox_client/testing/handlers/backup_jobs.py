"""Backup jobs of the datacenter; the scheduler starts them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxmox_client.testing import schedules
from proxmox_client.testing.backups.coverage import covers
from proxmox_client.testing.formats import split_list
from proxmox_client.testing.guests import drives
from proxmox_client.testing.guests.guest import Guest
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_NOT_OPTIONS = frozenset(("id", "delete"))
_SELECTORS = ("vmid", "all", "pool")
Jobs = dict[str, dict[str, Any]]


def _jobs(cluster: SimulatedCluster) -> Jobs:
    jobs: Jobs = cluster.files.setdefault("backup-jobs", {})
    return jobs


def _options(call: Call) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in call.params.items():
        if name in _NOT_OPTIONS:
            continue
        objects = ("prune-backups", "fleecing", "performance")
        found[name] = _pairs(call.sent[name]) if name in objects else value
    return found


def _pairs(text: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in text.split(",") if "=" in part)


def _next_run(cluster: SimulatedCluster, job: dict[str, Any]) -> dict[str, int]:
    """Say when a job runs next."""
    try:
        when = schedules.parse(str(job["schedule"])).after(cluster.clock.now())
    except (KeyError, ValueError):
        return {}
    return {} if when is None else {"next-run": when}


@handles("GET", "/cluster/backup")
def list_jobs(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the jobs."""
    return [{**job, "id": name, **_next_run(cluster, job)} for name, job in _jobs(cluster).items()]


def _job(cluster: SimulatedCluster, name: str) -> dict[str, Any]:
    job = _jobs(cluster).get(name)
    if job is None:
        raise PveFault.parameters({"id": f"No such job '{name}'"})
    return job


@handles("GET", "/cluster/backup/{id}")
def read_job(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return one job."""
    return {**_job(cluster, call["id"]), "id": call["id"]}


@handles("POST", "/cluster/backup")
def create_job(cluster: SimulatedCluster, call: Call) -> None:
    """Make a job; neither its storage nor its node has to exist."""
    jobs = _jobs(cluster)
    name = call.get("id") or cluster.new_uuid()
    if name in jobs:
        raise PveFault(500, f"Job '{name}' already exists")
    options = _options(call)
    _check_selection(options)
    jobs[name] = {"type": "vzdump", "enabled": 1, **options}
    cluster.scheduler.wake()


def _check_selection(options: dict[str, Any]) -> None:
    """Refuse a job that says not what to back up; PVE wraps that error into another."""
    if not any(options.get(name) for name in _SELECTORS):
        raise PveFault(500, "400 Parameter verification failed.\nvmid: property is missing")


@handles("PUT", "/cluster/backup/{id}")
def update_job(cluster: SimulatedCluster, call: Call) -> None:
    """Change a job; choosing guests in one way drops the others."""
    options = _options(call)
    job = dict(_wrapped(cluster, call["id"]))
    if any(name in options for name in _SELECTORS):
        job = {key: value for key, value in job.items() if key not in _SELECTORS}
    for key in split_list(call.get("delete", "")):
        job.pop(key, None)
    job |= options
    _check_selection(job)
    _jobs(cluster)[call["id"]] = job
    cluster.scheduler.wake()


def _wrapped(cluster: SimulatedCluster, name: str) -> dict[str, Any]:
    job = _jobs(cluster).get(name)
    if job is None:
        raise PveFault(500, f"400 Parameter verification failed.\nid: No such job '{name}'")
    return job


@handles("DELETE", "/cluster/backup/{id}")
def delete_job(cluster: SimulatedCluster, call: Call) -> None:
    """Remove a job."""
    _wrapped(cluster, call["id"])
    del _jobs(cluster)[call["id"]]
    cluster.files.get("job-state", {}).pop(f"backup-jobs/{call['id']}", None)


@handles("GET", "/cluster/backup/{id}/included_volumes")
def list_volumes(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Show guests and volumes of a job as a tree."""
    job = _job(cluster, call["id"])
    guests = (guest for guest in cluster.guests.values() if covers(cluster, job, guest))
    return {"children": [_branch(guest) for guest in guests]}


def _branch(guest: Guest) -> dict[str, Any]:
    return {
        "id": guest.vmid,
        "type": guest.kind,
        "name": guest.name,
        "leaf": 0,
        "children": [
            {
                "id": f"{guest.vmid}:{drive.slot}",
                "name": drive.volid,
                "leaf": 1,
                **_inclusion(guest, drive),
            }
            for drive in drives.drives(guest.kind, guest.config)
            if not drive.is_cdrom
        ],
    }


def _inclusion(guest: Guest, drive: drives.Drive) -> dict[str, Any]:
    if guest.kind == "lxc" and drive.slot == "rootfs":
        return {"included": 1, "reason": "rootfs"}
    given = drive.keys.get("backup")
    wanted = given == "1" if guest.kind == "lxc" else given not in ("0", "no")
    return {"included": int(wanted), "reason": f"backup={'yes' if wanted else 'no'}"}


@handles("GET", "/cluster/backup-info/not-backed-up")
def list_unprotected(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the guests no job covers."""
    jobs = _jobs(cluster).values()
    return [
        {"vmid": guest.vmid, "name": guest.name, "type": guest.kind}
        for guest in cluster.guests.values()
        if not any(covers(cluster, job, guest) for job in jobs)
        and cluster.access.allows(call.identity, f"/vms/{guest.vmid}", ["VM.Audit"])
    ]


@handles("GET", "/cluster/backup-info")
def information(cluster: SimulatedCluster, call: Call) -> list[dict[str, str]]:
    """List what is below."""
    return [{"subdir": "not-backed-up"}]
