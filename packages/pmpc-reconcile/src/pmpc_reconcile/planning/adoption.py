"""Read the pools and settings that are there and write their manifests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from pmpc_reconcile.documents.settings import (
    firewall_document,
    network_document,
    pool_document,
    sdn_document,
    storage_document,
)
from pmpc_reconcile.documents.written import Written
from pmpc_reconcile.groups.firewall.state import Level
from pmpc_reconcile.live import Inventory, LiveCluster
from pmpc_reconcile.live.firewall import CLUSTER_PATH, read_level
from pmpc_reconcile.live.network import read_network
from pmpc_reconcile.live.sdn import read_sdn

Found = tuple[list[Written], list[str]]
"""Manifests, and what is left out with the reason."""


async def settings_manifests(live: LiveCluster, kind_name: str) -> Found:
    """Return the manifests of everything of a kind that can be adopted.

    Args:
        live: The cluster.
        kind_name: One of `ADOPTABLE`.

    Raises:
        PveError: The cluster cannot be read.
    """
    return await _WRITERS[kind_name](live, await live.inventory())


async def _storages(live: LiveCluster, inventory: Inventory) -> Found:
    return [storage_document(row) for row in await live.read("/storage")], []


async def _pools(live: LiveCluster, inventory: Inventory) -> Found:
    rows = await live.read("/pools")
    names = sorted(str(row["poolid"]) for row in rows)
    pools = await asyncio.gather(*(live.pool(name) for name in names if "/" not in name))
    nested = [f"Pool/{name}: it is inside another pool" for name in names if "/" in name]
    return [pool_document(pool) for pool in pools], nested


async def _sdn(live: LiveCluster, inventory: Inventory) -> Found:
    found = sdn_document((await read_sdn(live)).running)
    return ([found], []) if found.document["spec"] else ([], [])


async def _networks(live: LiveCluster, inventory: Inventory) -> Found:
    nodes = sorted(inventory.nodes)
    read = [node for node in nodes if inventory.reachable(node)]
    found = [network_document(node, (await read_network(live, node)).interfaces) for node in read]
    return found, [f"NodeNetwork/{node}: {_SILENT}" for node in nodes if node not in read]


async def _firewalls(live: LiveCluster, inventory: Inventory) -> Found:
    places: dict[str, str] = {"cluster": CLUSTER_PATH}
    for node in sorted(inventory.nodes):
        places[f"node/{node}"] = f"/nodes/{node}" if inventory.reachable(node) else ""
    for vmid, entry in sorted(inventory.guests.items()):
        path = f"/nodes/{entry.node}/{entry.guest}/{vmid}"
        places[f"guest/{vmid}"] = path if inventory.reachable(entry.node) else ""
    found: list[Written] = []
    left: list[str] = []
    for key, path in places.items():
        if not path:
            left.append(f"the firewall of {key.replace('/', ' ')}: {_SILENT}")
            continue
        below = path if path == CLUSTER_PATH else f"{path}/firewall"
        level = (await read_level(live, below)).level
        if level != Level():
            found.append(firewall_document(key, level))
    return found, left


_SILENT: Final = "its node does not answer"
_WRITERS: Final[Mapping[str, Callable[[LiveCluster, Inventory], Awaitable[Found]]]] = {
    "Storage": _storages,
    "Pool": _pools,
    "Sdn": _sdn,
    "NodeNetwork": _networks,
    "Firewall": _firewalls,
}
ADOPTABLE: Final = tuple(_WRITERS)
"""Kinds besides guests that can be adopted; nobody knows where an image came from."""
