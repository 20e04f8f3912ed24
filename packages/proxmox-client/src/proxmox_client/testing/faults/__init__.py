"""Faults on demand: what can go wrong with a cluster, and somebody else who changes things.

Here belong the kinds of faults and where they strike. How a cluster without quorum or with a dead
node behaves belongs to `quorum` and `nodelife`.
"""

from __future__ import annotations

from proxmox_client.testing.faults.box import ActiveFault, Faults
from proxmox_client.testing.faults.kinds import (
    Answer,
    ClockSkew,
    Drop,
    Edit,
    ExpiredTickets,
    FailingTask,
    Fault,
    FullStorage,
    HeldLock,
    Latency,
    NodeOffline,
    NoQuorum,
    Script,
    SlowTasks,
    SomebodyElse,
    TicketLifetime,
    Where,
)

__all__ = [
    "ActiveFault",
    "Answer",
    "ClockSkew",
    "Drop",
    "Edit",
    "ExpiredTickets",
    "FailingTask",
    "Fault",
    "Faults",
    "FullStorage",
    "HeldLock",
    "Latency",
    "NoQuorum",
    "NodeOffline",
    "Script",
    "SlowTasks",
    "SomebodyElse",
    "TicketLifetime",
    "Where",
]
