"""Consoles of machines, containers and nodes: tickets in both colours, streams on asyncio.

`pve.console(guest=100)` or `pve.console(node="pve1")` gives the handle. Here are the handles, the
framing of terminals and the streams; the conversations that open a console are in `flows`, the
websocket itself is the transport's.
"""

from __future__ import annotations

from proxmox_client.console.handles import AsyncConsole, Console
from proxmox_client.console.streams import TerminalStream, VncStream

__all__ = ["AsyncConsole", "Console", "TerminalStream", "VncStream"]
