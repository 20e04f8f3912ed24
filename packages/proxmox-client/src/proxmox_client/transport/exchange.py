"""What all ways of sending share: headers, time-outs, limits."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Final

import attrs

from proxmox_client.wire.request import Request
from proxmox_client.wire.upload import FileBody

USER_AGENT: Final = "pmpc-proxmox-client"
IDLE_SECONDS: Final = 4.0
"""PVE closes idle connections after five seconds: let go before."""
CONNECT_SECONDS: Final = 10.0

HEADERS: Final = {
    "Accept": "application/json, text/plain",
    "Accept-Encoding": "gzip",
    "User-Agent": USER_AGENT,
}
FORM_HEADERS: Final = {"Content-Type": "application/x-www-form-urlencoded"}


@attrs.frozen
class Limits:
    """How a client uses the network.

    Attributes:
        timeout: Seconds without a byte of an answer.
        connections: Connections open at once; further requests wait their turn.
        proxy: URL of a proxy; None goes straight.
    """

    timeout: float = 30.0
    connections: int = 64
    proxy: str | None = attrs.field(default=None, repr=False)

    @property
    def connect_timeout(self) -> float:
        """Seconds for the connection and its handshake."""
        return min(self.timeout, CONNECT_SECONDS)


def timeouts(limits: Limits, own: float | None) -> dict[str, float | None]:
    """Return the time-outs as httpcore and httpx want them.

    Args:
        limits: The client's.
        own: The request's own time-out.
    """
    silence = limits.timeout if own is None else own
    return {
        "connect": limits.connect_timeout,
        "read": silence,
        "write": silence,
        "pool": None,
    }


def content_headers(request: Request) -> Mapping[str, str]:
    """Return the headers a request's body needs."""
    if request.file is not None:
        return request.file.headers
    return {} if request.body is None else FORM_HEADERS


def headers_of(request: Request) -> dict[str, str]:
    """Return all headers of a request."""
    return {**HEADERS, **content_headers(request), **request.headers}


async def pieces_of(file: FileBody) -> AsyncIterator[bytes]:
    """Yield the pieces of a file without holding up the loop while they are read."""
    import asyncio  # the blocking client has no use for it

    pieces = file.pieces()
    while piece := await asyncio.to_thread(next, pieces, b""):
        yield piece
