"""Sending one request once, blocking, through httpcore's connection pool."""

from __future__ import annotations

import contextlib
import threading
import zlib
from collections.abc import Mapping
from typing import Any, Final, cast
from urllib.parse import unquote, urlsplit

import httpcore

from proxmox_client.errors import CertificateNotTrusted, ConnectError
from proxmox_client.flows.effects import Lost
from proxmox_client.transport.blocking_streams import KeptBackend, NothingLeft
from proxmox_client.transport.endpoint import Endpoint
from proxmox_client.transport.exchange import IDLE_SECONDS, Limits, headers_of, timeouts
from proxmox_client.transport.failures import (
    add_fingerprint,
    explain,
    refusal,
    stage_of,
    usable_context,
)
from proxmox_client.transport.knownhosts import settle
from proxmox_client.transport.tls import Trust
from proxmox_client.wire.request import Request, Response

_FORGOTTEN: Final = 3 * IDLE_SECONDS
"""Seconds after which the pool may close a connection: none that old is used any more."""
_GZIP: Final = 16 + zlib.MAX_WBITS
_ERRORS: Final = (
    httpcore.NetworkError,
    httpcore.TimeoutException,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.UnsupportedProtocol,
)


class BlockingSender:
    """Sends requests to one endpoint; safe to use from several threads.

    Args:
        endpoint: Where to.
        trust: Whom to trust.
        limits: Time-outs and connections.
    """

    def __init__(self, endpoint: Endpoint, trust: Trust, limits: Limits) -> None:
        self._endpoint = endpoint
        self._trust = trust
        self._limits = limits
        self._pool: httpcore.ConnectionPool | None = None
        self._building = threading.Lock()

    def send(self, request: Request) -> Response | Lost:
        """Send a request once."""
        try:
            pool = self._pool or self._build()
        except ConnectError as error:
            return refusal(error)
        try:
            response = self._handle(pool, request)
            try:
                body = _read(response)
            finally:
                response.close()
        except _ERRORS as error:
            return self._with_fingerprint(explain(error, self._endpoint, stage_of(error)))
        return _to_response(response, body)

    def _handle(self, pool: httpcore.ConnectionPool, request: Request) -> httpcore.Response:
        """Pass connections over that turn out dead before a byte of the request has left."""
        while True:
            with contextlib.suppress(NothingLeft):  # the pool drops it: each comes up only once
                return pool.handle_request(self._prepare(request))

    def close(self) -> None:
        """Close all connections."""
        if self._pool is not None:
            self._pool.close()

    def _prepare(self, request: Request) -> httpcore.Request:
        headers = {"Host": self._endpoint.authority, **headers_of(request)}
        if request.body is not None:
            headers["Content-Length"] = str(len(request.body))
        return httpcore.Request(
            request.method,
            self._endpoint.url(request.target),
            headers=list(headers.items()),
            content=request.body if request.file is None else request.file.pieces(),
            extensions={"timeout": timeouts(self._limits, request.timeout)},
        )

    def _build(self) -> httpcore.ConnectionPool:
        with self._building:
            if self._pool is None:
                limits = self._limits
                trust = settle(self._trust, self._endpoint, limits.connect_timeout)
                self._pool = httpcore.ConnectionPool(
                    ssl_context=usable_context(self._endpoint, trust),
                    proxy=None if limits.proxy is None else _proxy(limits.proxy),
                    max_connections=limits.connections,
                    max_keepalive_connections=limits.connections,
                    keepalive_expiry=_FORGOTTEN,
                    network_backend=KeptBackend(),
                )
            return self._pool

    def _with_fingerprint(self, lost: Lost) -> Lost:
        if isinstance(lost.error, CertificateNotTrusted) and self._limits.proxy is None:
            return add_fingerprint(lost, self._endpoint, self._limits)
        return lost


def _proxy(url: str) -> httpcore.Proxy:
    parts = urlsplit(url)
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    if parts.username is None:
        return httpcore.Proxy(bare)
    return httpcore.Proxy(bare, auth=(unquote(parts.username), unquote(parts.password or "")))


def _read(response: httpcore.Response) -> bytes:
    """Return the body. An error's status says enough if PVE closes before its body."""
    try:
        return response.read()
    except _ERRORS:
        if response.status < 400:
            raise
        return b""


def _to_response(response: httpcore.Response, body: bytes) -> Response:
    headers = {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers
    }
    if headers.get("content-encoding") == "gzip" and body:
        body = _unpack(body)
    # httpcore leaves the type of the keys open
    extensions = cast("Mapping[str, Any]", response.extensions)  # pyright: ignore[reportUnknownMemberType]
    reason: bytes = extensions.get("reason_phrase", b"")
    return Response(response.status, reason.decode(errors="replace"), body, headers)


def _unpack(body: bytes) -> bytes:
    """Return the body decompressed, or as it came where it is not what it says."""
    try:
        return zlib.decompress(body, _GZIP)
    except zlib.error:
        return body
