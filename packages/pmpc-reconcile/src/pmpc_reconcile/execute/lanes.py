"""How many steps go on at once on each node: more while all goes well, half when locks time out.

PVE's locks are waited for ten seconds and then refused, so too many steps at once on one node do
not fail, they only get in each other's way. Which number is too many depends on storage, network
and what others do; so it is found, as TCP finds how fast it may send.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import attrs


@attrs.frozen
class Pace:
    """Bounds of the number of steps at once on one node.

    Attributes:
        first: How many to begin with.
        least: Never fewer.
        most: Never more.
        rest: Seconds after a cut in which further refusals do not cut again: they are of steps
            that were under way when it was made.
    """

    first: int = 16
    least: int = 1
    most: int = 32
    rest: float = 15.0


class Lane:
    """The steps of one node; who came first goes first."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._width = float(pace.first)
        self._busy = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._cut_at: float | None = None

    @property
    def width(self) -> int:
        """Return how many steps may go on at once now."""
        return int(self._width)

    @asynccontextmanager
    async def place(self) -> AsyncGenerator[None, None]:
        """Hold a place in the lane, waiting for one if need be."""
        await self._enter()
        try:
            yield
        finally:
            self._busy -= 1
            self._let_in()

    @asynccontextmanager
    async def away(self) -> AsyncGenerator[None, None]:
        """Leave one's place to others while one only waits, and queue up for it again."""
        self._busy -= 1
        self._let_in()
        try:
            yield
            await self._enter()
        except BaseException:
            self._busy += 1  # `place` gives it back
            raise

    def passed(self) -> None:
        """Note that a call went well.

        Until the first refusal each one makes room for one more; later as many as go on at once.
        """
        more = 1.0 if self._cut_at is None else 1.0 / self._width
        self._width = min(self._pace.most, self._width + more)
        self._let_in()

    def refused(self, now: float) -> None:
        """Note that a lock was not to be had in time: half as many at once from now on."""
        if self._cut_at is not None and now - self._cut_at < self._pace.rest:
            return
        self._cut_at = now
        self._width = max(float(self._pace.least), self._width / 2)

    async def _enter(self) -> None:
        if self._busy < self.width and not self._waiting:
            self._busy += 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it was let in and will not come
                self._busy -= 1
                self._let_in()
            raise

    def _let_in(self) -> None:
        while self._waiting and self._busy < self.width:
            turn = self._waiting.popleft()
            if not turn.done():
                self._busy += 1
                turn.set_result(None)


class Lanes:
    """The lanes of all nodes, each made when it is first used."""

    def __init__(self, pace: Pace | None = None) -> None:
        self._pace = pace or Pace()
        self._lanes: dict[str, Lane] = {}

    def of(self, node: str | None) -> Lane:
        """Return the lane of a node; work of no node has one of its own."""
        name = node or ""
        if name not in self._lanes:
            self._lanes[name] = Lane(self._pace)
        return self._lanes[name]
