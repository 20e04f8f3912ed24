"""The one place where async code crosses to the database, which is synchronous on purpose."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from pmpc_state import State

T = TypeVar("T")


class Crossing:
    """The state database, as seen from async code.

    Args:
        state: The database.
        cluster: Name of the cluster in it.
        actor: Who acts.
    """

    def __init__(self, state: State, cluster: str, actor: str) -> None:
        self.state = state
        self.cluster = cluster
        self.actor = actor

    async def run(self, work: Callable[[], T]) -> T:
        """Run one short transaction in a thread; a cancelled caller still sees it ended."""
        under_way = asyncio.ensure_future(asyncio.to_thread(work))
        try:
            return await asyncio.shield(under_way)
        except asyncio.CancelledError:
            await asyncio.wait([under_way])
            under_way.exception()  # the caller is going; nobody else would ask for it
            raise

    def fingerprint(self, text: str) -> str:
        """Return the keyed fingerprint that stands for a secret in the database."""
        return self.state.fingerprint(text)
