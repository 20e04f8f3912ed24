"""The cluster's manager: every ten seconds it decides what each service should do where."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from proxmox_client.testing.ha import arming
from proxmox_client.testing.ha.rules import best_node, candidates, companions, stays
from proxmox_client.testing.ha.state import HaState, Service

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

PERIOD = 10.0
FENCE_AFTER = 60.0
LOCK_EXPIRES = 120.0
_KIND = {"qemu": "migrate", "lxc": "relocate"}


def has_master(cluster: SimulatedCluster, state: HaState) -> bool:
    """Whether a manager works now; a lost one is replaced when its lock has run out."""
    now = cluster.clock.now()
    if not cluster.quorate:
        return False
    alive = [node for node in cluster.nodes.values() if node.online and node.away is None]
    # A manager whose node was reset has to wait for its own old lock, too.
    if any(node.name == state.master and node.booted <= state.round_at for node in alive):
        return True
    # A lock runs out when it has not changed for as long as a node has watched it.
    able = [node.name for node in alive if now - max(state.round_at, node.booted) >= LOCK_EXPIRES]
    if state.master and not able:
        return False
    names = able if state.master else [node.name for node in alive]
    state.master = names[1 % len(names)]
    return True


def decide(cluster: SimulatedCluster, state: HaState) -> None:
    """Have a round: look at the nodes, then at each service."""
    now = state.round_at = cluster.clock.now()
    state.leaving.clear()
    for node in cluster.nodes.values():
        if node.online:
            state.node_status[node.name] = "online"
            state.last_online[node.name] = now
        elif state.node_status.get(node.name) != "fence" and _has_services(state, node.name):
            gone = now - state.last_online.get(node.name, now - FENCE_AFTER) + 0.001
            state.node_status[node.name] = "fence" if gone >= FENCE_AFTER else "unknown"
    arming.take_orders(state)
    moving = arming.holds(cluster, state)
    for service in list(state.services.values()) if moving is None else moving:
        before = object()
        # A decision may call for the next one at once.
        while service.crm_state != before:
            before = service.crm_state
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
        _enter(cluster, service, _entry(service))
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
        case "request_stop" if service.is_confirmed and not guest.running:
            _enter(cluster, service, "stopped")
        case "stopped":
            _keep_stopped(cluster, service)
        case "migrate" | "relocate" if service.is_confirmed and service.moved is not None:
            service.node, service.target = guest.node, ""
            _enter(cluster, service, _entry(service))
        case "error" if service.requested == "disabled":
            service.failures = service.relocations = 0
            _enter(cluster, service, "stopped")
        case _:
            pass


def _entry(service: Service) -> str:
    return "started" if service.requested == "started" else "request_stop"


def _has_services(state: HaState, name: str) -> bool:
    return any(service.node == name for service in state.services.values())


def _enter(cluster: SimulatedCluster, service: Service, crm_state: str) -> None:
    service.crm_state = crm_state
    service.decided_at = cluster.clock.now()
    service.uid = base64.b64encode(cluster.random.randbytes(16)).decode().rstrip("=")
    service.confirmed = False
    service.moved = None


def _keep_started(cluster: SimulatedCluster, state: HaState, service: Service) -> None:
    command, service.command = service.command, None
    if command is not None and command.kind == "stop":
        service.options["state"] = "stopped"
        service.stop_timeout = command.timeout
    if service.requested != "started":
        if command is None or command.kind != "stop":
            service.stop_timeout = None
        _enter(cluster, service, "request_stop")
    elif command is not None and _goes_to(cluster, service, command.target):
        _move(cluster, service, command.kind, command.target)
        for other in companions(state, service.sid, "positive"):
            if other.crm_state == "started" and other.node != command.target:
                _move(cluster, other, command.kind, command.target)
    elif service.is_confirmed and service.gave_up:
        _give_up_here(cluster, service)
    else:
        running = cluster.guests[service.vmid].running
        service.confirmed = running and (service.confirmed or service.is_confirmed)
        bound = state.rules or "group" in service.options
        allowed = candidates(cluster, service) if bound else []
        strays = service.confirmed and allowed and service.node not in allowed
        if strays and not stays(cluster, service):
            _move(
                cluster, service, _KIND[service.kind], best_node(cluster, service) or service.node
            )


def _goes_to(cluster: SimulatedCluster, service: Service, target: str) -> bool:
    """Whether a move makes sense; others are dropped without a word."""
    node = cluster.nodes.get(target)
    return node is not None and node.online and target != service.node


def _move(cluster: SimulatedCluster, service: Service, kind: str, target: str) -> None:
    _enter(cluster, service, kind)
    service.target = target


def _give_up_here(cluster: SimulatedCluster, service: Service) -> None:
    elsewhere = best_node(cluster, service, without=service.node)
    if elsewhere is None or service.relocations >= service.options.get("max_relocate", 1):
        _enter(cluster, service, "error")
        return
    service.relocations += 1
    _move(cluster, service, _KIND[service.kind], elsewhere)


def _keep_stopped(cluster: SimulatedCluster, service: Service) -> None:
    command, service.command = service.command, None
    if command is not None and _goes_to(cluster, service, command.target):
        _move(cluster, service, command.kind, command.target)
        return
    if service.requested == "started":
        _enter(cluster, service, "started")


def _recover(cluster: SimulatedCluster, state: HaState, service: Service) -> None:
    """Run a service elsewhere, once its dead node can no longer hold its lock."""
    since = cluster.clock.now() - state.worker_at.get(service.node, 0.0)
    # The first attempt after the lock has run out only sets it free.
    if cluster.nodes[service.node].online:
        state.node_status[service.node] = "online"
    elif since < LOCK_EXPIRES + PERIOD:
        return
    target = best_node(cluster, service, without=service.node)
    if target is None:
        service.crm_state = "recovery"
        return
    lost = service.node
    _steal(cluster, service, target)
    _enter(cluster, service, "started")
    if all(other.node != lost for other in state.services.values()):
        state.node_status[lost] = "unknown"


def _steal(cluster: SimulatedCluster, service: Service, target: str) -> None:
    cluster.guests[service.vmid].node = target
    cluster.guests[service.vmid].config.pop("lock", None)
    service.node = target
