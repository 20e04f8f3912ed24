"""Tool `list`: objects of the cluster as last observed."""

from __future__ import annotations

from typing import Annotated, Any

from mcp.server.mcpserver import MCPServer
from mcp_types import ToolAnnotations
from pydantic import Field

from pmpc_mcp.access import Access
from pmpc_mcp.calls import call

DESCRIPTION = (
    "List nodes, virtual machines, containers, storages, volumes, pools or tasks of the Proxmox VE "
    "cluster as last synced into the database. Configurations are left out; use `get` for one. "
    "`at` looks into the past."
)


def register(server: MCPServer[Any], access: Access) -> None:
    """Add the tool to the server."""

    async def list_objects(
        kind: Annotated[
            str | None, Field(description="node, qemu, lxc, storage, content, pool or task")
        ] = None,
        node: Annotated[str | None, Field(description="only on this node")] = None,
        name: Annotated[str | None, Field(description="name with * and ? as wildcards")] = None,
        status: Annotated[str | None, Field(description="only with this status")] = None,
        at: Annotated[str | None, Field(description="ISO 8601 time, -2h, or a snapshot")] = None,
        filter: Annotated[  # noqa: A002 - what the reference on filters calls it
            str, Field(description="such as: tags has prod and maxmem>8G and not node=pve1")
        ] = "",
        sort: Annotated[str, Field(description="field to sort by; -mem for descending")] = "",
        limit: Annotated[int, Field(description="at most so many", ge=1, le=500)] = 100,
        offset: Annotated[int, Field(description="leave out so many before", ge=0)] = 0,
        after: Annotated[
            str | None, Field(description="`next` of the page before, to go on after it")
        ] = None,
    ) -> dict[str, Any]:
        return await call(
            access,
            "list",
            {
                "kind": kind, "node": node, "name": name, "status": status, "at": at,
                "filter": filter, "sort": sort, "limit": limit, "offset": offset,
                "after": after,
            },
        )  # fmt: skip

    server.add_tool(
        list_objects,
        name="list",
        description=DESCRIPTION,
        annotations=ToolAnnotations(read_only_hint=True),
    )
