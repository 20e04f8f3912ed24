"""Windows of time in which something may be done: `sun 02:00`, `mon..fri 22:00-04:00`.

Without an end a window lasts an hour, without a zone (`Europe/Berlin`) it is in UTC; one that ends
before it begins ends the next day. Its end is a time of day as its beginning is: in the night the
clocks change it is an hour shorter or longer.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import attrs

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EXPECTED: Final = "a window such as `sun 02:00` or `mon..fri 22:00-04:00 Europe/Berlin`"
_FORM: Final = re.compile(
    r"(?:(?P<days>[a-z.,]+)\s+)?(?P<start>\d{1,2}:\d{2})(?:-(?P<end>\d{1,2}:\d{2}))?"
    r"(?:\s+(?P<zone>\S+))?",
    re.IGNORECASE,
)
_HOUR: Final = timedelta(hours=1)


@attrs.frozen
class Window:
    """A window that comes back every week.

    Attributes:
        days: Days it begins on, 0 for Monday.
        start: When it begins, since midnight.
        length: How long it lasts by the clock on the wall, at most a day.
        zone: The zone its times are in.
        has_end: Whether it ends at a time of day; otherwise it lasts its length, whatever the clock
            on the wall says.
    """

    days: frozenset[int]
    start: timedelta
    length: timedelta
    zone: tzinfo = UTC
    has_end: bool = False

    @classmethod
    def parse(cls, text: str) -> Window:
        """Read a window.

        Raises:
            ValueError: It is none.
        """
        found = _FORM.fullmatch(text.strip())
        if found is None:
            raise ValueError(f"must be {EXPECTED}")
        start = _time(found["start"])
        length = _HOUR if found["end"] is None else _time(found["end"]) - start
        if length <= timedelta(0):
            length += timedelta(days=1)
        zone = _zone(found["zone"])
        return cls(_days(found["days"]), start, length, zone, has_end=found["end"] is not None)

    def closes(self, moment: float) -> float | None:
        """Return when the window that is open at a moment closes; None when none is.

        Args:
            moment: Seconds since the epoch.
        """
        for begins, ends in self._around(moment, back=1, ahead=0):
            if begins <= moment < ends:
                return ends
        return None

    def opens(self, moment: float) -> float:
        """Return when it opens the next time after a moment."""
        near = self._around(moment, back=1, ahead=8)
        return min(begins for begins, _ in near if begins > moment)

    def _around(self, moment: float, *, back: int, ahead: int) -> list[tuple[float, float]]:
        """Return when it begins and ends on the days around a moment."""
        today = datetime.fromtimestamp(moment, self.zone).replace(
            hour=0, minute=0, second=0, microsecond=0
        )
        near = (today + timedelta(days=number) for number in range(-back, ahead + 1))
        return [self._on(day) for day in near if day.weekday() in self.days]

    def _on(self, day: datetime) -> tuple[float, float]:
        # Wall-clock arithmetic: 02:00 stays 02:00 when the clocks change.
        begins = (day + self.start).timestamp()
        lasting = begins + self.length.total_seconds()
        if not self.has_end:
            return begins, lasting
        ends = (day + self.start + self.length).timestamp()
        # Its end may lie before the beginning in the night in which an hour is left out.
        return begins, ends if ends > begins else lasting


def _time(text: str) -> timedelta:
    hours, minutes = (int(part) for part in text.split(":"))
    if hours > 23 or minutes > 59:
        raise ValueError(f"{text} is no time of day")
    return timedelta(hours=hours, minutes=minutes)


def _days(text: str | None) -> frozenset[int]:
    if text is None or text == "*":
        return frozenset(range(7))
    found: set[int] = set()
    for part in text.lower().split(","):
        first, dots, last = part.partition("..")
        begin, end = _day(first), _day(last if dots else first)
        found |= {(begin + step) % 7 for step in range((end - begin) % 7 + 1)}
    return frozenset(found)


def _day(text: str) -> int:
    try:
        return DAYS.index(text[:3]) if text else DAYS.index(text)
    except ValueError:
        raise ValueError(f"{text!r} is no day; use {', '.join(DAYS)}") from None


def _zone(text: str | None) -> tzinfo:
    if text is None:
        return UTC
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{text!r} is no time zone; write one such as Europe/Berlin") from None
