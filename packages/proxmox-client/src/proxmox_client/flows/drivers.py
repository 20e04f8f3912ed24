"""The two pumps: they perform a flow's effects and know nothing of what it is about."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import attrs

from proxmox_client.flows.effects import Effect, Emit, Flow, Lost, Now, Send, Sleep
from proxmox_client.wire.request import Request, Response

T = TypeVar("T")


@attrs.frozen
class SyncDriver:
    """Performs effects by blocking.

    Attributes:
        send: Sends one request once.
        sleep: Waits.
        now: Reads the clock.
        roll: Rolls the dice.
    """

    send: Callable[[Request], Response | Lost]
    sleep: Callable[[float], object]
    now: Callable[[], float]
    roll: Callable[[], float] = random.random

    def run(self, flow: Flow[T]) -> T:
        """Pump the flow to its end and return its result."""
        answer: Any = None
        try:
            while True:
                answer = self._perform(flow.send(answer))
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            flow.close()

    def _perform(self, effect: Effect) -> Any:
        match effect:
            case Send(request):
                return self.send(request)
            case Sleep(seconds):
                return self.sleep(seconds)
            case Now():
                return self.now()
            case Emit(to, line):
                return to(line)
            case _:
                return self.roll()


@attrs.frozen
class AsyncDriver:
    """Performs effects by awaiting. `now`, `roll` and log receivers are plain functions."""

    send: Callable[[Request], Awaitable[Response | Lost]]
    sleep: Callable[[float], Awaitable[object]]
    now: Callable[[], float]
    roll: Callable[[], float] = random.random

    async def run(self, flow: Flow[T]) -> T:
        """Pump the flow to its end and return its result."""
        answer: Any = None
        try:
            while True:
                answer = await self._perform(flow.send(answer))
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            flow.close()

    async def _perform(self, effect: Effect) -> Any:
        match effect:
            case Send(request):
                return await self.send(request)
            case Sleep(seconds):
                return await self.sleep(seconds)
            case Now():
                return self.now()
            case Emit(to, line):
                return to(line)
            case _:
                return self.roll()
