"""What nobody may leave behind: locks, tasks, staged changes, volumes of nobody, open runs."""

from __future__ import annotations

from collections.abc import Iterator

from pmpc_state import RunStatus, State
from pmpc_state.repositories.holders import is_dead
from proxmox_client.testing import SimulatedCluster
from proxmox_client.testing.request import PveFault


def leftovers(cluster: SimulatedCluster, state: State, name: str = "lab") -> list[str]:
    """Return what is left over, for people.

    Args:
        cluster: The cluster.
        state: What is recorded.
        name: The cluster's name in it.
    """
    return [*_of_guests(cluster), *_of_networks(cluster), *_of_records(state, name)]


def _of_guests(cluster: SimulatedCluster) -> Iterator[str]:
    for vmid, guest in cluster.guests.items():
        if "lock" in guest.config:
            yield f"guest {vmid} is locked: {guest.config['lock']}"
    for node in cluster.nodes.values():
        yield from (f"task {task.upid} runs" for task in node.tasks if task.running)
    for volume in cluster.volumes:
        if volume.vmid and volume.vmid not in cluster.guests and volume.content != "backup":
            yield f"volume {volume.volid} belongs to nobody"


def _of_networks(cluster: SimulatedCluster) -> Iterator[str]:
    if cluster.version >= "9":
        try:
            token = cluster.call("POST", "/cluster/sdn/lock")
            cluster.call("DELETE", "/cluster/sdn/lock", {"lock-token": token})
        except PveFault as fault:
            yield f"the networks are locked or staged: {fault}"
    for section in ("controllers", "zones", "vnets"):
        for row in cluster.call("GET", f"/cluster/sdn/{section}", {"pending": 1}):
            if row.get("state"):
                yield f"staged in {section}: {row}"
    for name, node in cluster.nodes.items():
        if "network.new" in node.files:
            yield f"the network of {name} has staged changes"


def _of_records(state: State, name: str) -> Iterator[str]:
    reader = state.reader()
    for run in reader.journal.runs(name, status=RunStatus.RUNNING):
        yield f"run {run.id} of {run.release} is open"
    for release in reader.releases.list(name, deleted=True):
        lease = reader.leases.get(f"apply/{name}/{release.name}")
        if lease is not None and not is_dead(lease.holder):  # the lease of the dead is free
            yield f"the lease of {release.name} is held by {lease.holder}"
