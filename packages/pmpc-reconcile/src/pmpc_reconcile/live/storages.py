"""Read the configuration of storages, and which images lie where."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from pmpc_reconcile.live.cluster import LiveCluster


async def read_storage(live: LiveCluster, name: str) -> dict[str, Any] | None:
    """Return a storage as configured, digest included; None if there is none of that name."""
    rows: list[dict[str, Any]] = await live.read("/storage")
    return next((row for row in rows if row.get("storage") == name), None)


async def has_volume(live: LiveCluster, node: str, volume: str) -> bool:
    """Return whether a node's storage holds a volume."""
    storage, _, name = volume.partition(":")
    content = name.partition("/")[0]
    path = f"/nodes/{node}/storage/{storage}/content"
    rows: list[dict[str, Any]] = await live.read(path, {"content": content})
    return any(row.get("volid") == volume for row in rows)


def volume_path(node: str, volume: str) -> str:
    """Return the API path of a volume."""
    storage = volume.partition(":")[0]
    return f"/nodes/{node}/storage/{storage}/content/{quote(volume, safe=':/')}"
