"""The catalogue: every verb of the product by name, and the one way to run it."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pmpc_reconcile.actions.spec import ActionContext, AnyActionSpec
from pmpc_reconcile.errors import ActionUnknown, InputInvalid
from pmpc_reconcile.events import EventSink, ignore_event

_MODULES = (
    "sync",
    "list_resources",
    "get_resource",
    "snapshot",
    "snapshots",
    "changes",
    "log",
    "restore_manifest",
    "metrics",
    "diff",
    "adopt",
    "plan",
    "show_plan",
    "plans",
    "approve",
    "apply",
    "history",
    "rollback",
    "delete",
    "status",
    "control",
    "schema",
    "version",
    "check",
)


@functools.cache
def catalogue() -> Mapping[str, AnyActionSpec]:
    """Return every action by name, in the order people meet them."""
    modules = (importlib.import_module(f"pmpc_reconcile.actions.{name}") for name in _MODULES)
    specs: tuple[AnyActionSpec, ...] = tuple(module.SPEC for module in modules)
    return MappingProxyType({spec.name: spec for spec in specs})


def find(name: str) -> AnyActionSpec:
    """Return the action of that name.

    Raises:
        ActionUnknown: There is none.
    """
    try:
        return catalogue()[name]
    except KeyError:
        raise ActionUnknown(
            f"there is no action {name!r}; known are {', '.join(catalogue())}"
        ) from None


async def invoke(
    name: str, context: ActionContext, value: Any, on_event: EventSink = ignore_event
) -> Any:
    """Run an action and return its output.

    Args:
        name: The verb, as in `catalogue()`.
        context: State, connection, clock.
        value: An instance of the action's input class.
        on_event: Gets progress.

    Raises:
        ActionUnknown: There is no such action.
        InputInvalid: The input is of another class.
        ClientRequired: The action needs a connection.
        ReconcileError: The action could not be performed.
        PveError: The server refused or could not be reached.
    """
    spec = find(name)
    if not isinstance(value, spec.input):
        raise InputInvalid(f"action {name!r} wants {spec.input.__name__}, got {type(value)!r}")
    if spec.needs_client:
        context.connection()
    return await spec.run(context, value, on_event)
