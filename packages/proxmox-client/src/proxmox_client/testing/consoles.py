"""Consoles that wait for somebody to connect: ports, tickets, and what stands behind them.

A console lives on the node whose API opened it, whatever node the guest is on: its port is one of
that host alone.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING, Literal

import attrs

from proxmox_client.testing.tasks import TaskFailed, TaskRecord

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxmox_client.testing.cluster import SimulatedCluster

PORTS = range(5900, 6000)
PATIENCE = 10.0
"""Seconds a console waits for its viewer."""
TICKET_LIFETIME = 40.0
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nc2ltdWxhdGVk\n-----END CERTIFICATE-----\n"
_STEP = 0.5
Kind = Literal["vnc", "terminal"]


@attrs.define
class Console:
    """A console somebody opened.

    Attributes:
        kind: What it speaks: VNC, or the framing of `termproxy`.
        via: Node whose API opened it.
        path: ACL path of what it shows: ``/vms/100`` or ``/nodes/pve1``.
        port: Its port on that node.
        authid: Who opened it.
        ticket: What the viewer has to show, without the password.
        password: What the VNC protocol asks for; empty for terminals.
        failure: Why what it shows ends at once; empty where it does not.
        size: Columns and rows the viewer last said.
        received: What the viewer typed.
        connected: A viewer is there.
        closed: It has ended.
    """

    kind: Kind
    via: str
    path: str
    port: int
    authid: str
    ticket: str
    password: str = ""
    failure: str = ""
    size: tuple[int, int] | None = None
    received: bytes = b""
    connected: bool = False
    closed: bool = False

    @property
    def shown_ticket(self) -> str:
        """The ticket as the API answers it: the password of VNC stands before it."""
        return f"{self.password}:{self.ticket}" if self.password else self.ticket


class Consoles:
    """All consoles of a cluster, open ones first to be found."""

    def __init__(self, cluster: SimulatedCluster) -> None:
        self._cluster = cluster
        self.opened: list[Console] = []

    def open(self, kind: Kind, via: str, path: str, authid: str, failure: str = "") -> Console:
        """Open a console on a free port."""
        now = self._cluster.clock.now()
        used = {console.port for console in self.opened if console.via == via}
        busy = {c.port for c in self.opened if c.via == via and not c.closed}
        free = [port for port in PORTS if port not in used] or [p for p in PORTS if p not in busy]
        stamp = f"PVEVNC:{int(now):08X}"
        signature = self._sign(f"{stamp}:{authid}:{path}:{free[0]}")
        password = "" if kind == "terminal" else signature[:8].replace("/", "!")
        console = Console(
            kind, via, path, free[0], authid, f"{stamp}::{signature}", password, failure
        )
        self.opened.append(console)
        return console

    def work(self, console: Console, task: TaskRecord) -> Iterator[float]:
        """Wait for the viewer, then for the end: the work of the console's task."""
        if console.failure:
            console.closed = True
            raise TaskFailed(console.failure)
        deadline = self._cluster.clock.now() + PATIENCE
        try:
            while not console.closed:
                if not console.connected and self._cluster.clock.now() >= deadline:
                    raise TaskFailed("connection timed out")
                yield _STEP
        finally:
            console.closed = True

    def find(self, via: str, port: int, path: str) -> Console | None:
        """Return the console behind a port; None where nothing listens any more."""
        for console in reversed(self.opened):
            if (console.via, console.port, console.path) == (via, port, path):
                return None if console.closed else console
        return None

    def is_good(self, shown: str, authid: str, path: str, port: int | None = None) -> bool:
        """Whether a ticket was made for this user and path, and lately; a password may precede."""
        ticket = shown[9:] if shown[8:9] == ":" and shown[9:].startswith("PVEVNC:") else shown
        now = self._cluster.clock.now()
        return any(
            hmac.compare_digest(console.ticket.encode(), ticket.encode())
            and (console.authid, console.path) == (authid, path)
            and port in (None, console.port)
            and now - int(ticket.split(":")[1], 16) <= TICKET_LIFETIME
            for console in self.opened
        )

    def _sign(self, text: str) -> str:
        key = f"console {self._cluster.name}".encode()
        return base64.b64encode(hmac.digest(key, text.encode(), hashlib.sha512)).decode()
