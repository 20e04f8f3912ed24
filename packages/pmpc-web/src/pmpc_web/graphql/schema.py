"""The schema, put together, and which errors its callers may read."""

from __future__ import annotations

from graphql import GraphQLError
from strawberry.extensions import MaskErrors

from pmpc_web.calls import EXPECTED
from pmpc_web.graphql.mutation import Mutation
from pmpc_web.graphql.query import Query
from pmpc_web.graphql.served import ServingSchema


def build_schema(context: str | None = None) -> ServingSchema:
    """Return the schema for a cluster; the current context by default."""
    schema = ServingSchema(
        query=Query,
        mutation=Mutation,
        extensions=[lambda: MaskErrors(should_mask_error=_is_a_mistake_of_ours)],
    )
    schema.serves = context
    return schema


def _is_a_mistake_of_ours(error: GraphQLError) -> bool:
    """Tell whether an error's text is not meant for callers.

    Errors in the query itself have no original error; those of our packages are written for people.
    """
    original = error.original_error
    return original is not None and not isinstance(original, (*EXPECTED, GraphQLError))
