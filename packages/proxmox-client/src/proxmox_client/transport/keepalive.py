"""When a connection stays open although its answer says `close`.

PVE's front server forwards most writes, task polls and guest states to a privileged daemon that
closes its own connection after each answer. The front server passes that daemon's `Connection:
close` on and adds its own word behind it. The last word is the front server's: `Keep-Alive` means
that the next request is welcome. Libraries that stop at the first word pay a TCP and a TLS
handshake for every such call.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import attrs

REQUESTS_PER_CONNECTION: Final = 99
"""PVE closes after the hundredth answer: let go before, so that no request meets the closing."""
_ERRORS_FROM: Final = 400
_VERSION_LINE: Final = b"HTTP/1.1 "


@attrs.frozen
class AnswerHead:
    """What an answer says about its connection.

    Attributes:
        status: HTTP status.
        connection: Values of its `Connection` headers in their order.
        bounded: The answer says where it ends; otherwise its end is the connection's.
    """

    status: int
    connection: tuple[str, ...]
    bounded: bool

    def stays_open(self, served: int) -> bool:
        """Say whether the server takes another request on this connection.

        Args:
            served: Answers on this connection, this one included.
        """
        if self.status >= _ERRORS_FROM or not self.bounded or served >= REQUESTS_PER_CONNECTION:
            return False
        words = tuple(_words(self.connection))
        return "close" not in words or words[-1] == "keep-alive"


def correct_head(head: bytes, served: int) -> bytes:
    """Return the head of an answer with `Connection` headers that say what is true.

    Args:
        head: Status line and headers up to and with the empty line.
        served: Answers on this connection, this one included.
    """
    lines = head[: head.index(b"\r\n\r\n")].split(b"\r\n")
    version, status = lines[0][: len(_VERSION_LINE)], lines[0][len(_VERSION_LINE) :][:3]
    if version != _VERSION_LINE or not status.isdigit() or int(status) < 200:
        return head
    said: list[str] = []
    kept = [lines[0]]
    bounded = False
    for line in lines[1:]:
        name, _, value = line.partition(b":")
        lowered = name.lower()
        if lowered == b"connection":
            said.append(value.decode("latin-1"))
            continue
        bounded = bounded or lowered in (b"content-length", b"transfer-encoding")
        kept.append(line)
    if not bounded:  # it ends with its connection, or is a proxy's; libraries know that
        return head
    if not AnswerHead(int(status), tuple(said), bounded).stays_open(served):
        kept.append(b"Connection: close")
    return b"\r\n".join((*kept, b"", b""))


def _words(values: Iterable[str]) -> Iterable[str]:
    for value in values:
        for word in value.split(","):
            yield word.strip().lower()
