"""What a queue carries, and what a queue is.

A piece of work names an object and nothing else: whoever takes it up looks at the cluster and at
the records as they are then. So a piece that arrives twice, late or after a crash does no harm.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

import attrs

LOOK = ""
"""Address of the piece of work that looks at a whole release."""


@attrs.frozen
class Work:
    """One object to be reconciled, or a release to be looked at.

    Attributes:
        cluster: The cluster's name.
        release: The release.
        address: The object; `LOOK` to look at the whole release.
    """

    cluster: str
    release: str
    address: str = LOOK

    @property
    def key(self) -> str:
        """Return the name under which it waits at most once and is done by one worker at a time."""
        return f"{self.cluster}/{self.release}/{self.address}"


@attrs.frozen
class Again:
    """The piece is not finished.

    Attributes:
        after: Seconds until it is to be tried again.
        failed: Whether this counts as a failure, which makes the next pause longer.
    """

    after: float
    failed: bool = False


Handler = Callable[[Work, int], Awaitable[Again | None]]
"""Does a piece of work; gets how often it failed before. None says it is finished."""


class Queue(Protocol):
    """Brings pieces of work to workers: each waits once, and one worker has it at a time.

    It is fair: of several releases with pieces that are due, none waits until another one has no
    more.
    """

    async def put(self, work: Work, *, after: float = 0.0, failures: int = 0) -> bool:
        """Add a piece of work; False if it waits already.

        Args:
            work: The piece.
            after: Seconds before which it is not given out.
            failures: How often it failed before.
        """
        ...

    async def put_once(self, work: Work, moment: int) -> bool:
        """Add a piece of periodic work, unless some process added it for that moment already.

        Args:
            work: The piece.
            moment: Number of the period; it only grows.
        """
        ...

    async def run(self, handler: Handler, stop: asyncio.Event, *, workers: int) -> None:
        """Give out work until `stop` is set; what was begun then is finished.

        Args:
            handler: Does the work.
            stop: Ends it.
            workers: Most pieces at once in this process.
        """
        ...
