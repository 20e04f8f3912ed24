"""The two pumps: they perform a flow's effects and know nothing of what it is about."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import attrs

from proxmox_client.flows.effects import Effect, Emit, Flow, Hold, Lost, Now, Send, Sleep
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
    gate: threading.Lock = attrs.field(factory=threading.Lock, repr=False)

    def run(self, flow: Flow[T]) -> T:
        """Pump the flow to its end and return its result."""
        answer: Any = None
        held = False
        try:
            while True:
                effect = flow.send(answer)
                if isinstance(effect, Hold):
                    if effect.taken:
                        self.gate.acquire()
                    else:
                        self.gate.release()
                    held, answer = effect.taken, None
                else:
                    answer = self._perform(effect)
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            flow.close()
            if held:
                self.gate.release()

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
    gate: AwaitedGate = attrs.field(factory=lambda: AwaitedGate(), repr=False)

    async def run(self, flow: Flow[T]) -> T:
        """Pump the flow to its end and return its result."""
        answer: Any = None
        held = False
        try:
            while True:
                effect = flow.send(answer)
                if isinstance(effect, Hold):
                    if effect.taken:
                        await self.gate.acquire()
                    else:
                        self.gate.release()
                    held, answer = effect.taken, None
                else:
                    answer = await self._perform(effect)
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            flow.close()
            if held:
                self.gate.release()

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


class AwaitedGate:
    """One at a time, on whichever loop the client is used at the moment."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def acquire(self) -> None:
        """Wait until it is free and take it."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._lock, self._loop = asyncio.Lock(), loop
        await self._lock.acquire()

    def release(self) -> None:
        """Give it back."""
        self._lock.release()
