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
    """Pieces of work in the order in which they are due.

    Args:
        now: Seconds on the clock that pauses are counted on.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._heap: list[tuple[float, int, Work, int]] = []
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
        """Take the first piece that is due and that nobody is doing."""
        passed: list[tuple[float, int, Work, int]] = []
        found = None
        while self._heap and self._heap[0][0] <= self._now():
            entry = heapq.heappop(self._heap)
            if entry[2].key in self._busy:
                passed.append(entry)
                continue
            found = entry
            break
        for entry in passed:
            heapq.heappush(self._heap, entry)
        if found is None:
            return None
        work = found[2]
        self._waiting.discard(work.key)
        self._busy.add(work.key)
        return work, found[3]

    async def _wait(self, stop: asyncio.Event) -> None:
        """Wait until something may be due: a new piece, one that ended, a pause over, the end."""
        self._changed.clear()
        due = next((entry[0] for entry in self._heap if entry[2].key not in self._busy), None)
        pause = (
            None if due is None else max(0.0, min(entry[0] for entry in self._heap) - self._now())
        )
        events = [asyncio.ensure_future(item.wait()) for item in (self._changed, stop)]
        try:
            await asyncio.wait(events, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for item in events:
                item.cancel()
