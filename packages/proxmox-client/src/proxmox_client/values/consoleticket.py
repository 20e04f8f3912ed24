"""The right to look at a console once, soon."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import attrs

from proxmox_client.values.upid import Upid

ConsoleKind = Literal["vnc", "terminal"]


@attrs.frozen
class ConsoleTicket:
    """A console that waits for its viewer: ten seconds, on the server that was asked.

    Attributes:
        kind: What it speaks: VNC (RFB), or the framing of PVE's `termproxy`.
        path: What it shows: `/nodes/pve1`, `/nodes/pve1/qemu/100`.
        user: Who may look.
        ticket: What proves it.
        port: Its port on the server asked; nobody needs it but the websocket.
        password: What the VNC protocol asks for; empty for terminals.
        upid: Its task.
        server: The server that opened it: no other one can be asked for it.
    """

    kind: ConsoleKind
    path: str
    user: str
    ticket: str = attrs.field(repr=False)
    port: int
    password: str = attrs.field(default="", repr=False)
    upid: Upid | None = None
    server: str = ""

    @property
    def websocket_path(self) -> str:
        """Path of its websocket below `/api2/json`."""
        return f"{self.path}/vncwebsocket"


@attrs.frozen
class SpiceTicket:
    """What a SPICE viewer (`remote-viewer`) needs to show a console once, soon.

    Attributes:
        path: What it shows.
        settings: The viewer's settings by their names, the password among them.
    """

    path: str
    settings: Mapping[str, str] = attrs.field(repr=False)

    def to_vv(self) -> str:
        """Return the text of a `.vv` file for `remote-viewer`. It holds the password."""
        lines = (f"{name}={value}" for name, value in sorted(self.settings.items()))
        return "\n".join(("[virt-viewer]", *lines, ""))
