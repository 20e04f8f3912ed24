"""Sending one request once, on asyncio.

httpx's own async connections slow to a crawl at 64 at once; aiohttp's do not, so httpx sends
through aiohttp. Two of aiohttp's habits are turned off or corrected here: it repeats PUT and
DELETE by itself when a kept connection breaks, and the bridge reports a connection lost after
sending as a connect time-out.
"""

from __future__ import annotations

import asyncio

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from proxmox_client.errors import CertificateNotTrusted
from proxmox_client.flows.effects import Lost, Stage
from proxmox_client.transport.blocking import add_fingerprint, usable_context
from proxmox_client.transport.endpoint import Endpoint
from proxmox_client.transport.exchange import IDLE_SECONDS, Limits, to_httpx, to_response
from proxmox_client.transport.failures import explain, stage_of
from proxmox_client.transport.tls import Trust
from proxmox_client.wire.request import Request, Response

_BEFORE_SENDING = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientProxyConnectionError,
    aiohttp.ClientHttpProxyError,
    aiohttp.InvalidURL,
)


class AwaitingSender:
    """Sends requests to one endpoint from one event loop at a time.

    Args:
        endpoint: Where to.
        trust: Whom to trust.
        limits: Time-outs and connections.
        transport: An httpx transport to use instead of the network.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        trust: Trust,
        limits: Limits,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._trust = trust
        self._limits = limits
        self._given = transport
        self._own: AiohttpTransport | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def send(self, request: Request) -> Response | Lost:
        """Send a request once.

        Raises:
            TlsError: The trust given cannot be set up.
        """
        transport = self._given or self._current()
        try:
            response = await transport.handle_async_request(
                to_httpx(request, self._endpoint, self._limits)
            )
            try:
                await response.aread()
            finally:
                await response.aclose()
        except (httpx.HTTPError, aiohttp.ClientError) as error:
            lost = explain(error, self._endpoint, _stage_of(error))
            if isinstance(lost.error, CertificateNotTrusted) and self._limits.proxy is None:
                return await asyncio.to_thread(add_fingerprint, lost, self._endpoint, self._limits)
            return lost
        return to_response(response)

    async def aclose(self) -> None:
        """Close all connections."""
        for transport in (self._given, self._own):
            if transport is not None:
                await transport.aclose()
        self._own = None

    def _current(self) -> AiohttpTransport:
        """Return the transport of the running loop; connections of a former loop are dead."""
        loop = asyncio.get_running_loop()
        if self._own is None or self._loop is not loop:
            self._own = self._build()
            self._loop = loop
        return self._own

    def _build(self) -> AiohttpTransport:
        context = usable_context(self._endpoint, self._trust)
        limits = self._limits

        def session() -> aiohttp.ClientSession:
            connector = aiohttp.TCPConnector(
                ssl=context, limit=limits.connections, keepalive_timeout=IDLE_SECONDS
            )
            made = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
            made._retry_connection = False  # pyright: ignore[reportPrivateUsage]  # no public switch; a test watches it
            return made

        proxy = httpx.Proxy(limits.proxy) if limits.proxy else None
        return AiohttpTransport(verify=context, trust_env=False, proxy=proxy, client=session)


def _stage_of(error: httpx.HTTPError | aiohttp.ClientError) -> Stage:
    """Say how far a request came, by aiohttp's own word where there is one."""
    origin = error if isinstance(error, aiohttp.ClientError) else error.__cause__
    if isinstance(origin, aiohttp.ClientError):
        return Stage.NOT_SENT if isinstance(origin, _BEFORE_SENDING) else Stage.MAYBE_SENT
    return stage_of(error) if isinstance(error, httpx.HTTPError) else Stage.MAYBE_SENT
