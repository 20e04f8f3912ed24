"""One reading of the inventory for all steps that only need candidates at about the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from pmpc_reconcile.live.inventory import Inventory

RECENT_SECONDS = 1.0
"""How old a shared inventory may be; `/cluster/resources` itself is up to ten seconds old."""


class SharedInventory:
    """The inventory, read once for many readers.

    A listed guest is a candidate whose own configuration has to prove it. That something is *not*
    listed proves nothing here unless the server refuses the write that rests on it; whoever has
    to be sure asks for `fresh`.

    Args:
        read: Reads `/cluster/resources`.
        now: Wall clock in seconds.
    """

    def __init__(self, read: Callable[[], Awaitable[Inventory]], now: Callable[[], float]) -> None:
        self._read = read
        self._now = now
        self._turn = asyncio.Lock()
        self._reading = asyncio.Lock()
        self._begun = self._shown = 0
        self._known: tuple[float, Inventory] | None = None

    async def recent(self) -> Inventory:
        """Return an inventory that is at most `RECENT_SECONDS` old."""
        async with self._turn:  # those who come while it is read share what is read
            if self._known is not None and 0 <= self._now() - self._known[0] < RECENT_SECONDS:
                return self._known[1]
            return await self.fresh()

    async def fresh(self) -> Inventory:
        """Return an inventory whose reading began after this was called.

        Those who ask while it is read share the next reading.
        """
        before = self._begun
        async with self._reading:
            if self._known is not None and self._shown > before:
                return self._known[1]
            self._begun += 1
            number, asked = self._begun, self._now()
            found = await self._read()
            self._known, self._shown = (asked, found), number
            return found

    def forget(self) -> None:
        """Have the next reader read again: guests may have been made, moved or removed."""
        self._known = None
