"""Ways to ask the simulated cluster in process: transports for httpx."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import httpx

from proxmox_client.testing.frontdoor import converse
from proxmox_client.testing.httpdate import http_date
from proxmox_client.testing.request import ConnectionLost, HostUnreachable, SimResponse

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster


def _conversation(
    cluster: SimulatedCluster, request: httpx.Request, body: bytes, via: str
) -> Generator[float, None, SimResponse]:
    # No compression in process: it would only cost time.
    headers = {
        name.lower(): value
        for name, value in request.headers.items()
        if name.lower() != "accept-encoding"
    }
    return converse(cluster, request.method, request.url.raw_path.decode(), headers, body, via)


def _answer(request: httpx.Request, response: SimResponse, now: float) -> httpx.Response:
    return httpx.Response(
        response.status,
        headers=[
            ("Date", http_date(int(now))),
            *response.headers,
            ("Content-Length", str(len(response.body))),
        ],
        content=response.body,
        request=request,
        extensions={"reason_phrase": response.reason.encode(), "http_version": b"HTTP/1.1"},
    )


def _transport_error(
    error: HostUnreachable | ConnectionLost, request: httpx.Request
) -> httpx.TransportError:
    """Return the error httpx raises when a real server behaves like this."""
    if isinstance(error, HostUnreachable):
        kind = httpx.ConnectTimeout if "timed out" in str(error) else httpx.ConnectError
        return kind(str(error), request=request)
    return httpx.RemoteProtocolError(
        "Server disconnected without sending a response.", request=request
    )


class SimulatorTransport(httpx.BaseTransport):
    """Transport for ``httpx.Client``; waiting moves the cluster's clock."""

    def __init__(self, cluster: SimulatedCluster, via: str = "") -> None:
        self._cluster = cluster
        self._via = via

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        steps = _conversation(self._cluster, request, request.read(), self._via)
        try:
            response = self._cluster.clock.run(steps)
            return _answer(request, response, self._cluster.clock.now())
        except (HostUnreachable, ConnectionLost) as error:
            raise _transport_error(error, request) from None


class AsyncSimulatorTransport(httpx.AsyncBaseTransport):
    """Transport for ``httpx.AsyncClient``; waiting moves the cluster's clock."""

    def __init__(self, cluster: SimulatedCluster, via: str = "") -> None:
        self._cluster = cluster
        self._via = via

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        steps = _conversation(self._cluster, request, await request.aread(), self._via)
        try:
            response = await self._cluster.clock.arun(steps)
            return _answer(request, response, self._cluster.clock.now())
        except (HostUnreachable, ConnectionLost) as error:
            raise _transport_error(error, request) from None
