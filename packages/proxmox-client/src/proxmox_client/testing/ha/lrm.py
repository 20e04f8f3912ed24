"""The nodes' workers: each does what the manager decided for the services of its node."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from proxmox_client.testing.guestwork import migration, power
from proxmox_client.testing.guestwork.migration import Move
from proxmox_client.testing.ha.state import Service, ha
from proxmox_client.testing.tasks import TaskRecord

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxmox_client.testing.cluster import SimulatedCluster
    from proxmox_client.testing.guests.guest import Guest

RELOCATE_TIMEOUT = 60.0
_KINDS = {
    "qemu": {"start": "qmstart", "stop": "qmstop", "shutdown": "qmshutdown", "move": "qmigrate"},
    "lxc": {"start": "vzstart", "stop": "vzstop", "shutdown": "vzshutdown", "move": "vzmigrate"},
}


def rounds(cluster: SimulatedCluster) -> None:
    """Let every living node's worker have a round."""
    state = ha(cluster)
    if not cluster.quorate:
        return
    for node in cluster.nodes.values():
        if not node.online or node.away is not None:
            continue
        state.worker_at[node.name] = cluster.clock.now()
        for service in state.services.values():
            if service.node == node.name and not service.busy:
                _work(cluster, service)


def _work(cluster: SimulatedCluster, service: Service) -> None:
    guest = cluster.guests.get(service.vmid)
    if guest is None or guest.node != service.node:
        return
    match service.crm_state:
        case "started" if not guest.running:
            _start(cluster, service, guest)
        case "request_stop" if guest.running:
            _stop(cluster, service, guest)
        case "migrate" | "relocate" if service.moved is None:
            _move(cluster, service, guest)
        case _:
            pass


def _run(
    cluster: SimulatedCluster,
    service: Service,
    verb: str,
    work: Callable[[TaskRecord], Iterator[float]],
    ended: Callable[[bool], None],
) -> None:
    """Start a task in root's name and note that it works on the service."""
    kind = _KINDS[service.kind][verb]
    upid = cluster.tasks.start(service.node, kind, work, id=service.vmid, user="root@pam")
    task = cluster.tasks.get(upid)
    service.busy = True

    def end() -> None:
        service.busy = False
        ended((task.exitstatus or "").startswith(("OK", "WARNINGS")))

    task.on_end.append(end)


def _start(cluster: SimulatedCluster, service: Service, guest: Guest) -> None:
    def ended(good: bool) -> None:
        service.failures = 0 if good else service.failures + 1

    _run(cluster, service, "start", lambda task: power.start(cluster, lambda: guest, task), ended)


def _stop(cluster: SimulatedCluster, service: Service, guest: Guest) -> None:
    def work(task: TaskRecord) -> Iterator[float]:
        if service.hard:
            return power.stop(cluster, lambda: guest, task)
        return power.shutdown(cluster, lambda: guest, task, timeout=None, force=True)

    _run(cluster, service, "stop" if service.hard else "shutdown", work, lambda good: None)


def _move(cluster: SimulatedCluster, service: Service, guest: Guest) -> None:
    relocate = service.crm_state == "relocate"
    live = guest.running and not relocate
    move = Move(
        service.target,
        online=live and guest.kind == "qemu",
        restart=live and guest.kind == "lxc",
    )

    def work(task: TaskRecord) -> Iterator[float]:
        if relocate and guest.running:
            yield from power.shutdown(
                cluster, lambda: guest, task, timeout=RELOCATE_TIMEOUT, force=True
            )
        yield from migration.migrate(cluster, lambda: guest, task, move)

    def ended(good: bool) -> None:
        service.moved = good

    _run(cluster, service, "move", work, ended)
