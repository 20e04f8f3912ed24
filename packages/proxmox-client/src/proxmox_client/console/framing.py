"""How PVE's `termproxy` wants to be spoken to. Pure.

The viewer says who it is in one line, waits for `OK`, and from then on sends frames; what comes
back is the terminal's output as it is, without frames.
"""

from __future__ import annotations

from typing import Final

WELCOME: Final = b"OK"
"""What the terminal answers a viewer it believes; the output may follow in the same piece."""
PING: Final = b"2"
"""Keeps the connection open; nothing answers it."""
PING_SECONDS: Final = 30.0
"""PVE's own viewer sends one as often; the terminal gives up a silent viewer later than that."""


def login(user: str, ticket: str) -> bytes:
    """Return the line that says who looks."""
    return f"{user}:{ticket}\n".encode()


def typed(data: bytes) -> bytes:
    """Return the frame for what somebody types."""
    return b"0:%d:%s" % (len(data), data)


def resized(columns: int, rows: int) -> bytes:
    """Return the frame that says how large the window is.

    Raises:
        ValueError: A window without columns or rows.
    """
    if columns < 1 or rows < 1:
        raise ValueError(f"a terminal of {columns} columns and {rows} rows shows nothing")
    return b"1:%d:%d:" % (columns, rows)
