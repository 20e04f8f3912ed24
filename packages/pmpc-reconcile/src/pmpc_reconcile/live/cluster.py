"""Reads and writes of the engine, one method per thing PVE offers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pmpc_reconcile.live.inventory import Inventory, parse_inventory
from pmpc_reconcile.live.objects import GuestObject, PoolObject

if TYPE_CHECKING:
    from proxmox_client import AsyncClient

READ_LIMIT = 16
_NO_PARAMS: Mapping[str, object] = {}


class LiveCluster:
    """The cluster behind a client.

    Reads run at most `READ_LIMIT` at a time. Writes go through `write`, which counts them.
    """

    def __init__(self, client: AsyncClient) -> None:
        self.client = client
        self.writes = 0
        self._slots = asyncio.Semaphore(READ_LIMIT)

    async def read(self, path: str, params: Mapping[str, object] = _NO_PARAMS) -> Any:
        """GET a path and return what stands under `data`."""
        async with self._slots:
            return await self.client.request("GET", path, params)

    async def write(self, method: str, path: str, params: Mapping[str, object] = _NO_PARAMS) -> Any:
        """Send one write and return what stands under `data`; it is never sent twice."""
        self.writes += 1
        return await self.client.request(method, path, params)

    # -- reading ------------------------------------------------------------------------------

    async def inventory(self) -> Inventory:
        """Read `/cluster/resources`."""
        rows: list[dict[str, Any]] = await self.read("/cluster/resources")
        return parse_inventory(rows)

    async def quorate(self) -> bool:
        """Return whether configuration can be written; a single node always can."""
        rows: list[dict[str, Any]] = await self.read("/cluster/status")
        clusters = [row for row in rows if row.get("type") == "cluster"]
        return all(_flag(row.get("quorate", 1)) for row in clusters)

    async def config(self, node: str, guest: str, vmid: int) -> dict[str, Any]:
        """Read a guest's configuration, pending values merged, digest included."""
        answer: dict[str, Any] = await self.read(f"{guest_path(node, guest, vmid)}/config")
        return answer

    async def running(self, node: str, guest: str) -> frozenset[int]:
        """Return the guests of a node that run now; unlike `/cluster/resources` this is live."""
        rows: list[dict[str, Any]] = await self.read(f"/nodes/{node}/{guest}")
        return frozenset(int(row["vmid"]) for row in rows if row.get("status") == "running")

    async def guest(
        self,
        node: str,
        guest: str,
        vmid: int,
        *,
        pool: str | None = None,
        running: bool | None = None,
    ) -> GuestObject:
        """Read a guest: status, configuration and, if it runs, the running values.

        Args:
            node: Where it is.
            guest: `qemu` or `lxc`.
            vmid: Its id.
            pool: Its pool, as listed.
            running: Whether it runs, if that is known; else it is asked.

        Raises:
            NotFound: It is not on that node.
        """
        path = guest_path(node, guest, vmid)
        runs = running
        if runs is None:
            status: dict[str, Any] = await self.read(f"{path}/status/current")
            runs = bool(status.get("status") == "running")
        config: dict[str, Any] = await self.read(f"{path}/config")
        current: dict[str, Any] = (
            await self.read(f"{path}/config", {"current": 1}) if runs else config
        )
        return GuestObject(
            vmid=vmid,
            guest=guest,
            node=node,
            config=_without_digest(config),
            running_config=_without_digest(current),
            digest=str(config.get("digest", "")),
            running=runs,
            pool=pool,
        )

    async def cloud_init(self, guest: GuestObject) -> list[dict[str, Any]]:
        """Return PVE's list of what a machine's cloud-init drive has and what waits for it."""
        path = guest_path(guest.node, guest.guest, guest.vmid)
        rows: list[dict[str, Any]] = await self.read(f"{path}/cloudinit")
        return rows

    async def pool(self, name: str) -> PoolObject:
        """Read a pool.

        Raises:
            NotFound: There is none.
        """
        answer: dict[str, Any] = await self.read(f"/pools/{name}")
        members: list[dict[str, Any]] = answer.get("members") or []
        return PoolObject(
            name=name,
            comment=str(answer.get("comment") or ""),
            guests=frozenset(int(row["vmid"]) for row in members if row.get("vmid") is not None),
            storages=frozenset(
                str(row["storage"])
                for row in members
                if row.get("storage") is not None and row.get("vmid") is None
            ),
        )

    async def has_pool(self, name: str) -> bool:
        """Return whether a pool of that name exists; `/pools` is never out of date."""
        rows: list[dict[str, Any]] = await self.read("/pools")
        return any(row.get("poolid") == name for row in rows)

    async def images(
        self, inventory: Inventory, wanted: Iterable[tuple[str, str]]
    ) -> dict[str, frozenset[str]]:
        """Return the images of storages and the nodes that have them.

        Args:
            inventory: The cluster.
            wanted: Storages and what of their content to list, such as `("local", "iso")`.
        """
        places = [
            (node, storage, content)
            for storage, content in sorted(wanted)
            for node in sorted(inventory.storages.get(storage, ()))
            if inventory.reachable(node)
        ]
        answers: list[list[dict[str, Any]]] = await asyncio.gather(
            *(
                self.read(f"/nodes/{node}/storage/{storage}/content", {"content": content})
                for node, storage, content in places
            )
        )
        found: dict[str, set[str]] = {}
        for (node, _, _), rows in zip(places, answers, strict=True):
            for row in rows:
                found.setdefault(str(row["volid"]), set()).add(node)
        return {volid: frozenset(nodes) for volid, nodes in found.items()}

    async def next_vmid(self) -> int:
        """Return a vmid that looks free; nothing is reserved by asking."""
        return int(await self.read("/cluster/nextid"))

    async def active_tasks(self, node: str) -> tuple[Mapping[str, Any], ...]:
        """Return the tasks that run on a node at this moment."""
        rows: list[dict[str, Any]] = await self.read(
            f"/nodes/{node}/tasks", {"source": "active", "limit": 500}
        )
        return tuple(rows)


def guest_path(node: str, guest: str, vmid: int) -> str:
    """Return the API path of a guest."""
    return f"/nodes/{node}/{guest}/{vmid}"


def _without_digest(config: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in config.items() if key != "digest"}


def _flag(value: object) -> bool:
    return str(value) in ("1", "True", "true")
