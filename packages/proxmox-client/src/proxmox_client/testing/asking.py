"""A request's way through the cluster: from the node that is asked to the handler and back."""

from __future__ import annotations

import inspect
from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any, cast

import attrs

from proxmox_client.testing.admission import (
    ProxyLoop,
    admit,
    make_call,
    not_simulated,
    route_of,
)
from proxmox_client.testing.auth import UNAUTHORISED_DELAY, Identity, Unauthorised
from proxmox_client.testing.clusterlocks import under_lock
from proxmox_client.testing.ha.requests import redirect
from proxmox_client.testing.nodelife import refusal
from proxmox_client.testing.quorum import refuse_without_quorum
from proxmox_client.testing.request import (
    Call,
    HostUnreachable,
    PveFault,
    Reply,
    SimRequest,
    SimResponse,
)
from proxmox_client.testing.routing import Route
from proxmox_client.testing.wireform import CLOSE, FORWARDED, KEEP, answer, refuse

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_METHODS = frozenset(("GET", "POST", "PUT", "DELETE"))


def conversation(
    cluster: SimulatedCluster, request: SimRequest
) -> Generator[float, None, SimResponse]:
    """Answer a request step by step: yields seconds to wait, returns the response.

    Raises:
        HostUnreachable: The node that is asked is gone.
        ConnectionLost: A fault ends the connection.
    """
    if request.method not in _METHODS:
        return SimResponse(501, f"method '{request.method}' not available", CLOSE, b"")
    via = request.via or next(iter(cluster.nodes))
    if (server := cluster.server(via)) is not cluster:
        return (yield from server.conversation(attrs.evolve(request, via=via)))
    if (away := refusal(cluster.nodes[via], cluster.clock.now())) is not None:
        yield away.delay
        raise HostUnreachable(away.message)
    try:
        yield from cluster.faults.before(request, via)
        cluster.broadcast.until(cluster.clock.now())
        call, route = admit(cluster, request)
        data = yield from carry_out(cluster, call, route)
    except Unauthorised as error:
        yield UNAUTHORISED_DELAY
        return SimResponse(401, str(error), CLOSE, b"")
    except ProxyLoop:
        return SimResponse(500, "proxy loop detected", CLOSE, b"proxy loop detected")
    except PveFault as fault:
        delay = UNAUTHORISED_DELAY if fault.status == 401 else fault.delay
        if delay:
            yield delay
        cluster.faults.after(request, via)
        return refuse(fault)
    cluster.faults.after(request, via)
    return answer(data, FORWARDED if route.protected else KEEP)


def carry_out(cluster: SimulatedCluster, call: Call, route: Route) -> Generator[float, None, Any]:
    """Do what an admitted call asks for: yields seconds to wait, returns the data."""
    if not cluster.quorate:
        upid = yield from refuse_without_quorum(cluster, call)
        if upid is not None:
            return upid
    return (yield from under_lock(cluster, call, _handle(cluster, call, route)))


def _handle(cluster: SimulatedCluster, call: Call, route: Route) -> Generator[float, None, Any]:
    if (upid := redirect(cluster, call)) is not None:
        return upid
    data = (route.handler or not_simulated)(cluster, call)
    if inspect.isgenerator(data):
        data = yield from cast("Generator[float, None, Any]", data)
    return data


def trusted(
    cluster: SimulatedCluster, method: str, path: str, params: Mapping[str, Any], user: str
) -> Generator[float, None, Any]:
    """Do something in a user's name, without credentials and privileges; return the data."""
    userid, _, tokenid = user.partition("!")
    cluster.broadcast.until(cluster.clock.now())
    route, sent = route_of(cluster, SimRequest(method, path, params))
    identity = Identity(userid, tokenid or None, trusted=True)
    call = make_call(cluster, route, sent, identity, next(iter(cluster.nodes)))
    data = yield from carry_out(cluster, call, route)
    return data.data if isinstance(data, Reply) else data
