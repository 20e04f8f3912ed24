"""What a flow can ask its driver to do."""

from __future__ import annotations

import enum
from collections.abc import Callable, Generator
from typing import Any, TypeAlias, TypeVar, cast

import attrs

from proxmox_client.errors import PveError
from proxmox_client.wire.request import Request, Response

T = TypeVar("T")


@attrs.frozen
class Send:
    """Send a request; the answer is a `Response` or a `Lost`."""

    request: Request


@attrs.frozen
class Sleep:
    """Wait; there is no answer."""

    seconds: float


@attrs.frozen
class Now:
    """Read the clock; the answer is seconds as a float."""


@attrs.frozen
class Roll:
    """Roll the dice; the answer is a float in [0, 1)."""


@attrs.frozen
class Emit:
    """Hand a line of a log to the caller; there is no answer."""

    to: Callable[[str], object]
    line: str


@attrs.frozen
class Hold:
    """Take or give back the client's one right to log in; there is no answer.

    A flow that ends while it holds it gives it back.
    """

    taken: bool


Effect: TypeAlias = Send | Sleep | Now | Roll | Emit | Hold
Flow: TypeAlias = Generator[Effect, Any, T]


class Stage(enum.Enum):
    """How far a request came before its connection was lost."""

    NOT_SENT = "not sent"
    """No byte of it left this machine."""
    MAYBE_SENT = "maybe sent"
    """Some of it may have left; the server may have acted on it."""


@attrs.frozen
class Lost:
    """No answer came.

    Attributes:
        stage: How far the request came.
        error: What to raise if nothing better is known.
        lasting: True where trying again cannot help (a name that does not resolve).
    """

    stage: Stage
    error: PveError
    lasting: bool = False


def send(request: Request) -> Flow[Response | Lost]:
    """Send a request."""
    return cast("Response | Lost", (yield Send(request)))


def sleep(seconds: float) -> Flow[None]:
    """Wait."""
    yield Sleep(seconds)


def now() -> Flow[float]:
    """Read the clock."""
    return cast("float", (yield Now()))


def roll() -> Flow[float]:
    """Roll the dice."""
    return cast("float", (yield Roll()))


def hold(taken: bool) -> Flow[None]:
    """Take or give back the right to log in."""
    yield Hold(taken)
