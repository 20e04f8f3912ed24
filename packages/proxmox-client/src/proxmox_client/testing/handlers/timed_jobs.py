"""Jobs that synchronise realms, and looking ahead in a schedule."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from proxmox_client.testing import logins, schedules
from proxmox_client.testing.formats import split_list
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_ALL = "/cluster/jobs/realm-sync"
_ONE = f"{_ALL}/{{id}}"
_OPTIONS = ("comment", "enable-new", "enabled", "realm", "remove-vanished", "schedule", "scope")


def _jobs(cluster: SimulatedCluster) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = cluster.files.setdefault("realm-sync", {})
    return found


def _row(cluster: SimulatedCluster, name: str) -> dict[str, Any]:
    job = _jobs(cluster)[name]
    row: dict[str, Any] = {"id": name, **job}
    ran: float | None = cluster.files.get("job-state", {}).get(f"realm-sync/{name}")
    when = schedules.parse(job["schedule"]).after(cluster.clock.now())
    if ran is not None and ran > job.get("made", 0):
        row["last-run"] = int(ran)
    row.pop("made", None)
    return row | ({"next-run": when} if when is not None else {})


@handles("GET", _ALL)
def list_jobs(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the jobs with their last and next runs."""
    return [_row(cluster, name) for name in sorted(_jobs(cluster))]


def _job(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    found = _jobs(cluster).get(call["id"])
    if found is None:
        raise PveFault.parameters({"id": f"No such job '{call['id']}'"})
    return found


@handles("GET", _ONE)
def read_job(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return one job's configuration."""
    found = {key: value for key, value in _job(cluster, call).items() if key != "made"}
    return {"id": call["id"], "type": "realm-sync", **found}


def _wrapped(text: str) -> PveFault:
    """Return a refusal as it comes out of the lock: one error within another."""
    return PveFault(500, f"400 Parameter verification failed.\n{text}")


@handles("POST", _ONE)
def create_job(cluster: SimulatedCluster, call: Call) -> None:
    """Make a job for a realm that has a directory."""
    options = {key: call[key] for key in _OPTIONS if key in call}
    if call["id"] in _jobs(cluster):
        raise PveFault(500, f"Job '{call['id']}' already exists")
    name = str(options.get("realm", ""))
    realm = logins.realm_of(cluster, name)
    if realm is None:
        raise _wrapped(f"realm: No such realm '{name}'")
    if realm["type"] not in ("ldap", "ad"):
        raise _wrapped("realm: Only LDAP/AD realms can be synced.")
    _jobs(cluster)[call["id"]] = {"enabled": 1, **options, "made": cluster.clock.now()}
    cluster.scheduler.wake()


@handles("PUT", _ONE)
def update_job(cluster: SimulatedCluster, call: Call) -> None:
    """Change a job; its realm stays."""
    job = _jobs(cluster).get(call["id"])
    if job is None:
        raise PveFault(500, "no such realm-sync job")
    options = {key: call[key] for key in _OPTIONS if key in call}
    for key in split_list(call.get("delete", "")):
        job.pop(key, None)
    job |= options
    cluster.scheduler.wake()


@handles("DELETE", _ONE)
def delete_job(cluster: SimulatedCluster, call: Call) -> None:
    """Remove a job."""
    if call["id"] not in _jobs(cluster):
        raise _wrapped(f"id: No such job '{call['id']}'")
    del _jobs(cluster)[call["id"]]
    cluster.files.get("job-state", {}).pop(f"realm-sync/{call['id']}", None)


@handles("GET", "/cluster/jobs/schedule-analyze")
def analyze(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the next times of a schedule."""
    schedule = schedules.parse(call["schedule"])
    moment: float | None = call.get("starttime", cluster.clock.now())
    rows: list[dict[str, Any]] = []
    for _ in range(call.get("iterations", 10)):
        moment = schedule.after(moment) if moment is not None else None
        if moment is None:
            break
        text = time.strftime("%a %b %e %H:%M:%S %Y", time.gmtime(moment))
        rows.append({"timestamp": int(moment), "utc": text})
    return rows
