"""Tool `get`: one object with its configuration."""

from __future__ import annotations

from typing import Annotated, Any

from mcp.server.mcpserver import MCPServer
from mcp_types import ToolAnnotations
from pydantic import Field

from pmpc_mcp.access import Access
from pmpc_mcp.calls import call

DESCRIPTION = (
    "Show one object of the Proxmox VE cluster with its whole configuration, as last synced. "
    "`at` shows it as it was."
)


def register(server: MCPServer[Any], access: Access) -> None:
    """Add the tool to the server."""

    async def get_object(
        name: Annotated[str, Field(description="name or key, such as web-1, 100 or qemu/100")],
        kind: Annotated[str | None, Field(description="kind, if the name is not unique")] = None,
        at: Annotated[str | None, Field(description="ISO 8601 time, -2h, or a snapshot")] = None,
    ) -> dict[str, Any]:
        return await call(access, "get", {"name": name, "kind": kind, "at": at})

    server.add_tool(
        get_object,
        name="get",
        description=DESCRIPTION,
        annotations=ToolAnnotations(read_only_hint=True),
    )
