"""Tool `apply`: do what a stored plan says, within what a model may do by itself."""

from __future__ import annotations

from typing import Annotated, Any

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations
from pydantic import Field

from pmpc_mcp.access import NEEDS_A_PERSON, READ_ONLY, Access
from pmpc_mcp.calls import run
from pmpc_reconcile.actions import to_plain
from pmpc_reconcile.actions.perform import EXPECTED
from pmpc_reconcile.errors import PlanTooRisky

DESCRIPTION = (
    "Apply a plan made by `plan`, by its id. Show the plan to the person and get their consent "
    "first. Refused when the server was started read-only, when the cluster moved since the plan "
    "was made, and for plans with destructive steps, which a person must apply."
)
# The most a model may do without a person: interrupt a guest, never lose data.
MAX_RISK = "disruptive"


def register(server: MCPServer[Any], access: Access) -> None:
    """Add the tool to the server."""

    async def apply(
        context: Context[Any, Any],
        plan_id: Annotated[str, Field(description="id of the plan, as `plan` returned it")],
    ) -> dict[str, Any]:
        if not access.write:
            raise ToolError(READ_ONLY.format(plan_id=plan_id))
        arguments: dict[str, object] = {"plan_id": plan_id, "max_risk": MAX_RISK}
        try:
            output = await run(access, "apply", arguments, context)
        except PlanTooRisky as error:
            raise ToolError(NEEDS_A_PERSON.format(reason=error, plan_id=plan_id)) from error
        except EXPECTED as error:
            raise ToolError(str(error)) from error
        return {"ok": output.report.ok, **to_plain(output.report)}

    server.add_tool(
        apply,
        name="apply",
        description=DESCRIPTION,
        annotations=ToolAnnotations(
            read_only_hint=False, destructive_hint=False, idempotent_hint=True
        ),
    )
