"""Shutting nodes down and starting them again, orderly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from proxmox_client.testing import nodelife
from proxmox_client.testing.request import Call
from proxmox_client.testing.routing import handles

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

GUESTS_SECONDS = 10.0
"""Seconds from the command until guests and services are down."""
BOOT_SECONDS = 30.0
"""Seconds from there until the node is on again."""


@handles("POST", "/nodes/{node}/status")
def power(cluster: SimulatedCluster, call: Call) -> Iterator[float]:
    """Shut a node down or start it anew; a node that was shut down stays so."""
    yield 0.3
    node = cluster.nodes[call.node]

    def gone() -> None:
        if node.away is None:
            nodelife.lose(cluster, node, "power")
            if call["command"] == "reboot":
                cluster.clock.after(BOOT_SECONDS, lambda: nodelife.bring_back(cluster, node))

    cluster.clock.after(GUESTS_SECONDS, gone)
