"""Starting and stopping containers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from proxmox_client.testing.guests.guest import Guest
from proxmox_client.testing.guestwork import finding, power
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles
from proxmox_client.testing.tasks import TaskFailed, TaskRecord

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_STATUS = "/nodes/{node}/lxc/{vmid}/status"
_Work = Callable[[TaskRecord], Iterator[float]]


def _task(cluster: SimulatedCluster, call: Call, kind: str, work: _Work) -> str:
    return cluster.tasks.start(
        call.node, kind, work, id=call["vmid"], user=call.identity.authid, delay=finding.TASK_DELAY
    )


def _find(cluster: SimulatedCluster, call: Call) -> Callable[[], Guest]:
    return lambda: finding.called(cluster, call, "lxc")


def _runs(cluster: SimulatedCluster, call: Call) -> bool:
    """Whether a container of this number runs on the called node; a missing one does not."""
    guest = cluster.guests.get(call["vmid"])
    return guest is not None and guest.kind == "lxc" and guest.node == call.node and guest.running


def _must_run(cluster: SimulatedCluster, call: Call, noun: str = "CT") -> None:
    if not _runs(cluster, call):
        raise PveFault(500, f"{noun} {call['vmid']} not running")


@handles("POST", f"{_STATUS}/start")
def start(cluster: SimulatedCluster, call: Call) -> str:
    """Start the container; a running one is refused at once."""
    if _runs(cluster, call):
        raise PveFault(500, f"CT {call['vmid']} already running")
    find = _find(cluster, call)
    return _task(cluster, call, "vzstart", lambda task: power.start(cluster, find, task))


@handles("POST", f"{_STATUS}/stop")
def stop(cluster: SimulatedCluster, call: Call) -> str:
    """Stop the container at once."""
    _must_run(cluster, call)
    find = _find(cluster, call)
    return _task(cluster, call, "vzstop", lambda task: power.stop(cluster, find, task))


@handles("POST", f"{_STATUS}/shutdown")
def shutdown(cluster: SimulatedCluster, call: Call) -> str:
    """Ask the container to shut down."""
    _must_run(cluster, call)
    find, timeout, force = _find(cluster, call), call.get("timeout"), bool(call.get("forceStop"))
    return _task(
        cluster,
        call,
        "vzshutdown",
        lambda task: power.shutdown(cluster, find, task, timeout=timeout, force=force),
    )


@handles("POST", f"{_STATUS}/reboot")
def reboot(cluster: SimulatedCluster, call: Call) -> str:
    """Shut the container down and start it with its pending changes."""
    _must_run(cluster, call, "VM")
    find, timeout = _find(cluster, call), call.get("timeout")
    return _task(
        cluster,
        call,
        "vzreboot",
        lambda task: power.reboot(cluster, find, task, timeout=timeout),
    )


@handles("POST", f"{_STATUS}/suspend")
def suspend(cluster: SimulatedCluster, call: Call) -> str:
    """Try to freeze the container; without CRIU that never works."""
    _must_run(cluster, call)
    return _checkpoint(cluster, call, "vzsuspend", "-s")


@handles("POST", f"{_STATUS}/resume")
def resume(cluster: SimulatedCluster, call: Call) -> str:
    """Try to bring a frozen container back; without CRIU that never works."""
    if _runs(cluster, call):
        raise PveFault(500, f"CT {call['vmid']} already running")
    return _checkpoint(cluster, call, "vzresume", "-r --foreground")


def _checkpoint(cluster: SimulatedCluster, call: Call, kind: str, flags: str) -> str:
    vmid = call["vmid"]

    def work(task: TaskRecord) -> Iterator[float]:
        yield 0.1
        raise TaskFailed(
            f"command 'lxc-checkpoint -n {vmid} {flags} -D /var/lib/vz/dump' failed: exit code 1"
        )

    return _task(cluster, call, kind, work)
