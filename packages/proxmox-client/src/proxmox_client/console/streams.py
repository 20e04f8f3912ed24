"""Consoles as streams of bytes, on asyncio."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from types import TracebackType
from typing import TYPE_CHECKING, Self

from proxmox_client.console import framing
from proxmox_client.errors import ConnectError

if TYPE_CHECKING:
    from proxmox_client.transport.websocket import WebSocket
    from proxmox_client.values.consoleticket import ConsoleTicket


class _Stream:
    """What both kinds of streams share: reading, closing, iterating."""

    def __init__(self, socket: WebSocket, ticket: ConsoleTicket) -> None:
        self._socket = socket
        self._ticket = ticket

    @property
    def ticket(self) -> ConsoleTicket:
        """What opened it."""
        return self._ticket

    async def read(self) -> bytes:
        """Return the next bytes as they come; empty where the console has ended."""
        return await self._socket.receive() or b""

    async def aclose(self) -> None:
        """End the connection; the server ends the console then."""
        await self._socket.aclose()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while data := await self.read():
            yield data

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._ticket.path}>"


class VncStream(_Stream):
    """A VNC connection: RFB as the server speaks it, for a VNC library to understand.

    The first bytes are `RFB 003.008` and a line feed; the password that RFB asks for is
    `ticket.password`.
    """

    async def write(self, data: bytes) -> None:
        """Send bytes of RFB.

        Raises:
            ConnectError: The console has ended.
        """
        await self._socket.send(data)


class TerminalStream(_Stream):
    """A terminal: what is written is typed, what is read is shown.

    While it is open a ping goes out every half minute, as PVE's own viewer does.
    """

    def __init__(self, socket: WebSocket, ticket: ConsoleTicket) -> None:
        super().__init__(socket, ticket)
        self._early = b""
        self._pings: asyncio.Task[None] | None = None

    async def enter(self) -> None:
        """Say who looks, and wait to be let in.

        Raises:
            ConnectError: The terminal hangs up: it does not accept the ticket.
        """
        ticket = self._ticket
        await self._send(framing.login(ticket.user, ticket.ticket))
        said = b""
        while len(said) < len(framing.WELCOME):
            data = await self._socket.receive()
            if data is None:
                break
            said += data
        if not said.startswith(framing.WELCOME):
            await self._socket.aclose()
            raise ConnectError(
                ticket.server or ticket.path,
                ticket.port,
                "the terminal hung up: it does not accept the ticket",
                "A ticket is good for one viewer within ten seconds. API tokens need PVE 9.1.",
            )
        self._early = said[len(framing.WELCOME) :]
        self._pings = asyncio.create_task(self._keep_open())

    async def read(self) -> bytes:
        """Return the next output as it comes; empty where the terminal has ended."""
        early, self._early = self._early, b""
        return early or await super().read()

    async def write(self, data: bytes | str) -> None:
        """Type something; a line ends with a carriage return.

        Raises:
            ConnectError: The terminal has ended.
        """
        text = data.encode() if isinstance(data, str) else data
        for start in range(0, len(text), _TYPED):
            await self._send(framing.typed(text[start : start + _TYPED]))

    async def resize(self, columns: int, rows: int) -> None:
        """Say how large the window is.

        Raises:
            ValueError: A window without columns or rows.
            ConnectError: The terminal has ended.
        """
        await self._send(framing.resized(columns, rows))

    async def aclose(self) -> None:
        """End the connection; the server ends the terminal then."""
        if self._pings is not None:
            self._pings.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._pings
            self._pings = None
        await super().aclose()

    async def _send(self, frame: bytes) -> None:
        """Send a frame as text, as PVE's own viewer does; as bytes where it is no text."""
        try:
            await self._socket.send(frame.decode())
        except UnicodeDecodeError:
            await self._socket.send(frame)

    async def _keep_open(self) -> None:
        with contextlib.suppress(ConnectError):
            while True:
                await asyncio.sleep(framing.PING_SECONDS)
                await self._send(framing.PING)


_TYPED = 32 * 1024
