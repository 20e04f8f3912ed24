"""The reading behind a location: candidates first, everything only when they prove nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from pmpc_reconcile.identity import read_marker
from pmpc_reconcile.live import GuestEntry, GuestObject, Inventory, LiveCluster
from pmpc_reconcile.locate.decision import (
    Found,
    Location,
    Missing,
    Recorded,
    Unknown,
    decide,
)


class Locator:
    """Finds objects on one cluster for one release; reads each guest at most once."""

    def __init__(self, live: LiveCluster, inventory: Inventory, release: str) -> None:
        self.live = live
        self.inventory = inventory
        self.release = release
        self._read: dict[int, GuestObject | None] = {}
        self._asked: dict[tuple[str, str], asyncio.Task[frozenset[int]]] = {}
        self._markers: dict[int, tuple[str, str] | None] = {}

    async def locate(
        self, wanted: Mapping[str, tuple[str, str, Recorded | None]]
    ) -> dict[str, Location]:
        """Return where each address is.

        Args:
            wanted: By address: `qemu` or `lxc`, the guest's name, what is recorded.
        """
        found: dict[str, Location] = {}
        for address, place in zip(
            wanted,
            await asyncio.gather(
                *(self._likely(address, *what) for address, what in wanted.items())
            ),
            strict=True,
        ):
            found[address] = place
        lost = [address for address, place in found.items() if not isinstance(place, Found)]
        if lost:
            everywhere = await self._by_marker({wanted[address][0] for address in lost})
            for address in lost:
                found[address] = await self._anywhere(address, *wanted[address], everywhere)
        return found

    async def _likely(
        self, address: str, guest: str, name: str, recorded: Recorded | None
    ) -> Location:
        vmids = {entry.vmid for entry in self.inventory.named(name) if entry.guest == guest}
        if recorded is not None:
            vmids.add(recorded.vmid)
        return decide(self.release, address, recorded, await self._guests(vmids))

    async def _anywhere(
        self,
        address: str,
        guest: str,
        name: str,
        recorded: Recorded | None,
        everywhere: Mapping[tuple[str, str], set[int]],
    ) -> Location:
        vmids = set(everywhere.get((self.release, address), ()))
        vmids |= {entry.vmid for entry in self.inventory.named(name) if entry.guest == guest}
        if recorded is not None:
            vmids.add(recorded.vmid)
        place = decide(self.release, address, recorded, await self._guests(vmids))
        if isinstance(place, Missing):
            silent = self._silent(vmids, name, guest, recorded)
            if silent is not None:
                return Unknown(silent)
        return place

    def _silent(
        self, vmids: Iterable[int], name: str, guest: str, recorded: Recorded | None
    ) -> str | None:
        for vmid in sorted(vmids):
            entry = self.inventory.guests.get(vmid)
            if entry is not None and self._read.get(vmid) is None:
                return f"guest {vmid} is on node {entry.node}, which does not answer"
        for entry in self.inventory.guests.values():
            hidden = not self.inventory.reachable(entry.node) and entry.guest == guest
            if hidden and not entry.name and recorded is None:
                return f"node {entry.node} does not answer and may have {name}"
        return None

    async def _by_marker(self, kinds: Iterable[str]) -> dict[tuple[str, str], set[int]]:
        wanted = set(kinds)
        entries = [
            entry
            for entry in self.inventory.guests.values()
            if entry.guest in wanted and self.inventory.reachable(entry.node)
        ]
        await asyncio.gather(*(self._marker(entry) for entry in entries))
        found: dict[tuple[str, str], set[int]] = {}
        for vmid, marker in self._markers.items():
            if marker is not None:
                found.setdefault(marker, set()).add(vmid)
        return found

    async def _marker(self, entry: GuestEntry) -> None:
        from proxmox_client import ApiError

        if entry.vmid in self._markers:
            return
        known = self._read.get(entry.vmid)
        if known is not None:
            description = known.description
        else:
            try:
                config = await self.live.config(entry.node, entry.guest, entry.vmid)
            except ApiError:  # vanished or moved meanwhile: then it proves nothing
                self._markers[entry.vmid] = None
                return
            description = str(config.get("description") or "")
        marker = read_marker(description)
        self._markers[entry.vmid] = (marker.release, marker.address) if marker else None

    async def _guests(self, vmids: Iterable[int]) -> list[GuestObject]:
        read = await asyncio.gather(*(self._guest(vmid) for vmid in sorted(vmids)))
        return [guest for guest in read if guest is not None]

    async def _guest(self, vmid: int) -> GuestObject | None:
        from proxmox_client import NodeUnreachable, NotFound

        if self._read.get(vmid) is not None:
            return self._read[vmid]
        entry = self.inventory.guests.get(vmid)
        if entry is None or not self.inventory.reachable(entry.node):
            return None
        found: GuestObject | None
        try:
            running = vmid in await self._running(entry.node, entry.guest)
            found = await self.live.guest(
                entry.node, entry.guest, vmid, pool=entry.pool, running=running
            )
        except (NotFound, NodeUnreachable):
            found = await self._moved(vmid)
        self._read[vmid] = found
        return found

    def _running(self, node: str, guest: str) -> asyncio.Task[frozenset[int]]:
        """Ask a node once which of its guests run."""
        asked = self._asked.get((node, guest))
        if asked is None:
            asked = asyncio.ensure_future(self.live.running(node, guest))
            self._asked[node, guest] = asked
        return asked

    async def _moved(self, vmid: int) -> GuestObject | None:
        from proxmox_client import NodeUnreachable, NotFound

        entry = (await self.live.inventory()).guests.get(vmid)
        if entry is None:
            return None
        try:
            return await self.live.guest(entry.node, entry.guest, vmid, pool=entry.pool)
        except (NotFound, NodeUnreachable):
            return None
