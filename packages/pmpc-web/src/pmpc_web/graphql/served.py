"""The schema as it is served: which cluster, and which errors are whose business."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final, cast

import strawberry
from graphql import GraphQLError

from pmpc_reconcile.actions.perform import EXPECTED, perform

if TYPE_CHECKING:
    from strawberry.types import ExecutionContext

_log = logging.getLogger("pmpc_web.graphql")
LIMIT: Final = 500
"""How many rows a page has at most: long lists stay quick."""


class ServingSchema(strawberry.Schema):
    """A schema that knows the name of its cluster; None stands for the current context."""

    serves: str | None = None

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Log mistakes of ours with their traceback; what callers can read is no news here."""
        for error in filter(is_a_mistake_of_ours, errors):
            _log.error("cannot answer a query", exc_info=error.original_error)


def served_context(info: strawberry.Info) -> str | None:
    """Return the cluster's name for a resolver."""
    return cast("ServingSchema", info.schema).serves


async def ask(info: strawberry.Info, action: str, /, **arguments: object) -> Any:
    """Call an action for a resolver."""
    return await perform(action, arguments, context=served_context(info), actor="web")


def at_most(limit: int) -> int:
    """Return a limit within what a page may have."""
    return max(0, min(limit, LIMIT))


def is_a_mistake_of_ours(error: GraphQLError) -> bool:
    """Tell whether an error's text is not meant for callers.

    Errors in the query itself have no original error; those of our packages are written for people.
    """
    original = error.original_error
    return original is not None and not isinstance(original, (*EXPECTED, GraphQLError))
