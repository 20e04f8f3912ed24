"""The mutations: actions that store something. None of them changes a cluster yet."""

from __future__ import annotations

import strawberry

from pmpc_reconcile.actions.perform import perform
from pmpc_web.graphql.plan import Plan
from pmpc_web.graphql.served import served_context


@strawberry.type
class Mutation:
    """What can be done."""

    @strawberry.mutation(
        description="Plan manifests (YAML) against the live cluster; changes nothing."
    )
    async def plan(
        self, info: strawberry.Info, manifests: str, release: str = "default", prune: bool = False
    ) -> Plan:
        """Call the action `plan` and store the result."""
        arguments: dict[str, object] = {"text": manifests, "release": release, "prune": prune}
        found = await perform("plan", arguments, context=served_context(info), actor="web")
        return Plan.of(found.plan)
