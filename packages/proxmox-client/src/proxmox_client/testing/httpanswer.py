"""An answer as it goes through the socket: PVE's header lines, nothing of the HTTP library's."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import web

from proxmox_client.testing.httpdate import http_date

if TYPE_CHECKING:
    from aiohttp.abc import AbstractStreamWriter

    from proxmox_client.testing.request import SimResponse

_FIXED = b"Cache-Control: max-age=0\r\nPragma: no-cache\r\nServer: pve-api-daemon/3.0\r\n"


class WrittenAnswer(web.StreamResponse):
    """An answer that is written in one piece.

    Args:
        response: What the cluster says.
        last: Whether the connection ends with it, whatever it says.
        now: What the cluster's clock says.
    """

    def __init__(self, response: SimResponse, *, last: bool, now: float) -> None:
        super().__init__(status=response.status, reason=response.reason)
        self._last = last or response.status >= 400
        self._text = _text(response, last=last, now=now)
        self._goes_to: asyncio.Transport | None = None

    @property
    def keep_alive(self) -> bool | None:
        """Whether another request may follow."""
        return not self._last

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Note where it goes to."""
        self._goes_to = request.transport
        self._last = self._last or not request.keep_alive
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Write it."""
        if self._goes_to is not None and not self._goes_to.is_closing():
            self._goes_to.write(self._text)


def _text(response: SimResponse, *, last: bool, now: float) -> bytes:
    lines = [f"HTTP/1.1 {response.status} {response.reason}", f"Date: {http_date(int(now))}"]
    for name, value in response.headers:
        if not last or name != "Connection":
            lines.append(f"{name}: {value}")
    if last:
        lines.append("Connection: close")
    # PVE says nothing about the length of what it refuses for want of credentials.
    if response.status != 401 or response.body:
        lines.append(f"Content-Length: {len(response.body)}")
    head = "\r\n".join(lines).encode("utf-8", "replace")
    return b"".join((head, b"\r\n", _FIXED, b"\r\n", response.body))
