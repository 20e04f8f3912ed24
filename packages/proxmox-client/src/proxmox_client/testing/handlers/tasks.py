"""Tasks: lists of a node and of the cluster, status, log, stopping, and the cluster's log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from proxmox_client.testing.clusterlog import Note, notes
from proxmox_client.testing.formats import split_list
from proxmox_client.testing.permissions import require
from proxmox_client.testing.request import Call, PveFault, Reply
from proxmox_client.testing.routing import handles
from proxmox_client.testing.state import Node
from proxmox_client.testing.tasks import TaskRecord

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

CLUSTER_LIST_LENGTH = 25
_STOP_SECONDS = 1.0


def _who(task: TaskRecord) -> dict[str, Any]:
    user, _, token = task.upid.user.partition("!")
    return {"user": user, "tokenid": token} if token else {"user": user}


def _facts(task: TaskRecord) -> dict[str, Any]:
    upid = task.upid
    return {
        "upid": str(upid),
        "node": upid.node,
        "pid": upid.pid,
        "pstart": upid.pstart,
        "starttime": upid.starttime,
        "type": upid.type,
        "id": upid.id,
        **_who(task),
    }


def _finished(task: TaskRecord) -> dict[str, Any]:
    return _facts(task) | {"endtime": int(task.ended or 0), "status": task.exitstatus}


def _active(task: TaskRecord) -> dict[str, Any]:
    row = _facts(task)
    row.pop("tokenid", None)
    return row | {"user": task.upid.user, "status": "RUNNING", "saved": "0"}


def _kind_of_status(task: TaskRecord) -> str:
    status = task.exitstatus or ""
    if status == "OK":
        return "ok"
    if status.startswith("WARNINGS: "):
        return "warning"
    return "unknown" if status in ("", "unexpected status") else "error"


def _is_own(call: Call, task: TaskRecord) -> bool:
    return task.upid.user.partition("!")[0] == call.identity.userid


def _may_audit(cluster: SimulatedCluster, call: Call, node: str) -> bool:
    return cluster.access.allows(call.identity, f"/nodes/{node}", ["Sys.Audit"])


def _candidates(cluster: SimulatedCluster, call: Call) -> Iterator[TaskRecord]:
    tasks = sorted(
        cluster.nodes[call.node].tasks,
        key=lambda task: (task.running, task.ended or task.started),
        reverse=True,
    )
    source = call.get("source", "archive")
    for task in tasks:
        if source in ("all", "active" if task.running else "archive"):
            yield task


def _selected(call: Call, task: TaskRecord) -> bool:
    upid = task.upid
    kinds = split_list(call.get("statusfilter", ""))
    return (
        ("typefilter" not in call or upid.type == call["typefilter"])
        and ("vmid" not in call or upid.id == str(call["vmid"]))
        and call.get("userfilter", "").lower() in upid.user.lower()
        and ("since" not in call or upid.starttime >= call["since"])
        and ("until" not in call or upid.starttime <= call["until"])
        and (not call.get("errors") or _kind_of_status(task) in ("error", "unknown"))
        and (not kinds or _kind_of_status(task) in kinds)
    )


@handles("GET", "/nodes/{node}/tasks")
def node_tasks(cluster: SimulatedCluster, call: Call) -> Reply:
    """List a node's tasks, newest first; only one's own without Sys.Audit."""
    audit = _may_audit(cluster, call, call.node)
    found = [
        task
        for task in _candidates(cluster, call)
        if (audit or _is_own(call, task)) and _selected(call, task)
    ]
    start, limit = call.get("start", 0), call.get("limit", 50)
    rows = [
        _active(task) if task.running else _finished(task) for task in found[start : start + limit]
    ]
    return Reply(rows, {"total": len(found)} if found else {})


@handles("GET", "/cluster/tasks")
def cluster_tasks(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the latest tasks of every node; running ones have neither status nor end."""
    rows: list[dict[str, Any]] = []
    for node in cluster.nodes.values():
        audit = _may_audit(cluster, call, node.name)
        for task in reversed(node.tasks[-CLUSTER_LIST_LENGTH:]):
            if not (audit or _is_own(call, task)):
                continue
            row = _facts(task) | {"saved": "0"}
            if not task.running and not _died_with(node, task):
                row = _finished(task) | {"saved": "1"}
                del row["pid"]
            del row["pstart"]
            rows.append(row)
    return rows


