"""The cluster's manager: every ten seconds it decides what each service should do where."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxmox_client.testing.ha import lrm
from proxmox_client.testing.ha.rules import best_node, candidates, companions
from proxmox_client.testing.ha.state import HaState, Service, ha

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

PERIOD = 10.0
PHASE = 6.0
WORKERS_AFTER = 3.4
FENCE_AFTER = 60.0
LOCK_EXPIRES = 120.0


def wake(cluster: SimulatedCluster) -> None:
    """See that rounds are scheduled while there are services."""
    state = ha(cluster)
    if state.ticking or not state.services:
        return
    state.ticking = True
    now = cluster.clock.now()
    cluster.clock.at(now + PERIOD - (now - PHASE) % PERIOD, lambda: _tick(cluster))


def _tick(cluster: SimulatedCluster) -> None:
    state = ha(cluster)
    state.ticking = False
    if _has_master(cluster, state):
        _round(cluster, state)
    cluster.clock.after(WORKERS_AFTER, lambda: lrm.rounds(cluster))
    wake(cluster)


def _has_master(cluster: SimulatedCluster, state: HaState) -> bool:
    """Whether a manager works now; a lost one is replaced when its lock has run out."""
    now = cluster.clock.now()
    if not cluster.quorate:
        return False
    alive = [node.name for node in cluster.nodes.values() if node.online and node.away is None]
    if state.master in alive:
        return True
    if state.master and now - state.round_at < LOCK_EXPIRES:
        return False
    state.master = alive[1 % len(alive)]
    return True


def _round(cluster: SimulatedCluster, state: HaState) -> None:
    now = state.round_at = cluster.clock.now()
    for node in cluster.nodes.values():
        if node.online:
            state.node_status[node.name] = "online"
            state.last_online[node.name] = now
        elif state.node_status.get(node.name) != "fence":
            gone = now - state.last_online.get(node.name, now - FENCE_AFTER)
            state.node_status[node.name] = "fence" if gone >= FENCE_AFTER else "unknown"
    for service in list(state.services.values()):
        _decide(cluster, state, service)


def _decide(cluster: SimulatedCluster, state: HaState, service: Service) -> None:
    if service.requested == "ignored":
        service.crm_state = service.command = None
        return
    guest = cluster.guests.get(service.vmid)
    if guest is None:
        return
    if service.crm_state is None:
        service.node = guest.node
        _enter(cluster, service, "started" if service.requested == "started" else "request_stop")
    lost = state.node_status.get(service.node)
    if lost == "fence" and service.crm_state not in ("fence", "stopped", "error"):
        _enter(cluster, service, "fence")
    if lost == "unknown":
        return
    match service.crm_state:
        case "fence":
            _recover(cluster, state, service)
        case "started":
            _keep_started(cluster, state, service)
        case "request_stop" if not guest.running and not service.busy:
            _enter(cluster, service, "stopped")
        case "stopped":
            _keep_stopped(cluster, service)
        case "migrate" | "relocate" if service.moved is not None:
            service.node = guest.node
            _enter(cluster, service, "started")
        case "error" if service.requested == "disabled":
            service.failures = service.relocations = 0
            _enter(cluster, service, "stopped")
        case _:
            pass


def _enter(cluster: SimulatedCluster, service: Service, crm_state: str) -> None:
    service.crm_state = crm_state
    service.uid = cluster.new_uuid()
    service.confirmed = False
    service.moved = None


def _keep_started(cluster: SimulatedCluster, state: HaState, service: Service) -> None:
    command, service.command = service.command, None
    if command is not None and command.kind == "stop":
        service.options["state"] = "stopped"
        service.hard = command.timeout == 0
    if service.requested != "started":
        _enter(cluster, service, "request_stop")
    elif command is not None and _goes_to(cluster, service, command.target):
        _move(cluster, service, command.kind, command.target)
        for other in companions(state, service.sid, "positive"):
            if other.crm_state == "started" and other.node != command.target:
                _move(cluster, other, command.kind, command.target)
    elif service.failures > service.options.get("max_restart", 1):
        _give_up_here(cluster, service)
    else:
        service.confirmed = cluster.guests[service.vmid].running
        allowed = candidates(cluster, service)
        if service.confirmed and allowed and service.node not in allowed:
            _move(cluster, service, "migrate", best_node(cluster, service) or service.node)


def _goes_to(cluster: SimulatedCluster, service: Service, target: str) -> bool:
    """Whether a move makes sense; others are dropped without a word."""
    node = cluster.nodes.get(target)
    return node is not None and node.online and target != service.node


def _move(cluster: SimulatedCluster, service: Service, kind: str, target: str) -> None:
    _enter(cluster, service, kind)
    service.target = target


def _give_up_here(cluster: SimulatedCluster, service: Service) -> None:
    service.failures = 0
    elsewhere = best_node(cluster, service, without=service.node)
    if elsewhere is None or service.relocations >= service.options.get("max_relocate", 1):
        _enter(cluster, service, "error")
        return
    service.relocations += 1
    _move(cluster, service, "relocate", elsewhere)


def _keep_stopped(cluster: SimulatedCluster, service: Service) -> None:
    command, service.command = service.command, None
    if command is not None and _goes_to(cluster, service, command.target):
        _steal(cluster, service, command.target)
    if service.requested == "started":
        _enter(cluster, service, "started")


def _recover(cluster: SimulatedCluster, state: HaState, service: Service) -> None:
    """Run a service elsewhere, once its dead node can no longer hold its lock."""
    since = cluster.clock.now() - state.worker_at.get(service.node, 0.0)
    if cluster.nodes[service.node].online:
        state.node_status[service.node] = "online"
    elif since < LOCK_EXPIRES:
        return
    target = best_node(cluster, service, without=service.node)
    if target is None:
        service.crm_state = "recovery"
        return
    _steal(cluster, service, target)
    _enter(cluster, service, "started")


def _steal(cluster: SimulatedCluster, service: Service, target: str) -> None:
    cluster.guests[service.vmid].node = target
    cluster.guests[service.vmid].config.pop("lock", None)
    service.node = target
