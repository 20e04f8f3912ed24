"""The cluster as the engine sees it: what is read and the few writes it makes, over the client.

Here belongs every request of this package, so that reading code elsewhere never meets a path or a
wire parameter. Not here: deciding anything.
"""

from __future__ import annotations

from pmpc_reconcile.live.cluster import LiveCluster
from pmpc_reconcile.live.inventory import GuestEntry, Inventory, parse_inventory
from pmpc_reconcile.live.objects import GuestObject, PoolObject
from pmpc_reconcile.live.shared import SharedInventory

__all__ = [
    "GuestEntry",
    "GuestObject",
    "Inventory",
    "LiveCluster",
    "PoolObject",
    "SharedInventory",
    "parse_inventory",
]
