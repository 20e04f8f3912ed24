"""One command's hold on a cluster: its context and the catalogue of actions."""

from __future__ import annotations

import getpass
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import attrs

from pmpc_reconcile.actions import ActionContext, invoke
from pmpc_reconcile.actions.session import open_context
from pmpc_reconcile.contexts import Context, load_contexts
from pmpc_reconcile.events import EventSink, ignore_event


@attrs.frozen(eq=False)
class Session:
    """What a command calls actions with.

    Attributes:
        context: The named cluster.
        action_context: What every action gets.
    """

    context: Context
    action_context: ActionContext

    async def invoke(self, action: str, given: object, on_event: EventSink = ignore_event) -> Any:
        """Run an action of the catalogue.

        Args:
            action: Its name.
            given: Its input.
            on_event: Gets what happens on the way.
        """
        return await invoke(action, self.action_context, given, on_event)


@asynccontextmanager
async def session(name: str | None = None, *, online: bool = True) -> AsyncGenerator[Session]:
    """Open the chosen context.

    Args:
        name: The context; the current one by default.
        online: False for commands that need only the database.
    """
    async with open_session(load_contexts().get(name), online=online) as opened:
        yield opened


@asynccontextmanager
async def open_session(context: Context, *, online: bool = True) -> AsyncGenerator[Session]:
    """Open a context that need not be in the file, such as the demo's."""
    async with open_context(context, connected=online, actor=f"cli:{_user()}") as opened:
        yield Session(context, opened)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no entry for this uid, as in some containers
        return "unknown"
