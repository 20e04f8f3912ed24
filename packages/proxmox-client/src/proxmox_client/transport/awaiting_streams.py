"""aiohttp connections that stay open as long as PVE keeps them; see `keepalive`.

aiohttp has no public place for this; what is private here is marked, and tests count handshakes.
"""

from __future__ import annotations

import asyncio
import functools
import select
from typing import Any, cast

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_parser import RawResponseMessage
from aiohttp.streams import StreamReader

from proxmox_client.transport.keepalive import AnswerHead


class KeptProtocol(ResponseHandler):
    """A connection that reads what answers say about it as PVE means it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop=loop)
        self._served = 0
        self._answer_due = False
        self._given_up = False

    def set_response_params(self, **params: Any) -> None:
        """Expect an answer: aiohttp says so before each request."""
        self._answer_due = True
        super().set_response_params(**params)

    def force_close(self) -> None:
        """Give the connection up whatever the answer says."""
        self._given_up = True
        super().force_close()

    def feed_data(self, data: tuple[RawResponseMessage, StreamReader], size: int = 0) -> None:
        """Take the head of an answer from the parser."""
        message = data[0]
        if message.code >= 200:
            self._answer_due = False
            self._served += 1
            headers = message.headers
            said = tuple(headers.getall("Connection", ()))
            bounded = message.chunked or "Content-Length" in headers
            if not AnswerHead(message.code, said, bounded).stays_open(self._served):
                self._should_close = True
            elif message.should_close and not self._given_up:
                self._should_close = False  # set a moment ago because of the first word
        super().feed_data(data, size)

    def is_connected(self) -> bool:
        """Say whether the connection lives; an idle one that has something to read is dead."""
        transport = self.transport
        if transport is None or transport.is_closing():
            return False
        payload = self._payload
        if self._answer_due or (payload is not None and not payload.is_eof()):
            return True
        return not _is_readable(transport.get_extra_info("socket"))


class KeptConnector(aiohttp.TCPConnector):
    """Opens connections that stay open as long as PVE keeps them."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)  # pyright: ignore[reportUnknownMemberType]  # aiohttp's own
        made = functools.partial(KeptProtocol, loop=self._loop)
        self._factory = cast("functools.partial[ResponseHandler]", made)


def _is_readable(sock: Any) -> bool:
    descriptor = -1 if sock is None else sock.fileno()
    if descriptor < 0:
        return True
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(0))
    return bool(select.select([descriptor], [], [], 0)[0])
