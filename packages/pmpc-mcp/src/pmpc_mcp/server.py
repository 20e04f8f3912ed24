"""The server: its instructions and its tools."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from mcp.server.mcpserver import MCPServer

from pmpc_mcp.access import Access
from pmpc_mcp.tools import apply, get_object, list_objects, plan

INSTRUCTIONS = (
    "Tools for a Proxmox VE cluster. `list` and `get` show its state as last synced, also in the "
    "past. To change something, write manifests, call `plan`, show the person the explanation, and "
    "only after their consent call `apply` with the plan's id. A conflict means somebody else "
    "changed a field: tell the person, never settle it without being asked."
)


def build_server(access: Access) -> MCPServer[Any]:
    """Return the MCP server with its tools, not yet running."""
    # The default level makes the SDK log every request to stderr, which clients show as errors.
    server: MCPServer[Any] = MCPServer(
        "pmpc", instructions=INSTRUCTIONS, version=version("pmpc-mcp"), log_level="WARNING"
    )
    for module in (list_objects, get_object, plan, apply):
        module.register(server, access)
    return server
