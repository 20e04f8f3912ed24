"""What the cluster's log says besides tasks: edits, snapshots, log-ins, each with who did it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

LENGTH = 500


@attrs.frozen
class Note:
    """One line of the log.

    Attributes:
        at: When it was written.
        node: Where.
        user: Who did it; a token with its name.
        text: What was done.
        pid: The server's process.
    """

    at: float
    node: str
    user: str
    text: str
    pid: int


def notes(cluster: SimulatedCluster) -> list[Note]:
    """Return the lines, oldest first."""
    found: list[Note] = cluster.files.setdefault("cluster-log", [])
    return found


def note(cluster: SimulatedCluster, node: str, user: str, text: str) -> None:
    """Write a line; the oldest ones go."""
    lines = notes(cluster)
    lines.append(Note(cluster.clock.now(), node, user, text, cluster.nodes[node].pid))
    del lines[:-LENGTH]
