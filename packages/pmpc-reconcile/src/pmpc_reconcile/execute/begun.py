"""The tasks of calls that were sent, or may have been, and whose answer nobody has."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from pmpc_reconcile.live import LiveCluster

TASK_TYPES: Final = "task_types"
"""In what the journal keeps of a call: types of its task, where no node and no id is known."""


async def tasks_begun(live: LiveCluster, intent: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the tasks that run at this moment and may belong to a call.

    Args:
        live: The cluster.
        intent: What the journal keeps of the call.
    """
    node = intent.get("node")
    ids = {str(item) for item in intent.get("task_ids", ())}
    types = {str(item) for item in intent.get(TASK_TYPES, ())}
    if node is not None:
        rows = await _running(live, str(node))
        return tuple(str(row["upid"]) for row in rows if str(row.get("id", "")) in ids)
    if not types:
        return ()
    nodes = [name for name, online in (await live.inventory()).nodes.items() if online]
    found = await asyncio.gather(*(_running(live, name) for name in nodes))
    return tuple(str(row["upid"]) for rows in found for row in rows if row.get("type") in types)


async def _running(live: LiveCluster, node: str) -> tuple[Mapping[str, Any], ...]:
    """Return the tasks of a node; none where it does not answer."""
    from proxmox_client import PveError

    try:
        return await live.active_tasks(node)
    except PveError:
        return ()
