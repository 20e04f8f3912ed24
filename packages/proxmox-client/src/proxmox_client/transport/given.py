"""Sending through an httpx transport that somebody handed us: a simulator, a test, a proxy of
their own.
"""

from __future__ import annotations

import httpx

from proxmox_client.flows.effects import Lost
from proxmox_client.transport.endpoint import Endpoint
from proxmox_client.transport.exchange import Limits, to_httpx, to_response
from proxmox_client.transport.failures import explain, stage_of
from proxmox_client.wire.request import Request, Response


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
            response = await self._transport.handle_async_request(
                to_httpx(request, self._endpoint, self._limits)
            )
            try:
                body = await response.aread()
            finally:
                await response.aclose()
        except httpx.HTTPError as error:
            return explain(error, self._endpoint, stage_of(error))
        return to_response(response, body)

    async def aclose(self) -> None:
        """Close the transport."""
        await self._transport.aclose()
