"""What an action is: a verb of the product with a typed input, a typed output and a risk.

Front doors ask the catalogue for an action, build its input from what their user gave, call
`invoke` and present the output; they decide nothing themselves.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import attrs

from pmpc_reconcile.errors import ClientRequired
from pmpc_reconcile.events import EventSink
from pmpc_reconcile.risk import Risk

if TYPE_CHECKING:
    from pmpc_state import State
    from proxmox_client import AsyncClient

__all__ = ["ActionContext", "ActionSpec", "AnyActionSpec", "Risk"]

InputT = TypeVar("InputT")
OutputT = TypeVar("OutputT")


@attrs.frozen(eq=False)
class ActionContext:
    """What an action works with.

    Attributes:
        cluster: The cluster's name in the state database (the context's name).
        state: The open state database.
        client: A connection to the cluster; None for actions that need only the database.
        now: Wall clock in seconds since the epoch.
        sleep: How to wait; the simulator's virtual clock in tests.
        actor: Who asked, for the audit log, such as `cli:me` or `mcp`.
    """

    cluster: str
    state: State
    client: AsyncClient | None = None
    now: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    actor: str = "local"

    def connection(self) -> AsyncClient:
        """Return the client.

        Raises:
            ClientRequired: There is none.
        """
        if self.client is None:
            raise ClientRequired(f"this needs a connection to cluster {self.cluster!r}")
        return self.client


@attrs.frozen(eq=False)
class ActionSpec(Generic[InputT, OutputT]):
    """One entry of the catalogue.

    Attributes:
        name: The verb, as on the command line: `show-plan`.
        summary: One line for people, imperative.
        risk: The most it can do.
        input: Class of the input; its attrs fields carry a `help` in their metadata.
        output: Class of the output.
        run: Performs it.
        needs_client: False when the state database is enough.
        stores: False when it needs no state database either.
    """

    name: str
    summary: str
    risk: Risk
    input: type[InputT]
    output: type[OutputT]
    run: Callable[[ActionContext, InputT, EventSink], Awaitable[OutputT]]
    needs_client: bool = True
    stores: bool = True


AnyActionSpec = ActionSpec[Any, Any]
