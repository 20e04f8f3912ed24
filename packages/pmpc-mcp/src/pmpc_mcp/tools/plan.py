"""Tool `plan`: what applying manifests would do."""

from __future__ import annotations

from typing import Annotated, Any

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations
from pydantic import Field

from pmpc_mcp.access import Access
from pmpc_mcp.calls import run
from pmpc_reconcile.actions import to_plain
from pmpc_reconcile.actions.perform import EXPECTED

DESCRIPTION = (
    "Compare pmpc manifests (YAML, apiVersion pmpc/v1, kinds VirtualMachine, Container, Pool) with "
    "the live cluster and store a plan. Changes nothing. Returns the plan's id for `apply`, an "
    "explanation for people, conflicts and mistakes. Always show the explanation before applying."
)


def register(server: MCPServer[Any], access: Access) -> None:
    """Add the tool to the server."""

    async def plan(
        context: Context[Any, Any],
        manifests: Annotated[str, Field(description="the manifests as YAML text")],
        release: Annotated[
            str, Field(description="name of the release they belong to")
        ] = "default",
        resolve: Annotated[
            dict[str, str] | None,
            Field(description="settle conflicts: ADDRESS:FIELD to ours, theirs or ignore"),
        ] = None,
        prune: Annotated[
            bool, Field(description="delete objects the manifests no longer have")
        ] = False,
    ) -> dict[str, Any]:
        arguments: dict[str, object] = {
            "text": manifests,
            "release": release,
            "resolve": resolve,
            "prune": prune,
        }
        try:
            output = await run(access, "plan", arguments, context)
        except EXPECTED as error:
            raise ToolError(str(error)) from error
        return {
            "plan_id": output.plan.id,
            "explanation": output.plan.explain(),
            "plan": to_plain(output.plan),
        }

    server.add_tool(
        plan,
        name="plan",
        description=DESCRIPTION,
        annotations=ToolAnnotations(read_only_hint=True),
    )
