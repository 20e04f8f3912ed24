"""Pools of guests and storages, in the old form (id in the path) and the new one (as parameter)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxmox_client.testing.formats import split_list
from proxmox_client.testing.handlers.cluster import guest_row, storage_row
from proxmox_client.testing.permissions import require
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles
from proxmox_client.testing.state import Pool

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster


def _pool(cluster: SimulatedCluster, poolid: str, prefix: str = "") -> Pool:
    pool = cluster.pools.get(poolid)
    if pool is None:
        raise PveFault(500, f"{prefix}pool '{poolid}' does not exist")
    return pool


def _summary(pool: Pool) -> dict[str, Any]:
    return (
        {"poolid": pool.poolid, "comment": pool.comment}
        if pool.comment
        else {"poolid": pool.poolid}
    )


def _members(cluster: SimulatedCluster, call: Call, pool: Pool) -> list[dict[str, Any]]:
    now = cluster.clock.now()
    kind = call.get("type")
    rows: list[dict[str, Any]] = []
    for vmid in sorted(pool.guests):
        guest = cluster.guests.get(vmid)
        if guest is not None and kind in (None, guest.kind):
            rows.append(guest_row(cluster, guest, now))
    for name in sorted(pool.storages):
        storage = cluster.storages.get(name)
        if storage is None or kind not in (None, "storage"):
            continue
        # A shared storage is a member once, with the name of the node that answers.
        nodes = [call.node] if storage.shared else list(cluster.nodes)
        rows += [
            storage_row(cluster, storage, cluster.nodes[node], now)
            for node in nodes
            if storage.allowed_on(node)
        ]
    return rows


@handles("GET", "/pools")
def list_pools(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the pools the caller may see; with members if one is named."""
    if "poolid" in call:
        poolid = call["poolid"]
        require(cluster.access, call.identity, f"/pool/{poolid}", ["Pool.Audit"])
        pool = _pool(cluster, poolid)
        return [_summary(pool) | {"members": _members(cluster, call, pool)}]
    return [
        _summary(pool)
        for poolid, pool in sorted(cluster.pools.items())
        if cluster.access.allows(call.identity, f"/pool/{poolid}", ["Pool.Audit"])
    ]


@handles("GET", "/pools/{poolid}")
def read_pool(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return a pool with its members."""
    pool = _pool(cluster, call["poolid"])
    return _summary(pool) | {"members": _members(cluster, call, pool)}


@handles("POST", "/pools")
def create_pool(cluster: SimulatedCluster, call: Call) -> None:
    """Make a pool; the parent of a nested one has to exist."""
    poolid = call["poolid"]
    if poolid in cluster.pools:
        raise PveFault(500, f"create pool failed: pool '{poolid}' already exists")
    parent = poolid.rpartition("/")[0]
    if parent and parent not in cluster.pools:
        raise PveFault(
            500, f"create pool failed: parent '{parent}' of pool '{poolid}' does not exist"
        )
    cluster.pools[poolid] = Pool(poolid, call.get("comment", ""))


@handles("PUT", "/pools")
@handles("PUT", "/pools/{poolid}")
def update_pool(cluster: SimulatedCluster, call: Call) -> None:
    """Change the comment, add members or (with ``delete``) remove them."""
    prefix = "update pools failed: "
    pool = _pool(cluster, call["poolid"], prefix)
    if "comment" in call:
        pool.comment = call["comment"]
    removing = bool(call.get("delete"))
    for text in split_list(call.get("vms", "")):
        _change_guest(cluster, call, pool, int(text), removing=removing)
    for name in split_list(call.get("storage", "")):
        require(cluster.access, call.identity, f"/storage/{name}", ["Datastore.Allocate"])
        if removing and name not in pool.storages:
            raise PveFault(500, f"{prefix}Storage '{name}' is not a pool member")
        if not removing and name in pool.storages:
            raise PveFault(500, f"{prefix}Storage '{name}' is already a pool member")
        (pool.storages.discard if removing else pool.storages.add)(name)


def _change_guest(
    cluster: SimulatedCluster, call: Call, pool: Pool, vmid: int, *, removing: bool
) -> None:
    prefix = "update pools failed: "
    require(cluster.access, call.identity, f"/vms/{vmid}", ["VM.Allocate"])
    if removing:
        if vmid not in pool.guests:
            raise PveFault(500, f"{prefix}VM {vmid} is not a pool member")
        pool.guests.discard(vmid)
        return
    if vmid in pool.guests:
        raise PveFault(500, f"{prefix}VM {vmid} is already a pool member")
    owner = next((other for other in cluster.pools.values() if vmid in other.guests), None)
    if owner is not None:
        if not call.get("allow-move"):
            raise PveFault(500, f"{prefix}VM {vmid} belongs already to pool '{owner.poolid}'")
        owner.guests.discard(vmid)
    pool.guests.add(vmid)


@handles("DELETE", "/pools")
@handles("DELETE", "/pools/{poolid}")
def delete_pool(cluster: SimulatedCluster, call: Call) -> None:
    """Remove an empty pool."""
    prefix = "delete pool failed: "
    pool = _pool(cluster, call["poolid"], prefix)
    child = next((poolid for poolid in cluster.pools if poolid.startswith(f"{pool.poolid}/")), None)
    living = sorted(vmid for vmid in pool.guests if vmid in cluster.guests)
    contents = [f"pool '{child}'"] if child else []
    contents += [f"VM {vmid}" for vmid in living]
    contents += [f"storage '{name}'" for name in sorted(pool.storages & cluster.storages.keys())]
    if contents:
        raise PveFault(500, f"{prefix}pool '{pool.poolid}' is not empty (contains {contents[0]})")
    del cluster.pools[pool.poolid]
