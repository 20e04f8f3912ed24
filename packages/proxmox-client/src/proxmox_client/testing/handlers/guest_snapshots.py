"""Snapshots of machines and containers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from proxmox_client.testing.clusterlog import note
from proxmox_client.testing.guests import options, snapshots
from proxmox_client.testing.guests.guest import Guest
from proxmox_client.testing.guestwork import finding, snapshotting
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles
from proxmox_client.testing.tasks import TaskRecord

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_QEMU = "/nodes/{node}/qemu/{vmid}/snapshot"
_LXC = "/nodes/{node}/lxc/{vmid}/snapshot"
_Work = Callable[[TaskRecord], Iterator[float]]


def _find(cluster: SimulatedCluster, call: Call) -> Callable[[], Guest]:
    return lambda: finding.of_path(cluster, call)


def _known(cluster: SimulatedCluster, call: Call) -> Guest:
    guest = finding.of_path(cluster, call)
    if call["snapname"] not in guest.snapshots:
        raise PveFault(500, f"snapshot '{call['snapname']}' does not exist")
    return guest


def _task(cluster: SimulatedCluster, call: Call, what: str, work: _Work) -> str:
    prefix = "qm" if finding.kind_of(call) == "qemu" else "vz"
    return cluster.tasks.start(
        call.node,
        f"{prefix}{what}",
        work,
        id=call["vmid"],
        user=call.identity.authid,
    )


@handles("GET", _QEMU)
@handles("GET", _LXC)
def listing(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the snapshots and the present."""
    return snapshots.listing(finding.of_path(cluster, call))


@handles("POST", _QEMU)
@handles("POST", _LXC)
def take(cluster: SimulatedCluster, call: Call) -> str:
    """Take a snapshot; a container is looked up only in the task."""
    name: str = call["snapname"]
    snapshotting.check_name(name)
    if finding.kind_of(call) == "qemu":
        finding.of_path(cluster, call)
    find = _find(cluster, call)
    noun = "VM" if finding.kind_of(call) == "qemu" else "container"
    text = f"snapshot {noun} {call['vmid']}: {name}"
    note(cluster, call.node, call.identity.authid, text)
    return _task(
        cluster,
        call,
        "snapshot",
        lambda task: snapshotting.take(
            cluster,
            find,
            task,
            name,
            description=call.get("description", ""),
            with_memory=bool(call.get("vmstate")),
        ),
    )


@handles("DELETE", f"{_QEMU}/{{snapname}}")
@handles("DELETE", f"{_LXC}/{{snapname}}")
def remove(cluster: SimulatedCluster, call: Call) -> str:
    """Remove a snapshot."""
    find = _find(cluster, call)
    return _task(
        cluster,
        call,
        "delsnapshot",
        lambda task: snapshotting.remove(cluster, find, task, call["snapname"]),
    )


@handles("GET", f"{_QEMU}/{{snapname}}")
@handles("GET", f"{_LXC}/{{snapname}}")
def index(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List what can be asked about a snapshot."""
    return [{"cmd": "rollback"}, {"cmd": "config"}]


@handles("GET", f"{_QEMU}/{{snapname}}/config")
@handles("GET", f"{_LXC}/{{snapname}}/config")
def config(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return a snapshot's options; nothing in them is hidden."""
    return snapshots.shown(_known(cluster, call), call["snapname"], hide=False)


@handles("PUT", f"{_QEMU}/{{snapname}}/config")
@handles("PUT", f"{_LXC}/{{snapname}}/config")
def describe(cluster: SimulatedCluster, call: Call) -> None:
    """Change a snapshot's description."""
    guest = _known(cluster, call)
    if "description" in call:
        text = options.normalise_description(guest.kind, call["description"])
        guest.snapshots[call["snapname"]].description = text


@handles("POST", f"{_QEMU}/{{snapname}}/rollback")
@handles("POST", f"{_LXC}/{{snapname}}/rollback")
def roll_back(cluster: SimulatedCluster, call: Call) -> str:
    """Go back to a snapshot."""
    find, start = _find(cluster, call), bool(call.get("start"))
    return _task(
        cluster,
        call,
        "rollback",
        lambda task: snapshotting.roll_back(cluster, find, task, call["snapname"], start=start),
    )
