"""From a context to something an action can work with, and to the engine."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from pmpc_reconcile.actions.spec import ActionContext
from pmpc_reconcile.events import EventSink

if TYPE_CHECKING:
    from pmpc_reconcile.contexts import Context
    from pmpc_reconcile.engine import Reconciler


@asynccontextmanager
async def open_context(
    context: Context,
    *,
    connected: bool = True,
    actor: str = "local",
    environ: Mapping[str, str] | None = None,
) -> AsyncGenerator[ActionContext, None]:
    """Open the state database and the connection of a named cluster, and close them afterwards.

    Args:
        context: The named cluster.
        connected: False to leave the cluster alone and use only the database.
        actor: Who asks, for the audit log.
        environ: Where a token's variable is looked up.

    Raises:
        ContextInvalid: There is no token.
        StateOutdated: The database is older than the code.
        StateTooNew: The database is newer than the code.
    """
    from pmpc_reconcile.contexts import connect
    from pmpc_state import State

    url = context.state_url()
    state = State.open(url)
    try:
        if not connected:
            yield ActionContext(context.name, state, actor=actor)
            return
        async with connect(context, environ) as client:
            yield ActionContext(context.name, state, client, actor=actor)
    finally:
        state.close()


def reconciler(context: ActionContext, on_event: EventSink) -> Reconciler:
    """Return the engine for an action's context."""
    from pmpc_reconcile.engine import Reconciler

    return Reconciler(
        context.client,
        context.state,
        context.cluster,
        now=context.now,
        sleep=context.sleep,
        on_event=on_event,
        actor=context.actor,
    )
