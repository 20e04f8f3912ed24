"""The GraphQL schema: one module per type, one for the queries, one for the mutations."""

from __future__ import annotations

from pmpc_web.graphql.schema import build_schema

__all__ = ["build_schema"]
