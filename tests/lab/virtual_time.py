"""An event loop on a virtual clock: what would be waited for is skipped, and time is exact.

When nothing is ready and no thread is at work, the clock jumps to the next timer. So steps that
wait beside each other take as long as they would, which a clock that each sleeper moves by itself
cannot show.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar

from proxmox_client.testing.clock import VirtualClock

T = TypeVar("T")


class _Jumping(selectors.DefaultSelector):
    """Skips waiting unless a thread is at work."""

    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None or self.loop.threads:
            return super().select(timeout if timeout is None else 0.01)
        self.loop.clock.advance(max(timeout, 1e-6))  # less is lost in rounding
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time is that of a virtual clock.

    Attributes:
        clock: The clock; a simulated cluster's.
        threads: How many calls are under way in threads.
    """

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.threads = 0
        selector = _Jumping()
        selector.loop = self
        super().__init__(selector)
        # Seconds since 1970 have no more digits: a timer within it is due.
        self._clock_resolution = 1e-6

    def time(self) -> float:
        return self.clock.now()

    def run_in_executor(  # type: ignore[override]  # typeshed wants unpacked types
        self, executor: Executor | None, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        self.threads += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._thread_ended)
        return future

    def _thread_ended(self, _future: asyncio.Future[Any]) -> None:
        self.threads -= 1


def run_virtually(clock: VirtualClock, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine on the virtual clock and return its result."""
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(clock)) as runner:
        return runner.run(work())
