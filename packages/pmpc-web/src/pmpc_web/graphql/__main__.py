"""Print the schema in GraphQL's own language, to be committed as `schema.graphql`."""

from __future__ import annotations

from pmpc_web.graphql.schema import build_schema

if __name__ == "__main__":
    print(build_schema().as_str())
