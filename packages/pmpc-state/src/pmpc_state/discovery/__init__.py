"""Looking at a cluster: what is there, and what could not be seen and why.

Belongs here: reading from PVE and putting what it says into frozen values, one module per section.
Does not belong here: the database, and any decision about what a difference means.
"""

from __future__ import annotations

from pmpc_state.discovery.attention import Memory
from pmpc_state.discovery.collections import COLLECTIONS, Collection
from pmpc_state.discovery.leaving_out import sync_problem
from pmpc_state.discovery.run import discover

__all__ = ["COLLECTIONS", "Collection", "Memory", "discover", "sync_problem"]
