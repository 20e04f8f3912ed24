"""Replication jobs: configured for the cluster, run and told of by the guest's node."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from proxmox_client.testing import replicating
from proxmox_client.testing.digest import check_digest, digest_of
from proxmox_client.testing.formats import split_list
from proxmox_client.testing.permissions import denied, require
from proxmox_client.testing.request import Call, PveFault, Reply
from proxmox_client.testing.routing import handles

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_ALL = "/cluster/replication"
_ONE = f"{_ALL}/{{id}}"
_HERE = "/nodes/{node}/replication"
_FIXED = ("type", "target", "guest", "id")
_OPTIONAL = ("comment", "disable", "rate", "schedule", "source", "remove_job")


def _digest(cluster: SimulatedCluster) -> str:
    jobs = replicating.jobs(cluster)
    return digest_of(json.dumps(jobs, sort_keys=True) if jobs else "")


def _may_see(cluster: SimulatedCluster, call: Call, guest: int) -> bool:
    return cluster.access.allows(call.identity, f"/vms/{guest}", ["VM.Audit"])


def _guest_of(call: Call) -> int:
    return int(str(call["id"]).partition("-")[0])


def _require_replicate(cluster: SimulatedCluster, call: Call) -> int:
    vmid = _guest_of(call)
    require(cluster.access, call.identity, f"/vms/{vmid}", ["VM.Replicate"])
    return vmid


@handles("GET", _ALL)
def list_jobs(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the configured jobs."""
    return [
        {**job, "id": ident}
        for ident, job in sorted(replicating.jobs(cluster).items())
        if _may_see(cluster, call, job["guest"])
    ]


@handles("GET", _ONE)
def read_job(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return one job's configuration."""
    job = replicating.jobs(cluster).get(call["id"])
    if job is None:
        raise PveFault(500, f"no such replication job '{call['id']}'")
    require(cluster.access, call.identity, f"/vms/{job['guest']}", ["VM.Audit"])
    return {**job, "id": call["id"], "digest": _digest(cluster)}


@handles("POST", _ALL)
def create_job(cluster: SimulatedCluster, call: Call) -> None:
    """Configure a job for a guest all of whose own disks can be replicated."""
    vmid, target, ident = _require_replicate(cluster, call), call["target"], call["id"]
    guest = cluster.guests.get(vmid)
    if guest is None:
        raise PveFault(500, f"Guest '{vmid}' does not exist.")
    if target not in cluster.nodes:
        raise PveFault(500, f"Target '{target}' does not exist.")
    if call.get("source", guest.node) != guest.node:
        text = f"does not match current node of guest '{vmid}' ({guest.node})"
        raise PveFault(500, f"Source '{call['source']}' {text}")
    if target == guest.node:
        raise PveFault(500, "Source and target must not be identical")
    if not replicating.volumes(cluster, guest):
        raise PveFault(500, "No replicatable volumes found")
    if ident in replicating.jobs(cluster):
        raise PveFault(500, f"replication job '{ident}' already exists")
    options = {key: call[key] for key in ("type", "target", *_OPTIONAL) if key in call}
    number = int(ident.partition("-")[2])
    replicating.jobs(cluster)[ident] = {
        "source": guest.node,
        **options,
        "guest": vmid,
        "jobnum": number,
    }
    replicating.state(cluster, ident)["made"] = cluster.clock.now()
    cluster.scheduler.wake()


def _found(cluster: SimulatedCluster, ident: str) -> dict[str, Any]:
    job = replicating.jobs(cluster).get(ident)
    if job is None:
        raise PveFault(500, f"no such job '{ident}'")
    return job


@handles("PUT", _ONE)
def change_job(cluster: SimulatedCluster, call: Call) -> None:
    """Change a job."""
    _require_replicate(cluster, call)
    check_digest(call.sent.get("digest"), _digest(cluster))
    job = _found(cluster, call["id"])
    removed = split_list(call.get("delete", ""))
    for key in removed:
        if key in _FIXED:
            raise PveFault(500, f"unable to delete required option '{key}'")
        if key not in _OPTIONAL:
            raise PveFault(500, f"no such option '{key}'")
    for key in removed:
        job.pop(key, None)
    job |= {key: call[key] for key in _OPTIONAL if key in call}
    cluster.scheduler.wake()


@handles("DELETE", _ONE)
def delete_job(cluster: SimulatedCluster, call: Call) -> None:
    """Mark a job for removal at its next run; by force it is only forgotten."""
    _require_replicate(cluster, call)
    if call.get("force"):
        if call.get("keep"):
            raise PveFault.parameters({"keep": "conflicts with parameter 'force'"})
        replicating.jobs(cluster).pop(call["id"], None)
        return
    _found(cluster, call["id"])["remove_job"] = "local" if call.get("keep") else "full"
    cluster.scheduler.wake()


# --- at the guest's node --------------------------------------------------------------------


@handles("GET", _HERE)
def list_here(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the jobs of this node's guests with their state."""
    found = (replicating.status(cluster, ident) for ident in sorted(replicating.jobs(cluster)))
    return [
        row
        for row in found
        if row is not None
        and row["source"] == call.node
        and call.get("guest", row["guest"]) == row["guest"]
        and _may_see(cluster, call, row["guest"])
    ]


@handles("GET", f"{_HERE}/{{id}}")
def index(cluster: SimulatedCluster, call: Call) -> list[dict[str, str]]:
    """List what is below."""
    return [{"name": name} for name in ("schedule_now", "log", "status")]


@handles("GET", f"{_HERE}/{{id}}/status")
def status(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return a job's state; only its guest's node knows it."""
    known = call["id"] in replicating.jobs(cluster)
    row = replicating.status(cluster, call["id"]) if known else None
    if row is None or row["source"] != call.node:
        raise PveFault(500, f"no such replication job '{call['id']}'")
    require(cluster.access, call.identity, f"/vms/{row['guest']}", ["VM.Audit"])
    return row


@handles("GET", f"{_HERE}/{{id}}/log")
def log(cluster: SimulatedCluster, call: Call) -> Reply:
    """Return the log of a job's latest run."""
    job = replicating.jobs(cluster).get(call["id"])
    if job is None:
        raise PveFault(500, f"no such replication job '{call['id']}'")
    seen = cluster.access.allows(call.identity, f"/nodes/{call.node}", ["Sys.Audit"])
    if not seen and not _may_see(cluster, call, job["guest"]):
        raise denied()
    lines: list[str] = replicating.state(cluster, call["id"])["log"]
    if not lines:
        return Reply([{"n": 1, "t": "no content"}], {"total": 1})
    start, limit = call.get("start", 0), call.get("limit", 50) or len(lines)
    rows = [{"n": start + n, "t": text} for n, text in enumerate(lines[start : start + limit], 1)]
    return Reply(rows, {"total": len(lines)})


@handles("POST", f"{_HERE}/{{id}}/schedule_now")
def run_soon(cluster: SimulatedCluster, call: Call) -> None:
    """Let a job run within a minute; one that never ran only keeps its schedule."""
    _require_replicate(cluster, call)
    if call["id"] not in replicating.jobs(cluster):
        raise PveFault(500, f"no such replication job '{call['id']}'")
    known = replicating.state(cluster, call["id"])
    if known["last_try"]:
        known |= {"last_try": 1, "fail_count": 0}
    cluster.scheduler.wake()
