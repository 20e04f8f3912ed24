"""Run an action for a front door that speaks JSON: by its name, on a named cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pmpc_reconcile.actions.catalogue import find, invoke
from pmpc_reconcile.actions.plain import from_plain
from pmpc_reconcile.actions.session import open_context
from pmpc_reconcile.contexts import load_contexts
from pmpc_reconcile.errors import ReconcileError
from pmpc_reconcile.events import EventSink, ignore_event
from pmpc_state import StateError
from proxmox_client import PveError

# What a person must read and act on; anything else is a mistake of ours and keeps its traceback.
EXPECTED = (ReconcileError, StateError, PveError)


async def perform(
    name: str,
    arguments: Mapping[str, object],
    *,
    context: str | None,
    actor: str,
    on_event: EventSink = ignore_event,
) -> Any:
    """Run an action and return its output.

    Args:
        name: The action.
        arguments: Fields of its input as JSON data; None means not given.
        context: Name of the cluster; None for the current one.
        actor: Who asks, for the audit log.
        on_event: Gets progress.

    Raises:
        ReconcileError: The action could not be performed.
        StateError: The state database cannot be used.
        PveError: The server refused or could not be reached.
    """
    spec = find(name)
    given = {key: value for key, value in arguments.items() if value is not None}
    value = from_plain(spec.input, given)
    cluster = load_contexts().get(context)
    async with open_context(cluster, connected=spec.needs_client, actor=actor) as opened:
        return await invoke(name, opened, value, on_event)
