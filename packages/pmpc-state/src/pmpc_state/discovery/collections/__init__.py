"""Everything else a cluster has settings for, as data: access, firewall, SDN, HA, jobs and more.

Belongs here: a table that says where PVE lists what, and the one reader that follows it. Does not
belong here: what needs more than a list (guests, volumes, tasks).
"""

from __future__ import annotations

from pmpc_state.discovery.collections.reading import look_at_collections
from pmpc_state.discovery.collections.table import COLLECTIONS, Collection

__all__ = ["COLLECTIONS", "Collection", "look_at_collections"]
