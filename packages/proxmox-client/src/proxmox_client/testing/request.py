"""What goes into the simulated cluster and what comes out of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import attrs
import orjson

if TYPE_CHECKING:
    from proxmox_client.testing.auth import Identity
    from proxmox_client.testing.routing import Route

JSON_TYPE = "application/json;charset=UTF-8"
UPLOAD_SOURCE = "/var/tmp/pveupload-0"  # noqa: S108 - a name PVE shows, not a file of ours


@attrs.frozen
class Upload:
    """A file that came with a multipart request."""

    filename: str
    data: bytes = attrs.field(repr=False)


@attrs.frozen
class SimRequest:
    """One request as the API server sees it.

    Attributes:
        method: HTTP method in capitals.
        path: Path below ``/api2/json``; may carry a query string.
        params: Query and body parameters as sent (text, or JSON values of a JSON body).
        headers: Request headers, names in lower case.
        via: Node whose API is asked; empty means the first node.
        upload: A file sent along.
    """

    method: str
    path: str
    params: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])
    via: str = ""
    upload: Upload | None = None


@attrs.frozen
class SimResponse:
    """One answer as it goes over the wire.

    Attributes:
        status: HTTP status code.
        reason: Reason phrase; PVE puts the first line of its message here.
        headers: Header pairs in order; ``Connection`` may occur twice.
        body: Body bytes, JSON unless ``headers`` say otherwise.
    """

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def json(self) -> Any:
        """Return the parsed body."""
        return orjson.loads(self.body)

    @property
    def data(self) -> Any:
        """Return the value under ``data``."""
        return self.json()["data"]


@attrs.frozen
class Reply:
    """A handler's answer that carries more than ``data``.

    Attributes:
        data: Value under ``data``.
        beside: Keys that stand beside ``data`` (``total``, ``changes``).
        text: Plain text body instead of JSON (``download=1``).
    """

    data: Any = None
    beside: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    text: str | None = None


class PveFault(Exception):
    """An error answer of the simulated server.

    Args:
        status: HTTP status.
        message: PVE's sentence without the line feed at its end.
        errors: Texts per parameter.
        newline: Whether the body's message ends in a line feed, as almost all do.
        bare: The answer has no body at all.
        delay: Seconds until it comes.
    """

    def __init__(
        self,
        status: int,
        message: str,
        errors: Mapping[str, str] | None = None,
        *,
        newline: bool = True,
        bare: bool = False,
        delay: float = 0.0,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = dict(errors) if errors else None
        self.newline = newline
        self.bare = bare
        self.delay = delay

    @classmethod
    def parameters(cls, errors: Mapping[str, str]) -> PveFault:
        """Return the fault PVE answers for bad parameters (400, a text for each)."""
        return cls(400, "Parameter verification failed.", errors)


class HostUnreachable(Exception):
    """The node that is asked does not answer at all; the message is the system's word for it."""


class ConnectionLost(Exception):
    """The connection ended without an answer."""


@attrs.define
class Call:
    """A validated request on its way to a handler.

    Attributes:
        route: The operation.
        params: Parameters by name, coerced: integers are ``int``, numbers ``int`` or ``float``,
            booleans ``1`` or ``0``, arrays lists, everything else text. Path parameters included.
        sent: The same parameters as the text that was sent (what PVE writes to its files).
        identity: Who calls.
        via: Node whose API was asked.
        node: Node that executes the call.
    """

    route: Route
    params: dict[str, Any]
    sent: dict[str, str]
    identity: Identity
    via: str
    node: str
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])
    upload: Upload | None = None

    def __getitem__(self, name: str) -> Any:
        return self.params[name]

    def __contains__(self, name: str) -> bool:
        return name in self.params

    def get(self, name: str, default: Any = None) -> Any:
        """Return a parameter or the default."""
        return self.params.get(name, default)


Waits = Iterator[float]
"""A conversation: yields seconds to wait on the cluster's clock."""
