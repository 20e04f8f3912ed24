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
WAITS = 5.0
LOOKS_AFTER = 1.0
"""Seconds until a worker looks at a task for the first time."""
_KINDS = {
    "qemu": {"start": "qmstart", "stop": "qmstop", "shutdown": "qmshutdown", "move": "qmigrate"},
    "lxc": {"start": "vzstart", "stop": "vzstop", "shutdown": "vzshutdown", "move": "vzmigrate"},
}


def work(cluster: SimulatedCluster, name: str) -> None:
    """Let a node's worker have a round."""
    for service in ha(cluster).services.values():
        if service.node == name and not service.busy:
            service.reported_at = cluster.clock.now()
            _work(cluster, service)


def _work(cluster: SimulatedCluster, service: Service) -> None:
    guest = cluster.guests.get(service.vmid)
    if guest is None or guest.node != service.node:
        return
    match service.crm_state:
        case "started" if not guest.running and not service.gave_up:
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
    service.busy, service.reported_at = True, 0.0

    def notice() -> None:
        service.busy = False
        # What takes longer than a worker waits is reported in its next round.
        if cluster.clock.now() - ha(cluster).worker_at.get(service.node, 0.0) <= WAITS:
            service.reported_at = cluster.clock.now()
        ended((task.exitstatus or "").startswith(("OK", "WARNINGS")))

    looks_at = cluster.clock.now() + LOOKS_AFTER

    def end() -> None:
        cluster.clock.at(looks_at, notice)

    task.on_end.append(end)


def _start(cluster: SimulatedCluster, service: Service, guest: Guest) -> None:
    def ended(good: bool) -> None:
        service.failures = 0 if good else service.failures + 1

    _run(cluster, service, "start", lambda task: power.start(cluster, lambda: guest, task), ended)


def _stop(cluster: SimulatedCluster, service: Service, guest: Guest) -> None:
    def work(task: TaskRecord) -> Iterator[float]:
        if hard:
            return power.stop(cluster, lambda: guest, task)
        return power.shutdown(
            cluster, lambda: guest, task, timeout=service.stop_timeout, force=True
        )

    hard = service.stop_timeout == 0
    _run(cluster, service, "stop" if hard else "shutdown", work, lambda good: None)


def _move(cluster: SimulatedCluster, service: Service, guest: Guest) -> None:
    relocate = service.crm_state == "relocate"
    # A container is shut down first and started over there in a later round.
    relocate = relocate or guest.kind == "lxc"
    move = Move(service.target, online=guest.running and not relocate)

    def work(task: TaskRecord) -> Iterator[float]:
        if relocate and guest.running:
            yield from power.shutdown(
                cluster, lambda: guest, task, timeout=RELOCATE_TIMEOUT, force=True
            )
        yield from migration.migrate(cluster, lambda: guest, task, move)

    def ended(good: bool) -> None:
        service.moved = good
        if good:
            service.failures = 0

    _run(cluster, service, "move", work, ended)
