"""The schema, put together, and which errors its callers may read."""

from __future__ import annotations

from strawberry.extensions import MaskErrors

from pmpc_web.graphql.mutation import Mutation
from pmpc_web.graphql.query import Query
from pmpc_web.graphql.served import ServingSchema, is_a_mistake_of_ours


def build_schema(context: str | None = None) -> ServingSchema:
    """Return the schema for a cluster; the current context by default."""
    schema = ServingSchema(
        query=Query,
        mutation=Mutation,
        extensions=[lambda: MaskErrors(should_mask_error=is_a_mistake_of_ours)],
    )
    schema.serves = context
    return schema
