"""What happens on a port before there is a request: plain HTTP, silence, headers out of bounds."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from itertools import chain

from aiohttp import web

HEADER_LINES = 64
HEADER_BYTES = 8 * 1024
# aiohttp's own limits: wide enough that ours decide.
WIDE = 128 * 1024
_HANDSHAKE = 0x16


class Doorstep:
    """Takes in the connections of one port and hands on those that speak TLS."""

    def __init__(
        self,
        listener: socket.socket,
        context: ssl.SSLContext,
        inside: Callable[[], asyncio.Protocol],
        spoke: Callable[[asyncio.BaseTransport], bool],
        patience: float,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._listener = listener
        self._context = context
        self._inside = inside
        self._spoke = spoke
        self._patience = patience
        self._guests: set[asyncio.Task[None]] = set()
        listener.setblocking(False)
        self._porter = self._loop.create_task(self._open())

    async def close(self) -> None:
        """Let nobody in any more."""
        tasks = [self._porter, *self._guests]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._listener.close()

    async def _open(self) -> None:
        while True:
            connection, _ = await self._loop.sock_accept(self._listener)
            connection.setblocking(False)
            task = self._loop.create_task(self._greet(connection))
            self._guests.add(task)
            task.add_done_callback(self._guests.discard)

    async def _greet(self, connection: socket.socket) -> None:
        """Look at the first byte: TLS goes on, plain HTTP is sent away, silence ends."""
        try:
            async with asyncio.timeout(self._patience):
                await self._readable(connection)
                first = connection.recv(1, socket.MSG_PEEK)
                if first and first[0] != _HANDSHAKE:
                    await self._send_to_https(connection)
                if not first or first[0] != _HANDSHAKE:
                    connection.close()
                    return
            transport, _ = await self._loop.connect_accepted_socket(
                self._inside, connection, ssl=self._context
            )
        except (OSError, TimeoutError, asyncio.CancelledError):
            connection.close()
            return
        self._loop.call_later(self._patience, self._end_if_silent, transport)

    def _end_if_silent(self, transport: asyncio.BaseTransport) -> None:
        """Close a connection that has asked nothing since its handshake."""
        if not self._spoke(transport):
            transport.close()

    async def _readable(self, connection: socket.socket) -> None:
        ready: asyncio.Future[None] = self._loop.create_future()
        number = connection.fileno()
        self._loop.add_reader(number, _once, ready)
        try:
            await ready
        finally:
            self._loop.remove_reader(number)

    async def _send_to_https(self, connection: socket.socket) -> None:
        data = await self._loop.sock_recv(connection, HEADER_BYTES)
        lines = data.decode("latin-1").split("\r\n")
        target = [*lines[0].split(), "/", "/"][1]
        named = [line[5:].strip() for line in lines if line.lower().startswith("host:")]
        host = named[0] if named else "{}:{}".format(*connection.getsockname()[:2])
        answer = (
            f"HTTP/1.1 301 Moved Permanently\r\nLocation: https://{host}{target}\r\n"
            "Content-Length: 0\r\nConnection: close\r\n\r\n"
        )
        await self._loop.sock_sendall(connection, answer.encode("latin-1"))
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_WR)


def out_of_bounds(request: web.BaseRequest) -> bool:
    """Whether a request has more header than PVE reads."""
    headers = request.raw_headers
    if len(headers) > HEADER_LINES:
        return True
    # Each line has a colon, a space and its end besides.
    return sum(map(len, chain.from_iterable(headers))) + 4 * len(headers) > HEADER_BYTES


def _once(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
