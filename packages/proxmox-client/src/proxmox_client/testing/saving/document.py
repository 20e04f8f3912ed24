"""A whole cluster as a document: every piece of its state, the clock, the source of chance."""

from __future__ import annotations

import array
import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import attrs

from proxmox_client.testing import nodelife
from proxmox_client.testing.ha import rounds
from proxmox_client.testing.ha.state import ha
from proxmox_client.testing.saving.plain import Unsaveable, from_plain, to_plain
from proxmox_client.testing.saving.wirevalues import fields, is_dict, rows
from proxmox_client.testing.tasks import TaskRecord

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

FORMAT = 1
Unfinished = Literal["refuse", "kill"]
# Attributes of a cluster that hold no state of their own.
MADE_ANEW = frozenset(
    ("version", "random", "clock", "tasks", "routes", "faults", "broadcast", "volumes", "scheduler")
)
# What a test put in: functions, and what people typed into consoles.
NOT_KEPT = frozenset(("agent_commands", "consoles"))
# Parts of the services: made anew, or of the moment.
_PARTS_NOT_KEPT = frozenset(("_waiting",))


def to_document(cluster: SimulatedCluster, unfinished: Unfinished = "refuse") -> dict[str, Any]:
    """Return everything a cluster is, as plain and tagged values.

    Args:
        cluster: The cluster.
        unfinished: What becomes of running tasks: ``refuse`` to save, or save them as workers
            that died (``kill``).

    Raises:
        Unsaveable: Tasks run and ``unfinished`` is ``refuse``, or a fault holds a function.
    """
    running = [task for node in cluster.nodes.values() for task in node.tasks if task.running]
    if running and unfinished == "refuse":
        names = ", ".join(f"{task.upid.type} {task.upid.id}".strip() for task in running)
        raise Unsaveable(
            f"cannot save the cluster: tasks run ({names}); let them end"
            " (cluster.clock.advance) or save with unfinished='kill'"
        )
    dead = [(task, _dead(task, cluster.clock.now())) for task in running]
    _swap(cluster, dead)
    try:
        return _document(cluster)
    finally:
        _swap(cluster, [(new, old) for old, new in dead])


def _document(cluster: SimulatedCluster) -> dict[str, Any]:
    document: dict[str, Any] = {
        "format": FORMAT,
        "version": cluster.version,
        "clock": cluster.clock.now(),
        "volumes": to_plain(list(cluster.volumes)),
        "full-storages": sorted(cluster.volumes.full),
        "faults": to_plain(cluster.faults.saved()),
        "broadcast": to_plain(cluster.broadcast.saved()),
    }
    for name, value in vars(cluster).items():
        if name in MADE_ANEW or name in NOT_KEPT:
            continue
        document[name] = to_plain(_parts(cluster, value) if _is_service(value) else value, name)
    document["random"] = _chance(cluster)
    return document


def _is_service(value: object) -> bool:
    kind = type(value)
    return kind.__module__.startswith("proxmox_client.") and not attrs.has(kind)


def _parts(cluster: SimulatedCluster, service: object) -> dict[str, Any]:
    """Return what a service knows by itself, without the parts of the cluster it works on."""
    others = {id(part) for part in vars(cluster).values()}
    parts = {
        name: part
        for name, part in vars(service).items()
        if id(part) not in others and name not in _PARTS_NOT_KEPT and not callable(part)
    }
    if service is cluster.locks:
        held = parts["_held"]
        # Who holds a lock without end is a task or a call, and neither is kept.
        parts["_held"] = {n: lock for n, lock in held.items() if lock.until != float("inf")}
    return parts


def from_document(document: Mapping[str, Any]) -> SimulatedCluster:
    """Make the cluster a document describes.

    Raises:
        Unsaveable: It is not a document of a cluster, or of a later form.
    """
    from proxmox_client.testing.cluster import SimulatedCluster

    if document.get("format") != FORMAT:
        raise Unsaveable(f"cannot load the cluster: it is no saved cluster of form {FORMAT}")
    state = {name: from_plain(value) for name, value in document.items()}
    names = tuple(state["nodes"])
    cluster = SimulatedCluster(names, state["version"], storages=(), start=state["clock"])
    for name, value in vars(cluster).items():
        if name not in state or name in MADE_ANEW:
            continue
        if is_dict(value):
            _refill(value, state[name])
        elif _is_service(value):
            _give(value, state[name])
        else:
            setattr(cluster, name, state[name])
    for volume in state["volumes"]:
        cluster.volumes.put(volume)
    cluster.volumes.full.update(state["full-storages"])
    cluster.faults.restore(state["faults"])
    cluster.broadcast.restore(state["broadcast"])
    _set_chance(cluster, state["random"])
    _set_going(cluster)
    return cluster


def _refill(target: dict[Any, Any], source: Mapping[Any, Any]) -> None:
    # In place: services know the same mapping.
    target.clear()
    target.update(source)


def _give(service: object, parts: Mapping[str, Any]) -> None:
    for name, part in parts.items():
        old = getattr(service, name)
        if is_dict(old):
            _refill(old, part)
        else:
            setattr(service, name, part)


def _set_going(cluster: SimulatedCluster) -> None:
    """Schedule again what was to happen; a replication under way has died with its worker."""
    for run in rows(list(fields(cluster.files.get("replication-state")).values())):
        run.pop("pid", None)
    for node in cluster.nodes.values():
        nodelife.resume(cluster, node)
        for task in node.tasks:
            cluster.tasks.take_up(task)
    if "ha" in cluster.files:
        ha(cluster).ticking = False
        rounds.wake(cluster)
    cluster.scheduler.wake()


def _dead(task: TaskRecord, now: float) -> TaskRecord:
    return attrs.evolve(
        task,
        ended=now,
        exitstatus="unexpected status",
        worker=None,
        step=None,
        begin=None,
        on_end=[],
    )


def _swap(cluster: SimulatedCluster, pairs: list[tuple[TaskRecord, TaskRecord]]) -> None:
    for old, new in pairs:
        tasks = cluster.nodes[old.upid.node].tasks
        place = next(index for index, task in enumerate(tasks) if task is old)
        tasks[place] = new


def _chance(cluster: SimulatedCluster) -> str:
    _, numbers, _ = cluster.random.getstate()
    return base64.b64encode(array.array("I", numbers).tobytes()).decode()


def _set_chance(cluster: SimulatedCluster, text: str) -> None:
    numbers = array.array("I")
    numbers.frombytes(base64.b64decode(text))
    cluster.random.setstate((3, tuple(numbers), None))
