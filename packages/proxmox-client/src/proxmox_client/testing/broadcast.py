"""What the nodes tell each other every ten seconds: the age of /cluster/resources and /nodes."""

from __future__ import annotations

import math
from typing import Any

from proxmox_client.testing.state import Guest, Node

PERIOD = 10.0


class Broadcast:
    """Keeps what each node last said about its guests.

    Nothing happens between events and requests, so it is enough to look just before each of them
    whether a tick went by, and to take the picture then.
    """

    def __init__(self, nodes: dict[str, Node], guests: dict[int, Guest]) -> None:
        self._nodes = nodes
        self._guests = guests
        self._next = 0.0

    def until(self, now: float) -> None:
        """Take the pictures that fell due up to now."""
        if now < self._next:
            return
        due: dict[str, Node] = {}
        for node in self._nodes.values():
            tick = math.floor((now - node.phase) / PERIOD) * PERIOD + node.phase
            if tick > node.broadcast_at and node.online:
                node.broadcast_at = tick
                node.broadcast = {}
                due[node.name] = node
        if due:
            for guest in self._guests.values():
                if (owner := due.get(guest.node)) is not None:
                    owner.broadcast[guest.vmid] = _picture(guest)
        self._next = min(
            math.floor((now - node.phase) / PERIOD) * PERIOD + node.phase + PERIOD
            for node in self._nodes.values()
        )


def _picture(guest: Guest) -> dict[str, Any]:
    """Remember what of a guest travels with the broadcast."""
    return {
        "status": guest.runtime.get("qmpstatus", guest.status)
        if guest.status == "running"
        else "stopped",
        "name": guest.name,
        "config": dict(guest.config),
        "started": guest.started,
        "template": 1 if guest.template else 0,
    }
