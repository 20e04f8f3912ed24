"""Websockets to a server: the only module that imports the library `websockets`.

PVE's front server speaks the plainest form: no compression, no fragments, no frame over 128 KiB.
"""

from __future__ import annotations

import asyncio
import logging
from types import TracebackType
from typing import Final, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.typing import Subprotocol

from proxmox_client.errors import CertificateNotTrusted, ConnectError
from proxmox_client.flows.effects import Stage
from proxmox_client.transport.endpoint import Endpoint
from proxmox_client.transport.exchange import USER_AGENT, Limits
from proxmox_client.transport.failures import add_fingerprint, explain, usable_context
from proxmox_client.transport.knownhosts import settle
from proxmox_client.transport.tls import Trust
from proxmox_client.wire.answer import read_failure
from proxmox_client.wire.request import Request, Response

MOST_PAYLOAD: Final = 64 * 1024
"""Bytes sent in one frame; the front server hangs up over 128 KiB."""
_BEARABLE: Final = 4 * 1024 * 1024
# at DEBUG the library logs the handshake with its credentials, and what is typed
_LOG: Final = logging.getLogger("proxmox_client.websocket")
_LOG.setLevel(logging.INFO)


class WebSocket:
    """An open websocket that carries bytes in both directions."""

    def __init__(self, connection: ClientConnection, endpoint: Endpoint) -> None:
        self._connection = connection
        self._endpoint = endpoint

    async def send(self, data: bytes | str) -> None:
        """Send bytes or text, in as many frames as they need.

        Raises:
            ConnectError: The other side has ended the connection.
        """
        try:
            for start in range(0, len(data), MOST_PAYLOAD):
                await self._connection.send(data[start : start + MOST_PAYLOAD])
        except ConnectionClosed as error:
            at = self._endpoint
            raise ConnectError(at.host, at.port, "the console has ended") from error

    async def receive(self) -> bytes | None:
        """Return the next bytes; None where the other side has ended the connection."""
        try:
            data = await self._connection.recv()
        except ConnectionClosed:
            return None
        return data.encode() if isinstance(data, str) else data

    async def aclose(self) -> None:
        """End the connection."""
        await self._connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()


async def open_websocket(
    endpoint: Endpoint, trust: Trust, limits: Limits, request: Request
) -> WebSocket:
    """Open a websocket with the same trust, proxy and credentials as every other call.

    Args:
        endpoint: Where to.
        trust: Whom to trust.
        limits: Time-outs, and the proxy.
        request: A GET with its credentials.

    Raises:
        ApiError: The server refuses; a bad ticket is a 401.
        ConnectError: The server cannot be reached, or its certificate is not the right one.
    """
    known = await asyncio.to_thread(settle, trust, endpoint, limits.connect_timeout)
    context = usable_context(endpoint, known) if endpoint.scheme == "https" else None
    try:
        connection = await connect(
            endpoint.url(request.target).replace("http", "ws", 1),
            ssl=context,
            additional_headers=request.headers,
            user_agent_header=USER_AGENT,
            subprotocols=[Subprotocol("binary")],
            compression=None,
            proxy=limits.proxy,
            logger=_LOG,
            open_timeout=limits.timeout,
            max_size=_BEARABLE,
        )
    except InvalidStatus as error:
        answer = error.response
        response = Response(
            answer.status_code, answer.reason_phrase, bytes(answer.body or b""), answer.headers
        )
        raise read_failure(request, response) from error
    except (OSError, WebSocketException) as error:
        lost = explain(error, endpoint, Stage.NOT_SENT)
        if isinstance(lost.error, CertificateNotTrusted) and limits.proxy is None:
            lost = await asyncio.to_thread(add_fingerprint, lost, endpoint, limits)
        raise lost.error from error
    return WebSocket(connection, endpoint)