def _died_with(node: Node, task: TaskRecord) -> bool:
    """Whether a task died with its node, which can tell nobody so before it is back."""
    away = node.away
    return away is not None and task.ended is not None and task.ended >= away.since


def _find(cluster: SimulatedCluster, call: Call) -> TaskRecord:
    task = cluster.tasks.find(call.node, call["upid"])
    if task is None:
        raise PveFault.parameters({"upid": "no such task"})
    return task


def _require_sight(cluster: SimulatedCluster, call: Call, task: TaskRecord, need: str) -> None:
    if not _is_own(call, task):
        require(cluster.access, call.identity, f"/nodes/{call.node}", [need])


@handles("GET", "/nodes/{node}/tasks/{upid}/status")
def task_status(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Say whether a task runs and how it ended."""
    task = _find(cluster, call)
    _require_sight(cluster, call, task, "Sys.Audit")
    if task.running:
        return _facts(task) | {"status": "running"}
    return _facts(task) | {"status": "stopped", "exitstatus": task.exitstatus}


@handles("GET", "/nodes/{node}/tasks/{upid}/log")
def task_log(cluster: SimulatedCluster, call: Call) -> Reply:
    """Return lines of a task's log; an unknown task's log is one line that says so."""
    task = cluster.tasks.find(call.node, call["upid"])
    if task is not None:
        _require_sight(cluster, call, task, "Sys.Audit")
    if call.get("download"):
        if "start" in call or "limit" in call:
            raise PveFault(
                500, "'download' cannot be used together with 'start' or 'limit' parameters"
            )
        return Reply(text="".join(f"{line}\n" for line in task.lines) if task else "")
    if task is None:
        return _lines(["unable to open file - No such file or directory"], 0, 0)
    if not task.lines:
        return _lines(["no content"], 0, 0)
    return _lines(task.lines, call.get("start", 0), call.get("limit", 50))


def _lines(lines: list[str], start: int, limit: int) -> Reply:
    end = start + limit if limit else None
    rows = [{"n": start + index + 1, "t": line} for index, line in enumerate(lines[start:end])]
    return Reply(rows, {"total": len(lines)})


@handles("DELETE", "/nodes/{node}/tasks/{upid}")
def stop_task(cluster: SimulatedCluster, call: Call) -> Iterator[float]:
    """Interrupt a task; nothing happens to one that has ended."""
    task = _find(cluster, call)
    _require_sight(cluster, call, task, "Sys.Modify")
    if task.running:
        cluster.tasks.stop(task)
        yield _STOP_SECONDS


@handles("GET", "/cluster/log")
def cluster_log(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """Return the newest entries of the cluster's log: tasks that started and ended."""
    seen = {
        node.name
        for node in cluster.nodes.values()
        if cluster.access.allows(call.identity, f"/nodes/{node.name}", ["Sys.Syslog"])
    }
    entries = [(note, 6) for note in notes(cluster) if note.node in seen]
    entries += [entry for name in sorted(seen) for entry in _of_tasks(cluster.nodes[name].tasks)]
    entries.sort(key=lambda entry: entry[0].at)
    rows = [
        {
            "uid": str(number),
            "id": f"{number}:{note.node}",
            "time": int(note.at),
            "node": note.node,
            "user": note.user,
            "pid": note.pid,
            "tag": "pvedaemon",
            "pri": priority,
            "msg": note.text,
        }
        for number, (note, priority) in enumerate(entries, start=1)
    ]
    rows.reverse()
    return rows[: call.get("max", 50)]


def _of_tasks(tasks: list[TaskRecord]) -> Iterator[tuple[Note, int]]:
    """Yield what the log says of tasks: that they started, and how they ended."""
    for task in tasks:
        upid = task.upid
        yield Note(task.started, upid.node, upid.user, f"starting task {upid}", upid.pid), 6
        if task.ended is not None:
            text = f"end task {upid} {task.exitstatus}"
            priority = 6 if task.exitstatus == "OK" else 3
            yield Note(task.ended, upid.node, upid.user, text, upid.pid), priority
