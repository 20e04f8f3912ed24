"""How the nodes reloaded after the cluster's networks were applied.

PVE's own task of the apply ends well even where a node failed (`pve-network`,
`API2/Network/SDN.pm`: what a node's reload answers is only a warning), so each node's task counts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, Final

import attrs

from pmpc_reconcile.live.cluster import LiveCluster

_RUNNING: Final = (None, "", "RUNNING")


@attrs.frozen
class Reloads:
    """What became of the reloads that followed an apply.

    Attributes:
        failed: By node how its reload ended.
        running: Tasks that are still under way.
        unseen: Nodes that show none: they did not answer, or we may not see it.
    """

    failed: Mapping[str, str] = attrs.field(factory=dict[str, str])
    running: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()


async def read_reloads(live: LiveCluster, nodes: Iterable[str], upid: str) -> Reloads:
    """Return how nodes reloaded since an apply began.

    Args:
        live: The cluster.
        nodes: The nodes that were to reload.
        upid: The task of the apply.
    """
    from proxmox_client import PveError
    from proxmox_client.values.upid import Upid

    since = Upid.parse(upid).starttime

    async def newest(node: str) -> Mapping[str, Any] | None:
        query = {"source": "all", "typefilter": "srvreload", "since": since, "limit": 20}
        try:
            rows: list[dict[str, Any]] = await live.read(f"/nodes/{node}/tasks", query)
        except PveError:
            return None
        own = [row for row in rows if row.get("id") == "networking"]
        return max(own, key=lambda row: (int(row["starttime"]), str(row["upid"])), default=None)

    names = sorted(nodes)
    rows = dict(zip(names, await asyncio.gather(*map(newest, names)), strict=True))
    ended = {node: str(row["status"]) for node, row in rows.items() if row and not _runs(row)}
    return Reloads(
        {node: text for node, text in ended.items() if not text.startswith(("OK", "WARNINGS"))},
        tuple(str(row["upid"]) for row in rows.values() if row and _runs(row)),
        tuple(node for node, row in rows.items() if row is None),
    )


async def newest_apply(live: LiveCluster) -> str | None:
    """Return the task of the latest apply of the cluster's networks, None if none is known."""
    rows: list[dict[str, Any]] = await live.read("/cluster/tasks")
    own = [row for row in rows if row.get("type") == "reloadnetworkall"]
    found = max(own, key=lambda row: int(row["starttime"]), default=None)
    return None if found is None else str(found["upid"])


def _runs(row: Mapping[str, Any]) -> bool:
    return row.get("status") in _RUNNING
