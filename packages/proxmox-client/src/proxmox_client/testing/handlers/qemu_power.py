"""Starting, stopping, pausing and resetting machines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from proxmox_client.testing.guests.guest import Guest
from proxmox_client.testing.guestwork import finding, power, suspending
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles
from proxmox_client.testing.tasks import TaskRecord

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_STATUS = "/nodes/{node}/qemu/{vmid}/status"
_Work = Callable[[TaskRecord], Iterator[float]]


def _task(cluster: SimulatedCluster, call: Call, kind: str, work: _Work) -> str:
    return cluster.tasks.start(
        call.node, kind, work, id=call["vmid"], user=call.identity.authid, delay=finding.TASK_DELAY
    )


def _find_config(cluster: SimulatedCluster, call: Call) -> Callable[[], Guest]:
    return lambda: finding.called(cluster, call, "qemu")


def _find_local(cluster: SimulatedCluster, call: Call) -> Callable[[], Guest]:
    return lambda: finding.local_machine(cluster, call.node, call["vmid"])


def _running(cluster: SimulatedCluster, call: Call) -> Guest:
    guest = finding.local_machine(cluster, call.node, call["vmid"])
    if not guest.running:
        raise PveFault(500, f"VM {guest.vmid} not running")
    return guest


@handles("POST", f"{_STATUS}/start")
def start(cluster: SimulatedCluster, call: Call) -> str:
    """Start the machine; whatever is wrong shows up in the task."""
    find = _find_config(cluster, call)
    return _task(cluster, call, "qmstart", lambda task: power.start(cluster, find, task))


@handles("POST", f"{_STATUS}/stop")
def stop(cluster: SimulatedCluster, call: Call) -> str:
    """Stop the machine at once."""
    if call.get("overrule-shutdown"):
        _abort_shutdowns(cluster, call)
    find = _find_local(cluster, call)
    return _task(cluster, call, "qmstop", lambda task: power.stop(cluster, find, task))


def _abort_shutdowns(cluster: SimulatedCluster, call: Call) -> None:
    for task in list(cluster.nodes[call.node].tasks):
        mine = task.upid.type == "qmshutdown" and task.upid.id == str(call["vmid"])
        if task.running and mine:
            cluster.tasks.stop(task)


@handles("POST", f"{_STATUS}/shutdown")
def shutdown(cluster: SimulatedCluster, call: Call) -> str:
    """Ask the machine to shut down."""
    find, force = _find_local(cluster, call), bool(call.get("forceStop"))

    def work(task: TaskRecord) -> Iterator[float]:
        guest = cluster.guests.get(call["vmid"])
        if guest is not None and guest.running and guest.qmpstatus == "paused":
            if not force:
                raise PveFault(500, "VM is paused - cannot shutdown")
            task.warn("VM is paused - stop instead of shutdown")
            return power.stop(cluster, find, task)
        return power.shutdown(cluster, find, task, timeout=call.get("timeout"), force=force)

    return _task(cluster, call, "qmshutdown", work)


@handles("POST", f"{_STATUS}/reboot")
def reboot(cluster: SimulatedCluster, call: Call) -> str:
    """Shut the machine down and start it with its pending changes."""
    guest = _running(cluster, call)
    if guest.qmpstatus == "paused":
        raise PveFault(500, "VM is paused - cannot shutdown")
    find, timeout = _find_local(cluster, call), call.get("timeout")
    return _task(
        cluster,
        call,
        "qmreboot",
        lambda task: power.reboot(cluster, find, task, timeout=timeout),
    )


@handles("POST", f"{_STATUS}/reset")
def reset(cluster: SimulatedCluster, call: Call) -> str:
    """Press the reset button."""
    _running(cluster, call)
    find = _find_local(cluster, call)
    return _task(cluster, call, "qmreset", lambda task: suspending.reset(cluster, find, task))


@handles("POST", f"{_STATUS}/suspend")
def suspend(cluster: SimulatedCluster, call: Call) -> str:
    """Pause the machine, or write its memory to disk and stop it."""
    _running(cluster, call)
    find = _find_local(cluster, call)
    if call.get("todisk"):
        storage = call.get("statestorage")
        return _task(
            cluster,
            call,
            "qmsuspend",
            lambda task: suspending.to_disk(cluster, find, task, storage),
        )
    return _task(cluster, call, "qmpause", lambda task: suspending.pause(cluster, find, task))


@handles("POST", f"{_STATUS}/resume")
def resume(cluster: SimulatedCluster, call: Call) -> str:
    """Let a paused or suspended machine run on."""
    guest = finding.local_machine(cluster, call.node, call["vmid"])
    find = _find_local(cluster, call)
    if guest.lock == "suspended":
        return _task(cluster, call, "qmstart", lambda task: power.start(cluster, find, task))
    _running(cluster, call)
    return _task(cluster, call, "qmresume", lambda task: suspending.resume(cluster, find, task))
