"""Time of the simulated cluster: stands still until somebody advances it, or follows real time."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import threading
import time
from collections.abc import Callable, Generator
from typing import TypeVar

import attrs

_T = TypeVar("_T")
_RESOLUTION = 0.0005
"""Real seconds a following clock may be late; one request asks it many times."""
START = 1_795_358_400.0
"""Where a new cluster's time begins (22 November 2026, 14:40 UTC)."""


@attrs.define(eq=False)
class Event:
    """Something that happens at a time."""

    at: float
    action: Callable[[], None]
    cancelled: bool = False

    def cancel(self) -> None:
        """Make sure the event does not happen."""
        self.cancelled = True


class VirtualClock:
    """A clock that runs scheduled events while it moves forward.

    By default it moves only through :meth:`advance`, :meth:`sleep` and :meth:`asleep`.
    After :meth:`follow` it also follows real time, ``speed`` times as fast.

    Attributes:
        lock: Held while anything of the cluster changes.
        on_time: Told the time whenever it has moved, before anything happens at it.
    """

    def __init__(self, start: float = START) -> None:
        self._now = start
        # Ties are broken by the order of scheduling.
        self._events: list[tuple[float, int, Event]] = []
        self._order = itertools.count()
        self._waiters: list[float] = []
        self._real: tuple[float, float] | None = None
        self.lock = threading.RLock()
        self.on_time: Callable[[float], None] = lambda at: None

    def now(self) -> float:
        """Return the time in seconds since the epoch."""
        if self._real is not None:
            self.catch_up()
        return self._now

    def at(self, when: float, action: Callable[[], None]) -> Event:
        """Schedule an action for a time; a time in the past means as soon as possible."""
        event = Event(max(when, self._now), action)
        heapq.heappush(self._events, (event.at, next(self._order), event))
        return event

    def after(self, seconds: float, action: Callable[[], None]) -> Event:
        """Schedule an action some seconds from now."""
        return self.at(self._now + seconds, action)

    def advance(self, seconds: float) -> None:
        """Move time forward and run what falls due on the way."""
        self.advance_to(self._now + seconds)

    def advance_to(self, when: float) -> None:
        """Move time forward to a point; a point in the past only runs what is due."""
        with self.lock:
            while self._events and self._events[0][0] <= when:
                event = heapq.heappop(self._events)[2]
                if event.cancelled:
                    continue
                self._now = max(self._now, event.at)
                self.on_time(self._now)
                event.action()
            self._now = max(self._now, when)
            self.on_time(self._now)

    def sleep(self, seconds: float) -> None:
        """Wait in virtual time: drop-in for :func:`time.sleep`."""
        if self._real is not None:
            time.sleep(seconds / self._real[1])
            return
        self.advance(seconds)

    async def asleep(self, seconds: float) -> None:
        """Wait in virtual time: drop-in for :func:`asyncio.sleep`.

        The earliest of all waiting coroutines moves the clock, so several may wait at once.
        """
        if self._real is not None:
            await asyncio.sleep(seconds / self._real[1])
            return
        deadline = self._now + seconds
        heapq.heappush(self._waiters, deadline)
        try:
            await asyncio.sleep(0)
            while self._now < deadline:
                if self._waiters[0] >= deadline:
                    self.advance_to(deadline)
                else:
                    await asyncio.sleep(0)
        finally:
            self._waiters.remove(deadline)
            heapq.heapify(self._waiters)

    def run(self, steps: Generator[float, None, _T]) -> _T:
        """Go through a conversation: each step under the lock, waiting as long as it yields."""
        while True:
            try:
                with self.lock:
                    self.catch_up()
                    seconds = next(steps)
            except StopIteration as stop:
                value: _T = stop.value
                return value
            self.sleep(seconds)

    async def arun(self, steps: Generator[float, None, _T]) -> _T:
        """Go through a conversation beside others."""
        while True:
            try:
                with self.lock:
                    self.catch_up()
                    seconds = next(steps)
            except StopIteration as stop:
                value: _T = stop.value
                return value
            await self.asleep(seconds)

    def follow(self, speed: float = 1.0) -> None:
        """Follow real time from now on, ``speed`` simulated seconds per real one."""
        with self.lock:
            self._real = (time.monotonic(), speed)

    def stop_following(self) -> None:
        """Stand still again at the present time."""
        with self.lock:
            if self._real is not None:
                self.catch_up()
            self._real = None

    @property
    def speed(self) -> float | None:
        """Simulated seconds per real second, or None while the clock is moved by hand."""
        return None if self._real is None else self._real[1]

    def catch_up(self) -> None:
        """Bring a following clock to the present."""
        if self._real is None or time.monotonic() - self._real[0] < _RESOLUTION:
            return
        with self.lock:
            mark, speed = self._real
            real = time.monotonic()
            self._real = (real, speed)
            self.advance_to(self._now + (real - mark) * speed)
