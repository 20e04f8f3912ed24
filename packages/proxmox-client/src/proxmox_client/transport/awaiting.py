"""Sending one request once, on asyncio, through aiohttp.

httpx's own async connections slow to a crawl at 64 at once; aiohttp's do not. aiohttp is spoken to
directly: the bridge that makes it an httpx transport reports a connection lost after sending as a
connect time-out, which would let a write be sent twice, and costs a third of the throughput.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import warnings
import weakref
from typing import TYPE_CHECKING, Any, Final

import aiohttp
from yarl import URL

from proxmox_client.errors import CertificateNotTrusted, ConnectError, RequestInvalid
from proxmox_client.flows.effects import Lost, Stage
from proxmox_client.transport.awaiting_streams import KeptConnector
from proxmox_client.transport.endpoint import Endpoint
from proxmox_client.transport.exchange import (
    HEADERS,
    IDLE_SECONDS,
    Limits,
    content_headers,
    pieces_of,
)
from proxmox_client.transport.failures import add_fingerprint, explain, refusal, usable_context
from proxmox_client.transport.knownhosts import settle
from proxmox_client.transport.tls import FirstUse, KnownTrust, Trust
from proxmox_client.wire.request import Request, Response

if TYPE_CHECKING:
    from proxmox_client.transport.websocket import WebSocket

_BEFORE_SENDING = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientProxyConnectionError,
    aiohttp.ClientHttpProxyError,
    aiohttp.InvalidURL,
)
_CLOSING_ROUNDS: Final = 20
_ERRORS = (aiohttp.ClientError, TimeoutError, OSError)


class AwaitingSender:
    """Sends requests to one endpoint from one event loop at a time.

    Args:
        endpoint: Where to.
        trust: Whom to trust.
        limits: Time-outs and connections.
    """

    def __init__(self, endpoint: Endpoint, trust: Trust, limits: Limits) -> None:
        self._endpoint = endpoint
        self._trust = trust
        self._limits = limits
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()

    async def send(self, request: Request) -> Response | Lost:
        """Send a request once."""
        try:
            session = await self._current()
        except ConnectError as error:
            return refusal(error)
        headers = {**content_headers(request), **request.headers}
        try:
            async with session.request(
                request.method,
                URL(self._endpoint.url(request.target), encoded=True),
                headers=headers,
                data=request.body if request.file is None else pieces_of(request.file),
                allow_redirects=False,
                proxy=self._limits.proxy,
                **self._own_timeout(request),
            ) as response:
                return Response(
                    response.status,
                    response.reason or "",
                    await _read(response),
                    response.headers,
                )
        except _ERRORS as error:
            lost = explain(error, self._endpoint, _stage_of(error))
            if isinstance(lost.error, CertificateNotTrusted) and self._limits.proxy is None:
                return await asyncio.to_thread(add_fingerprint, lost, self._endpoint, self._limits)
            return lost

    async def upgrade(self, request: Request) -> WebSocket:
        """Open a websocket. It belongs to whoever asked for it and is not closed with the others.

        Raises:
            ApiError: The server refuses.
            ConnectError: The server cannot be reached.
            RequestInvalid: The library for websockets is not installed.
        """
        try:
            from proxmox_client.transport.websocket import open_websocket
        except ModuleNotFoundError as error:
            why = "streams of consoles need websockets: install pmpc-proxmox-client[console]"
            raise RequestInvalid(request.operation, why) from error
        return await open_websocket(self._endpoint, self._trust, self._limits, request)

    async def aclose(self) -> None:
        """Close all connections."""
        if self._loop is not asyncio.get_running_loop():
            await self._leave_former_loop(asyncio.get_running_loop())
        if self._session is None:
            return
        await self._session.close()
        self._session = None
        # connections given up earlier may still wait for the server's goodbye: they need not
        for connection in self._open_sockets():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for _ in range(_CLOSING_ROUNDS):
            if not self._open_sockets():
                break
            await asyncio.sleep(0)

    def _open_sockets(self) -> list[socket.socket]:
        return [connection for connection in self._sockets if connection.fileno() != -1]

    def _open_socket(self, address: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol = address[:3]
        made = socket.socket(family, kind, protocol)
        self._sockets.add(made)
        return made

    def _own_timeout(self, request: Request) -> dict[str, Any]:
        if request.timeout is None:
            return {}
        return {"timeout": _timeout(self._limits, request.timeout)}

    async def _current(self) -> aiohttp.ClientSession:
        """Return the session of the running loop; connections of a former loop are dead."""
        loop = asyncio.get_running_loop()
        if self._session is not None and self._loop is loop:
            return self._session
        await self._leave_former_loop(loop)
        trust = self._trust
        if isinstance(trust, FirstUse):  # looks at a file and perhaps at the server
            patience = self._limits.connect_timeout
            trust = await asyncio.to_thread(settle, trust, self._endpoint, patience)
        if self._session is None:
            self._session = self._build(trust)
            self._loop = loop
        return self._session

    async def _leave_former_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let go of what belongs to a former loop.

        A closed loop cannot close its connections any more, so their sockets are closed here; the
        warnings about the rest say nothing that anybody could act on.
        """
        session, former = self._session, self._loop
        self._session = self._loop = None
        if session is None or former is None or former is loop:
            return
        if former.is_running():
            asyncio.run_coroutine_threadsafe(session.close(), former)
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            with contextlib.suppress(RuntimeError, ValueError):  # a loop that only stands still
                await session.close()
            for connection in self._open_sockets():
                connection.close()
            del session
            gc.collect()

    def _build(self, trust: KnownTrust) -> aiohttp.ClientSession:
        limits = self._limits
        session = aiohttp.ClientSession(
            connector=KeptConnector(
                ssl=usable_context(self._endpoint, trust),
                limit=limits.connections,
                keepalive_timeout=IDLE_SECONDS,
                socket_factory=self._open_socket,
            ),
            headers=HEADERS,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=_timeout(limits, limits.timeout),
        )
        # aiohttp repeats PUT and DELETE by itself when a kept connection breaks; there is no
        # public switch for it, and a test watches this one
        session._retry_connection = False  # pyright: ignore[reportPrivateUsage]
        return session


def _timeout(limits: Limits, silence: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=None, sock_connect=limits.connect_timeout, sock_read=silence)


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """Return the body. An error's status says enough if PVE closes before its body."""
    try:
        return await response.read()
    except _ERRORS:
        if response.status < 400:
            raise
        return b""


def _stage_of(error: Exception) -> Stage:
    return Stage.NOT_SENT if isinstance(error, _BEFORE_SENDING) else Stage.MAYBE_SENT
