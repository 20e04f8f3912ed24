"""What each section of a look costs, as the client's watcher sees it."""

from __future__ import annotations

from collections.abc import Awaitable, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, TypeVar

import attrs

from pmpc_state.values.inventory import Cost
from proxmox_client.observing import Finished, RetryPlanned, Sending

T = TypeVar("T")
_READING: Final[ContextVar[str]] = ContextVar("_READING", default="")


@contextmanager
def reading(section: str) -> Generator[None, None, None]:
    """Enter a block whose requests are a section's; tasks that it starts inherit that."""
    token = _READING.set(section)
    try:
        yield
    finally:
        _READING.reset(token)


async def read_as(section: str, work: Awaitable[T]) -> T:
    """Await something whose requests are a section's."""
    with reading(section):
        return await work


@attrs.define(eq=False)
class CostWatch:
    """Watches a client for what the sections cost. Requests of none of them are the inventory's."""

    _costs: dict[str, Cost] = attrs.field(factory=dict[str, Cost])

    @property
    def costs(self) -> Mapping[str, Cost]:
        """What each section cost so far."""
        return dict(self._costs)

    def before(self, event: Sending) -> None:
        """Wait for the answer."""

    def after(self, event: Finished) -> None:
        """Count an answer."""
        section = _READING.get()
        so_far = self._costs.get(section, Cost())
        self._costs[section] = Cost(
            so_far.requests + 1, so_far.received + event.size, so_far.seconds + event.seconds
        )

    def retry(self, event: RetryPlanned) -> None:
        """Count nothing: the repetition itself counts."""
