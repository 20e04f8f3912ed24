"""What a watcher is told: one request on its way, how it ended, that it will be repeated."""

from __future__ import annotations

from typing import Protocol

import attrs


@attrs.frozen(eq=False)
class Sending:
    """A request about to be sent; each repetition is one of its own.

    Two are the same only if they are the very same object, so it can be a key for what a watcher
    keeps until its end.

    Attributes:
        operation: The operation's id; for paths called as text, method and template.
        method: HTTP method.
        template: Path below `/api2/json` with its placeholders unfilled.
        node: Node named by the path, None where the path names none.
        server: Address asked, without credentials.
        attempt: 1 for the first sending.
        size: Bytes of the body.
    """

    operation: str
    method: str
    template: str
    node: str | None
    server: str
    attempt: int
    size: int


@attrs.frozen(eq=False)
class Finished:
    """How a sending ended.

    Attributes:
        sending: What was sent.
        status: HTTP status; None where no answer came.
        seconds: From the sending to its end, by the client's clock.
        size: Bytes of the answer's body, decompressed.
        error: Name of the error's class; `cancelled` where the caller gave up; empty on success.
        date: What the server's clock said, as it came (RFC 9110); empty where no answer told.
    """

    sending: Sending
    status: int | None
    seconds: float
    size: int
    error: str = ""
    date: str = ""


@attrs.frozen(eq=False)
class RetryPlanned:
    """A request will be sent again.

    Attributes:
        sending: The one that failed.
        pause: Seconds until the next; 0.0 where another server is asked at once.
        error: Name of the class of what went wrong.
    """

    sending: Sending
    pause: float
    error: str


class Observer(Protocol):
    """Somebody who watches a client. Called in the thread or task of the call; should be quick.

    `after` is called once for each `before`, also when the caller is cancelled. Whatever a method
    raises is reported in the log and changes nothing for the call.
    """

    def before(self, event: Sending) -> object:
        """Hear that a request is about to be sent."""
        ...

    def after(self, event: Finished) -> object:
        """Hear how it ended."""
        ...

    def retry(self, event: RetryPlanned) -> object:
        """Hear that it will be sent again."""
        ...
