"""Which cluster a schema serves, for its resolvers."""

from __future__ import annotations

from typing import cast

import strawberry


class ServingSchema(strawberry.Schema):
    """A schema that knows the name of its cluster; None stands for the current context."""

    serves: str | None = None


def served_context(info: strawberry.Info) -> str | None:
    """Return the cluster's name for a resolver."""
    return cast("ServingSchema", info.schema).serves
