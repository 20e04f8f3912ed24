"""Loops over declared objects: what keeps a cluster as it was declared while nobody watches.

Belongs here: the queue and its two engines, the reconcile loop, its policies, back-off and
disruption budget. Does not belong here: how a plan is made or applied (the engine does that), and
anything that writes to a cluster by itself.
"""

from __future__ import annotations

from pmpc_reconcile.controllers.backoff import Backoff
from pmpc_reconcile.controllers.loop import ReconcileLoop
from pmpc_reconcile.controllers.memory_queue import MemoryQueue
from pmpc_reconcile.controllers.news import Healed, Looked, News, Postponed
from pmpc_reconcile.controllers.policy import Policy, policy_for
from pmpc_reconcile.controllers.settings import LoopSettings
from pmpc_reconcile.controllers.work import LOOK, Again, Queue, Work

__all__ = [
    "LOOK",
    "Again",
    "Backoff",
    "Healed",
    "Looked",
    "LoopSettings",
    "MemoryQueue",
    "News",
    "Policy",
    "Postponed",
    "Queue",
    "ReconcileLoop",
    "Work",
    "policy_for",
]
