"""How nodes go and come back, and what the others' API says about them meanwhile.

The delays are those of the recorded cluster.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import attrs

from proxmox_client.testing.request import PveFault

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster
    from proxmox_client.testing.state import Node

Loss = Literal["processes", "power", "silent"]
"""How a node is lost: only its processes die, its power is cut, or its packets vanish."""
NOTICED_AFTER = 6.7
"""Seconds until the others agree that a node is gone."""
BACK_AFTER = 6.5
API_BACK_AFTER = 10.0
STATISTICS_BACK_AFTER = 23.0
"""Seconds from power on until a node tells the others about itself and its guests again."""
_FIRST_CALLS = 11.7
_NO_ROUTE = 3.07
_SILENCE = 30.01
_REFUSED = 0.008


@attrs.define
class Away:
    """Why a node does not answer.

    Attributes:
        how: How it was lost; ``booting`` while it comes back.
        since: When.
        asked: How many calls were forwarded to it in vain.
        forgotten: When the asking hosts no longer know its address, once one of them has asked.
    """

    how: Loss | Literal["booting"]
    since: float
    asked: int = 0
    forgotten: float | None = None


def refusal(node: Node, now: float) -> PveFault | None:
    """Return what is answered for a node that does not answer; None if it does."""
    away = node.away
    if away is None:
        return None if node.online else PveFault(595, "No route to host", delay=_NO_ROUTE)
    away.asked += 1
    match away.how:
        case "processes" if away.asked == 1:
            return PveFault(596, "Connection reset by peer", delay=0.05)
        case "processes" | "booting":
            return PveFault(595, "Connection refused", delay=_REFUSED)
        case "silent":
            return PveFault(595, "Connection timed out", delay=_SILENCE)
        case _:
            # While the address is still known the first calls hang.
            if away.forgotten is None:
                away.forgotten = now + _FIRST_CALLS
            return PveFault(595, "No route to host", delay=max(_NO_ROUTE, away.forgotten - now))


def lose(cluster: SimulatedCluster, node: Node, how: Loss) -> None:
    """Take a node away: its guests and tasks die at once, the others notice later."""
    now = cluster.clock.now()
    node.away = Away(how, now)
    for task in node.tasks:
        cluster.tasks.kill(task)
    if all(other.away is not None for other in cluster.nodes.values()):
        # What the nodes told each other was in their memory only.
        for other in cluster.nodes.values():
            other.broadcast_at = 0.0
    for guest in cluster.guests.values():
        if guest.node == node.name:
            guest.status, guest.started, guest.pid = "stopped", 0.0, 0

    resume(cluster, node)


def bring_back(cluster: SimulatedCluster, node: Node) -> None:
    """Switch a node on again; it joins after some seconds, its API answers later still."""
    if node.away is None:
        return
    now = cluster.clock.now()
    node.away = Away("booting", now)
    node.booted = now
    node.silent_until = now + STATISTICS_BACK_AFTER
    node.phase = node.silent_until % 10
    cluster.broadcast.reschedule()

    resume(cluster, node)


def resume(cluster: SimulatedCluster, node: Node) -> None:
    """Schedule what is to become of a node that is away."""
    away = node.away
    if away is None:
        return

    def noticed() -> None:
        if node.away is away:
            node.online = False

    def joined() -> None:
        if node.away is away:
            node.online = True

    def answers() -> None:
        if node.away is away:
            node.away = None

    if away.how != "booting":
        cluster.clock.at(away.since + NOTICED_AFTER, noticed)
        return
    if not node.online:
        cluster.clock.at(away.since + BACK_AFTER, joined)
    cluster.clock.at(away.since + API_BACK_AFTER, answers)
