"""What a user holds of a console, in both colours."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from proxmox_client.console.streams import TerminalStream, VncStream
from proxmox_client.flows import consoles

if TYPE_CHECKING:
    from proxmox_client.aclient import AsyncClient
    from proxmox_client.client import Client
    from proxmox_client.flows.consoles import Shown
    from proxmox_client.values.consoleticket import ConsoleTicket, SpiceTicket


class Console:
    """The console of a guest or node, for `Client`: tickets for viewers of their own.

    Streams need asyncio: see `AsyncConsole`.
    """

    def __init__(self, client: Client, shown: Shown) -> None:
        self._client = client
        self._shown = shown

    def vnc_ticket(self) -> ConsoleTicket:
        """Open a VNC server for one viewer (POST …/vncproxy, …/vncshell).

        Privileges: VM.Console; Sys.Console for a node. Since 7.4.

        Tokens can do this. Needs VM.Console on the guest, Sys.Console on the node.

        Raises:
            PveError: As everywhere.
        """
        return self._client.run(consoles.vnc(self._client.session, self._shown))

    def terminal_ticket(
        self, *, serial: str | None = None, cmd: str | None = None
    ) -> ConsoleTicket:
        """Open a terminal for one viewer (POST …/termproxy).

        Privileges: VM.Console; Sys.Console for a node. Since 7.4.

        Needs VM.Console on the guest, Sys.Console on the node. Only root@pam's password ticket
        gets a root shell on a node; everybody else gets a login prompt.

        Args:
            serial: Which serial port of a machine: `serial0` to `serial3`.
            cmd: What to run on a node: `login`, `upgrade` or `ceph_install`.

        Raises:
            VersionUnsupported: API tokens can do this since PVE 9.1 only.
        """
        params = {"serial": serial, "cmd": cmd}
        return self._client.run(consoles.terminal(self._client.session, self._shown, params))

    def spice_ticket(self, *, proxy: str | None = None) -> SpiceTicket:
        """Open a SPICE server for one viewer (POST …/spiceproxy, …/spiceshell).

        Privileges: VM.Console; Sys.Console for a node. Since 7.4.

        Tokens can do this. A machine needs a SPICE display (`vga: qxl`).

        Args:
            proxy: Name under which the viewer reaches the node; PVE proposes one.

        Raises:
            PveError: As everywhere.
        """
        return self._client.run(consoles.spice(self._client.session, self._shown, proxy))

    def __repr__(self) -> str:
        return f"<Console of {_name(self._shown)}>"


class AsyncConsole:
    """The console of a guest or node, for `AsyncClient`: tickets and streams."""

    def __init__(self, client: AsyncClient, shown: Shown) -> None:
        self._client = client
        self._shown = shown

    async def vnc_ticket(self) -> ConsoleTicket:
        """Open a VNC server for one viewer. See `Console.vnc_ticket`.

        Calls POST …/vncproxy. Privileges: VM.Console; Sys.Console for a node. Since 7.4.

        Raises:
            PveError: As everywhere.
        """
        return await self._client.run(consoles.vnc(self._client.session, self._shown))

    async def terminal_ticket(
        self, *, serial: str | None = None, cmd: str | None = None
    ) -> ConsoleTicket:
        """Open a terminal for one viewer. See `Console.terminal_ticket`.

        Calls POST …/termproxy. Privileges: VM.Console; Sys.Console for a node. Since 7.4.

        Raises:
            PveError: As everywhere.
        """
        params = {"serial": serial, "cmd": cmd}
        return await self._client.run(consoles.terminal(self._client.session, self._shown, params))

    async def spice_ticket(self, *, proxy: str | None = None) -> SpiceTicket:
        """Open a SPICE server for one viewer. See `Console.spice_ticket`.

        Calls POST …/spiceproxy. Privileges: VM.Console; Sys.Console for a node. Since 7.4.

        Raises:
            PveError: As everywhere.
        """
        return await self._client.run(consoles.spice(self._client.session, self._shown, proxy))

    @asynccontextmanager
    async def vnc(self) -> AsyncGenerator[VncStream]:
        """Open the VNC console and connect to it: `async with console.vnc() as stream: …`.

        Calls POST …/vncproxy and GET …/vncwebsocket. Privileges: VM.Console; Sys.Console for a
        node. Since 7.4.

        Raises:
            ApiError: PVE refuses.
            ConnectError: The websocket cannot be opened.
            RequestInvalid: The client has a transport of its own, which has no websockets.
        """
        ticket = await self.vnc_ticket()
        async with VncStream(await self._client.open_websocket(ticket), ticket) as stream:
            yield stream

    @asynccontextmanager
    async def terminal(
        self, *, serial: str | None = None, cmd: str | None = None
    ) -> AsyncGenerator[TerminalStream]:
        """Open the terminal and connect to it: `async with console.terminal() as stream: …`.

        Calls POST …/termproxy and GET …/vncwebsocket. Privileges: VM.Console; Sys.Console for a
        node. Since 7.4.

        Args:
            serial: Which serial port of a machine: `serial0` to `serial3`.
            cmd: What to run on a node: `login`, `upgrade` or `ceph_install`.

        Raises:
            VersionUnsupported: API tokens can do this since PVE 9.1 only.
            ApiError: PVE refuses.
            ConnectError: The websocket cannot be opened, or the terminal hangs up.
            RequestInvalid: The client has a transport of its own, which has no websockets.
        """
        ticket = await self.terminal_ticket(serial=serial, cmd=cmd)
        stream = TerminalStream(await self._client.open_websocket(ticket), ticket)
        async with stream:
            await stream.enter()
            yield stream

    def __repr__(self) -> str:
        return f"<AsyncConsole of {_name(self._shown)}>"


def _name(shown: Shown) -> str:
    return f"node {shown.node}" if shown.guest is None else f"guest {shown.guest}"
