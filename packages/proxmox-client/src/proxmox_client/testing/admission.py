"""From a request to a call: who asks for what, may he, on which node, and are the parameters good.

In PVE's order: credentials, path, permission, node, parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from proxmox_client.testing.auth import NOBODY, Identity, Unauthorised
from proxmox_client.testing.nodelife import refusal
from proxmox_client.testing.request import UPLOAD_SOURCE, Call, PveFault, SimRequest
from proxmox_client.testing.routing import Route
from proxmox_client.testing.validation import text_of
from proxmox_client.testing.wireform import parse_form

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster


class ProxyLoop(Exception):
    """A forwarded call that was not to be forwarded."""


def admit(cluster: SimulatedCluster, request: SimRequest) -> tuple[Call, Route]:
    """Let a request in.

    Raises:
        Unauthorised: There are no good credentials.
        PveFault: Path, permission, node or parameters are refused.
        ProxyLoop: It was not to be forwarded to another node.
    """
    # An upload is a form that browsers post by themselves: PVE wants no CSRF token for it.
    method = "GET" if request.upload is not None else request.method
    identity = cluster.auth.identify(method, request.headers, cluster.clock.now())
    try:
        route, sent = route_of(cluster, request)
    except PveFault:
        if identity is NOBODY:
            raise Unauthorised("No ticket") from None
        raise
    if request.upload is not None:
        sent |= {"filename": request.upload.filename, "tmpfilename": UPLOAD_SOURCE}
    if identity is NOBODY and not route.open_to_world:
        raise Unauthorised("No ticket")
    if identity is not NOBODY:
        route.permission(cluster.access, identity, sent)
    via = request.via or next(iter(cluster.nodes))
    call = make_call(cluster, route, sent, identity, via, request.headers)
    call.upload = request.upload
    return call, route


def route_of(cluster: SimulatedCluster, request: SimRequest) -> tuple[Route, dict[str, Any]]:
    """Find the operation and gather everything that was sent to it.

    Raises:
        PveFault: There is no such path or method.
    """
    path, _, query = request.path.partition("?")
    segments = [unquote(part) for part in path.split("/") if part]
    found = cluster.routes.find(request.method, segments)
    if found is None:
        text = "/" + "/".join(segments)
        raise PveFault(501, f"Method '{request.method} {text}' not implemented", newline=False)
    route, filled = found
    sent: dict[str, Any] = {}
    if query:
        sent.update(parse_form(query))
    sent.update(request.params)
    sent.update(filled)
    return route, sent


def make_call(
    cluster: SimulatedCluster,
    route: Route,
    sent: dict[str, Any],
    identity: Identity,
    via: str,
    headers: Mapping[str, str] | None = None,
) -> Call:
    """Find the node that executes the call and check the parameters.

    Raises:
        PveFault: The node is unknown or away, or parameters are bad.
        ProxyLoop: It was not to be forwarded to another node.
    """
    if sent.get("node") == "localhost" and route.facts.parameters.get("node"):
        sent["node"] = via
    node = via
    if route.proxy_to is not None and (target := sent.get(route.proxy_to)):
        node = text_of(target)
        _reachable(cluster, node)
        if node != via and (headers or {}).get("pvedisableproxy") == "true":
            raise ProxyLoop
    params = route.validator.check(sent)
    texts = {name: text_of(value) for name, value in sent.items() if value is not None}
    return Call(route, params, texts, identity, via, node, headers or {})


def _reachable(cluster: SimulatedCluster, node: str) -> None:
    known = cluster.nodes.get(node)
    if known is None:
        raise PveFault(
            500,
            f"hostname lookup '{node}' failed - failed to get address info for: {node}:"
            " Name or service not known",
        )
    if (fault := refusal(known, cluster.clock.now())) is not None:
        raise fault


def not_simulated(cluster: SimulatedCluster, call: Call) -> Any:
    """Say honestly that nobody wrote this operation's behaviour yet."""
    what = f"{call.route.method} {call.route.path}"
    raise PveFault(501, f"pmpc's simulator does not simulate '{what}' yet", newline=False)
