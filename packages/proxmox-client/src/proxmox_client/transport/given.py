"""Sending through an httpx transport that somebody handed us: a simulator, a test, a proxy of
their own.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable
from typing import NoReturn

import httpx

from proxmox_client.errors import RequestInvalid
from proxmox_client.flows.effects import Lost
from proxmox_client.transport.endpoint import Endpoint
from proxmox_client.transport.exchange import Limits, headers_of, pieces_of, timeouts
from proxmox_client.transport.failures import explain, stage_of
from proxmox_client.wire.request import Request, Response


class GivenSender:
    """Sends requests through a given httpx transport, blocking.

    Args:
        endpoint: Where to, as the requests name it.
        limits: Time-outs the transport may respect.
        transport: The transport.
    """

    def __init__(self, endpoint: Endpoint, limits: Limits, transport: httpx.BaseTransport) -> None:
        self._endpoint = endpoint
        self._limits = limits
        self._transport = transport

    def send(self, request: Request) -> Response | Lost:
        """Send a request once."""
        try:
            content = request.body if request.file is None else request.file.pieces()
            response = self._transport.handle_request(
                _to_httpx(request, self._endpoint, self._limits, content)
            )
            try:
                body = response.read()
            finally:
                response.close()
        except httpx.HTTPError as error:
            return explain(error, self._endpoint, stage_of(error))
        return _to_response(response, body)

    def close(self) -> None:
        """Close the transport."""
        self._transport.close()


class GivenAsyncSender:
    """Sends requests through a given httpx transport, on asyncio.

    Args:
        endpoint: Where to, as the requests name it.
        limits: Time-outs the transport may respect.
        transport: The transport.
    """

    def __init__(
        self, endpoint: Endpoint, limits: Limits, transport: httpx.AsyncBaseTransport
    ) -> None:
        self._endpoint = endpoint
        self._limits = limits
        self._transport = transport

    async def send(self, request: Request) -> Response | Lost:
        """Send a request once."""
        try:
            content = request.body if request.file is None else pieces_of(request.file)
            response = await self._transport.handle_async_request(
                _to_httpx(request, self._endpoint, self._limits, content)
            )
            try:
                body = await response.aread()
            finally:
                await response.aclose()
        except httpx.HTTPError as error:
            return explain(error, self._endpoint, stage_of(error))
        return _to_response(response, body)

    async def upgrade(self, request: Request) -> NoReturn:
        """Refuse to open a websocket: an httpx transport has none.

        Raises:
            RequestInvalid: Always.
        """
        why = "a client on a transport of its own has no websockets: let it use the network"
        raise RequestInvalid(request.operation, why)

    async def aclose(self) -> None:
        """Close the transport."""
        await self._transport.aclose()


def _to_httpx(
    request: Request,
    endpoint: Endpoint,
    limits: Limits,
    content: bytes | Iterable[bytes] | AsyncIterable[bytes] | None,
) -> httpx.Request:
    return httpx.Request(
        request.method,
        endpoint.url(request.target),
        headers=headers_of(request),
        content=content,
        extensions={"timeout": timeouts(limits, request.timeout)},
    )


def _to_response(response: httpx.Response, body: bytes) -> Response:
    return Response(response.status_code, response.reason_phrase, body, response.headers)
