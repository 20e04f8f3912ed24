"""Requests and responses as values, free of any HTTP library."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from proxmox_client.wire.upload import FileBody

Pairs = tuple[tuple[str, str], ...]


@attrs.frozen
class Request:
    """One HTTP request below `/api2/json`, ready to be sent.

    Attributes:
        operation: The operation's id, or method and path: for messages only.
        method: HTTP method.
        address: Path with placeholders filled, for people.
        target: Path and query as they go over the wire, percent-encoded.
        body: Form body; None where there is none.
        headers: Headers; they may hold a secret and never show.
        replayable: True where a second sending does no harm.
        server: Address of the server asked; empty is the first.
        timeout: Seconds without a byte of an answer; None is the client's own.
        file: A file sent as the body; None for all requests but uploads.
        template: Path with its placeholders unfilled; empty where the path was given as text.
    """

    operation: str
    method: str
    address: str
    target: str = attrs.field(repr=False)  # a query may hold a secret
    body: bytes | None = attrs.field(default=None, repr=False)
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    replayable: bool = False
    server: str = ""
    timeout: float | None = None
    file: FileBody | None = None
    template: str = ""

    def with_headers(self, headers: Mapping[str, str]) -> Request:
        """Return a copy with headers added."""
        return attrs.evolve(self, headers={**self.headers, **headers})

    def to_server(self, server: str) -> Request:
        """Return the request for a server."""
        return self if server == self.server else attrs.evolve(self, server=server)


@attrs.frozen
class Response:
    """What came back.

    Attributes:
        status: HTTP status code.
        reason: Reason phrase, where PVE puts the first line of its message.
        body: Raw body, decompressed.
        headers: Asked for in lower case.
    """

    status: int
    reason: str
    body: bytes = attrs.field(default=b"", repr=False)  # a login's holds a ticket
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
