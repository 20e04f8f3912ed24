"""An event loop in a thread of its own, for callers that cannot or do not want to `await`.

It works wherever the caller is: in a script, and in a notebook, whose own loop runs already. Who
asked waits; progress is told in the caller's thread, as if there were no other one.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
import weakref
from collections.abc import Coroutine
from queue import SimpleQueue
from typing import Any, TypeVar

import attrs

from pmpc_reconcile.events import Event, EventSink

T = TypeVar("T")


@attrs.define(eq=False)
class _Told:
    """One event on its way to the caller's thread.

    Attributes:
        sink: Who wants to hear it.
        event: The event.
        heard: Set as soon as the sink is through.
        error: What the sink raised.
    """

    sink: EventSink
    event: Event
    heard: threading.Event = attrs.field(factory=threading.Event)
    error: Exception | None = None


_Inbox = SimpleQueue["_Told | None"]
_INBOX: contextvars.ContextVar[_Inbox] = contextvars.ContextVar("inbox")


class OwnLoop:
    """Runs coroutines in its own thread, one for each caller that waits."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._listening = threading.local()
        thread = threading.Thread(target=self._loop.run_forever, name="pmpc-loop", daemon=True)
        thread.start()
        self._end = weakref.finalize(self, _stop, self._loop, thread)

    @property
    def closed(self) -> bool:
        """Return whether it is closed."""
        return not self._end.alive

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine and return its result; interrupted, it is cancelled and waited for.

        Raises:
            RuntimeError: It is closed, or this was asked for by somebody who is being told an
                event and so keeps the loop waiting.
        """
        if self.closed or getattr(self._listening, "now", False):
            work.close()
            reason = "it is closed" if self.closed else "an event is being told; return first"
            raise RuntimeError(f"cannot run anything: {reason}")
        inbox: _Inbox = SimpleQueue()
        context = contextvars.copy_context()
        context.run(_INBOX.set, inbox)
        begun: list[asyncio.Task[T]] = []

        def begin() -> None:
            begun.append(self._loop.create_task(work, context=context))
            begun[0].add_done_callback(lambda _task: inbox.put(None))

        self._loop.call_soon_threadsafe(begin)
        try:
            while (told := inbox.get()) is not None:
                self._hear(told)
        except BaseException:  # such as Ctrl+C
            self._loop.call_soon_threadsafe(lambda: begun[0].cancel())
            while (told := inbox.get()) is not None:
                told.heard.set()
            raise
        return begun[0].result()

    def close(self) -> None:
        """End the thread and its loop."""
        self._end()

    def _hear(self, told: _Told) -> None:
        self._listening.now = True
        try:
            told.sink(told.event)
        except Exception as error:  # it belongs to who told it, as without a second thread
            told.error = error
        finally:
            self._listening.now = False
            told.heard.set()


def relayed(sink: EventSink) -> EventSink:
    """Return a sink that tells events to another one in the thread of who waits for the work."""

    def relay(event: Event) -> None:
        inbox = _INBOX.get(None)
        if inbox is None:
            sink(event)
            return
        told = _Told(sink, event)
        inbox.put(told)
        told.heard.wait()
        if told.error is not None:
            raise told.error

    return relay


def _stop(loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
    def wind_up() -> None:
        loop.create_task(_wind_up(loop)).add_done_callback(lambda _task: loop.stop())

    loop.call_soon_threadsafe(wind_up)
    thread.join()
    loop.close()


async def _wind_up(loop: asyncio.AbstractEventLoop) -> None:
    left = asyncio.all_tasks(loop) - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    await loop.shutdown_asyncgens()
    await loop.shutdown_default_executor()
