"""Several calls in one."""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, cast

from proxmox_client.testing import asking
from proxmox_client.testing.admission import make_call, route_of
from proxmox_client.testing.request import Call, PveFault, Reply, SimRequest
from proxmox_client.testing.routing import handles

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster


@handles("POST", "/nodes/{node}/execute")
def execute(
    cluster: SimulatedCluster, call: Call
) -> Generator[float, None, list[dict[str, Any]]]:  # fmt: skip
    """Carry out calls below a node one after the other; each has a status of its own."""
    rows: list[dict[str, Any]] = []
    for command in _commands(call["commands"]):
        path = f"/nodes/{call.node}/{str(command['path']).strip('/')}"
        try:
            data = yield from _one(cluster, call, path, command)
        except PveFault as fault:
            row: dict[str, Any] = {"status": fault.status, "message": f"{fault.message}\n"}
            rows.append(row | ({"errors": fault.errors} if fault.errors else {}))
        else:
            rows.append({"status": 200, "data": data})
    return rows


def _one(
    cluster: SimulatedCluster, call: Call, path: str, command: dict[str, Any]
) -> Generator[float, None, Any]:
    request = SimRequest(str(command["method"]), path, command.get("args", {}))
    try:
        route, sent = route_of(cluster, request)
    except PveFault:
        raise PveFault(500, f"no handler for '{path.strip('/')}'") from None
    route.permission(cluster.access, call.identity, sent)
    inner = make_call(cluster, route, sent, call.identity, call.via, call.headers)
    data = yield from asking.carry_out(cluster, inner, route)
    return data.data if isinstance(data, Reply) else data


def _commands(text: str) -> list[dict[str, Any]]:
    try:
        found: object = json.loads(text)
    except ValueError:
        found = None
    rows = cast("list[dict[str, Any]]", found) if isinstance(found, list) else []
    if not rows or not all({"method", "path"} <= row.keys() for row in rows):
        raise PveFault.parameters({"commands": "invalid format - not a valid list of commands\n"})
    return rows
