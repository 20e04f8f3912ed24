"""When manager and workers have their rounds: every ten seconds, idle workers every five.

Also the watchdog: a node whose worker could not renew its lock for a minute is reset.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxmox_client.testing import nodelife
from proxmox_client.testing.ha import crm, lrm
from proxmox_client.testing.ha.state import HaState, ha

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

PERIOD = crm.PERIOD
IDLE_PERIOD = 5.0
WATCHDOG = 60.0
BACK_AFTER = 13.5
"""Seconds from a node's start until its worker reports."""
STAYS_ACTIVE = 900.0
"""Seconds for which a worker keeps its lock although it has no services any more."""


def wake(cluster: SimulatedCluster) -> None:
    """See that rounds are scheduled once there are services."""
    state = ha(cluster)
    if state.ticking or not (state.services or state.master):
        return
    state.ticking = True
    _schedule_manager(cluster, state)
    state.scheduled.clear()
    for name in cluster.nodes:
        _schedule_worker(cluster, state, name)


def _next(now: float, phase: float, period: float) -> float:
    return now + period - (now - phase) % period


def _schedule_manager(cluster: SimulatedCluster, state: HaState) -> None:
    at = _next(cluster.clock.now(), state.manager_phase, PERIOD)
    cluster.clock.at(at, lambda: _manage(cluster, state))


def _manage(cluster: SimulatedCluster, state: HaState) -> None:
    if crm.has_master(cluster, state):
        crm.decide(cluster, state)
    for name in cluster.nodes.keys() - state.scheduled:
        _schedule_worker(cluster, state, name)
    _schedule_manager(cluster, state)


def _schedule_worker(cluster: SimulatedCluster, state: HaState, name: str) -> None:
    period = PERIOD if name in state.active_since else IDLE_PERIOD
    at = _next(cluster.clock.now(), state.worker_phase(name), period)
    state.scheduled.add(name)
    cluster.clock.at(at, lambda: _work(cluster, state, name))


def _work(cluster: SimulatedCluster, state: HaState, name: str) -> None:
    node = cluster.nodes.get(name)
    if node is None:
        state.scheduled.discard(name)
        return
    now = cluster.clock.now()
    if not node.online or node.away is not None or now < node.booted + BACK_AFTER - 0.001:
        # Its rounds begin anew with the node.
        state.worker_phases[name] = (node.booted + BACK_AFTER) % PERIOD
    elif cluster.quorate:
        _renew(cluster, state, name)
    elif name in state.active_since:
        left = _alone_since(cluster) + WATCHDOG - now
        if left <= PERIOD:
            cluster.clock.after(max(left, 0.0), lambda: _bite(cluster, state, name))
    _schedule_worker(cluster, state, name)


def _renew(cluster: SimulatedCluster, state: HaState, name: str) -> None:
    now = state.worker_at[name] = cluster.clock.now()
    if state.disarm_mode:
        state.disarmed_workers.add(name)
        state.active_since.pop(name, None)
        if any(service.busy or service.target for service in state.services.values()):
            lrm.work(cluster, name)
        return
    state.disarmed_workers.discard(name)
    wanted = any(
        service.crm_state and name in (service.node, service.target)
        for service in state.services.values()
    )
    # After a reset the own old lock has to run out first.
    locked_at = state.locked_at.get(name, 0.0)
    booted = cluster.nodes[name].booted
    free = not locked_at or locked_at >= booted or now - booted >= crm.LOCK_EXPIRES
    if locked_at < booted:
        state.active_since.pop(name, None)
    if wanted and free:
        state.active_since[name] = state.locked_at[name] = now
    elif now - state.active_since.get(name, now) > STAYS_ACTIVE:
        del state.active_since[name]
    if name in state.active_since:
        lrm.work(cluster, name)


def _alone_since(cluster: SimulatedCluster) -> float:
    """Return since when there has been no quorum: the loss of the last node that went."""
    away = [node.away.since for node in cluster.nodes.values() if node.away is not None]
    return max(away, default=ha(cluster).round_at)


def _bite(cluster: SimulatedCluster, state: HaState, name: str) -> None:
    """Reset a node that has had no quorum for a minute although it had services."""
    node = cluster.nodes[name]
    if not cluster.quorate and node.away is None and name in state.active_since:
        nodelife.lose(cluster, node, "power")
