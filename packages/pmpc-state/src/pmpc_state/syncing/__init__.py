"""Bringing the record up to date with a cluster.

Belongs here: the order of a sync, its lease, its events. Does not belong here: what is read
(discovery) and how it is written (repositories).
"""

from __future__ import annotations

from pmpc_state.syncing.measuring import Timeframe, measure
from pmpc_state.syncing.run import sync

__all__ = ["Timeframe", "measure", "sync"]
