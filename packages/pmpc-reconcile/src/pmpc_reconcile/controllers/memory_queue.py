"""The queue inside one process: for SQLite, notebooks and tests.

It keeps nothing across a restart and need not: the next look at each release finds what is to do.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Callable
from itertools import count

from pmpc_reconcile.controllers.work import Handler, Work


class MemoryQueue:
    """Pieces of work in the order in which they are due, those of each release in turn.

    Args:
        now: Seconds on the clock that pauses are counted on.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._heap: list[tuple[float, int, Work, int]] = []
        self._due: dict[str, list[tuple[Work, int]]] = {}
        self._moments: dict[str, int] = {}
        self._order = count()
        self._waiting: set[str] = set()
        self._busy: set[str] = set()
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        """Return how many pieces wait or are being done."""
        return len(self._waiting) + len(self._busy)

    async def put(self, work: Work, *, after: float = 0.0, failures: int = 0) -> bool:
        """Add a piece of work; False if it waits already."""
        if work.key in self._waiting:
            return False
        self._waiting.add(work.key)
        heapq.heappush(self._heap, (self._now() + after, next(self._order), work, failures))
        self._changed.set()
        return True

    async def put_once(self, work: Work, moment: int) -> bool:
        """Add a piece of periodic work, unless it was added for that moment already."""
        if self._moments.get(work.key) == moment:
            return False
        self._moments[work.key] = moment
        return await self.put(work)

    async def run(self, handler: Handler, stop: asyncio.Event, *, workers: int) -> None:
        """Give out work until `stop` is set; what was begun then is finished."""
        async with asyncio.TaskGroup() as group:
            for number in range(workers):
                group.create_task(self._worker(handler, stop), name=f"reconcile-{number}")

    async def drain(self, handler: Handler) -> None:
        """Do what is due now, and what that adds, one piece after the other."""
        while (taken := self._take()) is not None:
            await self._do(handler, *taken)

    async def _worker(self, handler: Handler, stop: asyncio.Event) -> None:
        while not stop.is_set():
            taken = self._take()
            if taken is None:
                await self._wait(stop)
            else:
                await self._do(handler, *taken)

    async def _do(self, handler: Handler, work: Work, failures: int) -> None:
        again = None
        try:
            again = await handler(work, failures)
        finally:
            self._busy.discard(work.key)
            self._changed.set()
        if again is not None:
            await self.put(work, after=again.after, failures=failures + again.failed)

    def _take(self) -> tuple[Work, int] | None:
        """Take a piece that is due and that nobody is doing, of each release in turn."""
        while self._heap and self._heap[0][0] <= self._now():
            _, _, work, failures = heapq.heappop(self._heap)
            self._due.setdefault(work.release, []).append((work, failures))
        for release, pieces in self._due.items():
            for number, (work, failures) in enumerate(pieces):
                if work.key in self._busy:
                    continue
                del pieces[number]
                del self._due[release]
                if pieces:
                    self._due[release] = pieces  # behind the others
                self._waiting.discard(work.key)
                self._busy.add(work.key)
                return work, failures
        return None

    async def _wait(self, stop: asyncio.Event) -> None:
        """Wait until something may be due: a new piece, one that ended, a pause over, the end."""
        self._changed.clear()
        pause = max(0.0, self._heap[0][0] - self._now()) if self._heap else None
        events = [asyncio.ensure_future(item.wait()) for item in (self._changed, stop)]
        try:
            await asyncio.wait(events, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for item in events:
                item.cancel()
