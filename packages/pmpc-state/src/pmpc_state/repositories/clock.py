"""The clock the repositories stamp rows with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_clock(now: Callable[[], float]) -> Clock:
    """Make a clock of aware UTC moments from a function that gives seconds since 1970."""

    def read() -> datetime:
        return datetime.fromtimestamp(now(), UTC)

    return read
