"""Disarming and arming: letting go of the watchdogs, with services frozen or ignored meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxmox_client.testing.ha.state import HaState, Service

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_UNDER_WAY = frozenset(("fence", "recovery", "migrate", "relocate"))


def take_orders(state: HaState) -> None:
    """Look at the requests to disarm and to arm; senseless ones are dropped."""
    orders, state.orders = state.orders, []
    for order in orders:
        if order == "arm":
            state.disarm_mode = state.disarm_state = ""
            for service in state.services.values():
                if service.crm_state == "freeze":
                    # The manager looks at the guest anew.
                    service.crm_state = None
        elif not state.disarm_mode:
            state.disarm_mode, state.disarm_state = order, "disarming"


def holds(cluster: SimulatedCluster, state: HaState) -> list[Service] | None:
    """Go on disarming; return the services that still have to come to rest.

    Returns:
        None if nothing is disarmed; an empty list if services are to be left alone.
    """
    if not state.disarm_mode:
        return None
    moving = [service for service in state.services.values() if service.crm_state in _UNDER_WAY]
    if moving:
        return moving
    if state.disarm_mode == "freeze":
        for service in state.services.values():
            if service.crm_state in ("started", "stopped", "request_stop"):
                service.crm_state, service.command = "freeze", None
    online = {node.name for node in cluster.nodes.values() if node.online}
    if online <= state.disarmed_workers:
        state.disarm_state = "disarmed"
    return []
