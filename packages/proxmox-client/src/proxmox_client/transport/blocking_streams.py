"""Blocking connections that stay open as long as PVE keeps them; see `keepalive`.

httpcore asks its network backend for streams; these stand between it and the socket and correct
the head of each answer, so that httpcore's own pool decides rightly.

Whether an idle connection still lives is found out here too, by the thread that is about to use it.
httpcore's pool lets any thread find out and close; between its look and its closing another thread
may have sent a request there, whose answer is then lost.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable
from typing import Any, Final

import httpcore

from proxmox_client.transport.exchange import IDLE_SECONDS
from proxmox_client.transport.keepalive import correct_head

_END_OF_HEAD: Final = b"\r\n\r\n"
_HEAD_LIMIT: Final = 64 * 1024


class NothingLeft(httpcore.ConnectError):
    """A kept connection turned out dead, or too old, before a byte of the request left."""


class KeptStream(httpcore.NetworkStream):
    """A stream that corrects what answers say about the connection.

    Args:
        stream: The real one.
    """

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream
        self._served = 0
        self._head_due = False
        self._last_used = 0.0

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read; the head of an answer comes whole and corrected."""
        data = self._stream.read(max_bytes, timeout)
        self._last_used = time.monotonic()
        if not self._head_due or not data:
            return data
        while _END_OF_HEAD not in data and len(data) < _HEAD_LIMIT:
            more = self._stream.read(max_bytes, timeout)
            if not more:
                return data
            data += more
        self._head_due = False
        self._served += 1
        head, separator, rest = data.partition(_END_OF_HEAD)
        return correct_head(head + separator, self._served) + rest if separator else data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write a part of a request.

        Raises:
            NothingLeft: The connection was kept, and is dead before the request's first part.
        """
        first, self._head_due = not self._head_due, True
        if first and self._served and self._is_spent():
            raise NothingLeft("the server has ended the connection")
        try:
            self._stream.write(buffer, timeout)
        except httpcore.WriteError as error:
            # headers fit into one TLS record: it went out whole or not at all
            if first and self._served:
                raise NothingLeft(str(error)) from error
            raise

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        """Shake hands and return the encrypted stream."""
        return KeptStream(self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        """Answer httpcore's questions, except whether the connection is dead: see above."""
        return False if info == "is_readable" else self._stream.get_extra_info(info)

    def _is_spent(self) -> bool:
        """Say whether an idle connection has ended or is about to; a readable one has."""
        idle = time.monotonic() - self._last_used
        return idle > IDLE_SECONDS or bool(self._stream.get_extra_info("is_readable"))


class KeptBackend(httpcore.NetworkBackend):
    """Opens streams that stay open as long as PVE keeps them."""

    def __init__(self) -> None:
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect."""
        stream = self._backend.connect_tcp(host, port, timeout, local_address, socket_options)
        return KeptStream(stream)
