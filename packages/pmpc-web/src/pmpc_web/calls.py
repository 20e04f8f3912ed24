"""From a request to an action and back."""

from __future__ import annotations

from typing import Any

from pmpc_reconcile.actions import find, from_plain, invoke
from pmpc_reconcile.actions.session import open_context
from pmpc_reconcile.contexts import load_contexts
from pmpc_reconcile.errors import ReconcileError
from pmpc_state import StateError
from proxmox_client import PveError

# What a person must read and act on; anything else is a mistake of ours.
EXPECTED = (ReconcileError, StateError, PveError)


async def call(context: str | None, name: str, arguments: dict[str, object]) -> Any:
    """Run an action and return its output.

    Args:
        context: Name of the cluster; None for the current one.
        name: The action.
        arguments: Fields of its input; None means not given.

    Raises:
        ReconcileError: The action could not be performed.
        StateError: The state database cannot be used.
        PveError: The server refused or could not be reached.
    """
    spec = find(name)
    given = {key: value for key, value in arguments.items() if value is not None}
    value = from_plain(spec.input, given)
    cluster = load_contexts().get(context)
    async with open_context(cluster, connected=spec.needs_client, actor="web") as opened:
        return await invoke(name, opened, value)
