"""Moments as a filter writes them: ISO 8601, or a distance back from now such as `-2h`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_BACK: Final = re.compile(r"-(\d{1,6})(s|m|h|d|w)")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def moment_of(text: str, now: datetime | None) -> float | None:
    """Return a moment as microseconds since 1970; None if the text names none.

    A moment without a zone is UTC. Without a present there are no distances from it.
    """
    back = _BACK.fullmatch(text)
    if now is not None and (back is not None or text == "now"):
        distance = timedelta(0) if back is None else timedelta(**{_UNITS[back[2]]: int(back[1])})
        return _micros(now - distance)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return _micros(found if found.tzinfo is not None else found.replace(tzinfo=UTC))


def _micros(moment: datetime) -> float:
    return float((moment - _EPOCH) // timedelta(microseconds=1))
