"""Calendar events as PVE writes them: ``mon..fri 02:30``, ``*/15``, ``monthly``; when is the next.

Times are UTC, as on the simulated nodes.
"""

from __future__ import annotations

import bisect
import datetime
import re
from functools import lru_cache

import attrs

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NAMED = {
    "minutely": "*:*",
    "hourly": "*:00",
    "daily": "00:00",
    "weekly": "mon 00:00",
    "monthly": "*-*-1 00:00",
    "quarterly": "*-1,4,7,10-1 00:00",
    "semiannually": "*-1,7-1 00:00",
    "semi-annually": "*-1,7-1 00:00",
    "yearly": "*-1-1 00:00",
    "annually": "*-1-1 00:00",
}
_HORIZON = 366 * 4 + 1
_RANGE = re.compile(r"(\d+)(?:\.\.(\d+))?(?:/(\d+))?")


@attrs.frozen
class Schedule:
    """A parsed calendar event.

    Attributes:
        weekdays: Days of the week, Monday is 0.
        dates: Years (empty for all), months and days of the month.
        seconds: Seconds of the day at which it is due, ascending.
    """

    weekdays: frozenset[int]
    dates: tuple[frozenset[int], frozenset[int], frozenset[int]]
    seconds: tuple[int, ...]

    def after(self, moment: float) -> int | None:
        """Return the first time after a moment; None if there is none in the next years."""
        whole = int(moment)
        day = datetime.datetime.fromtimestamp(whole, datetime.UTC).date()
        start = whole // 86400 * 86400
        for offset in range(_HORIZON):
            if self._on(day + datetime.timedelta(days=offset)):
                base = start + offset * 86400
                index = bisect.bisect_right(self.seconds, whole - base)
                if index < len(self.seconds):
                    return base + self.seconds[index]
        return None

    def _on(self, day: datetime.date) -> bool:
        years, months, days = self.dates
        return (
            day.weekday() in self.weekdays
            and (not years or day.year in years)
            and day.month in months
            and day.day in days
        )


@lru_cache(maxsize=256)
def parse(text: str) -> Schedule:
    """Read a calendar event.

    Raises:
        ValueError: It is none.
    """
    words = _NAMED.get(text.strip(), text.strip()).lower().split()
    weekdays = frozenset(range(7))
    years, months, days = frozenset[int](), frozenset(range(1, 13)), frozenset(range(1, 32))
    seconds: tuple[int, ...] = (0,)
    if words and words[0][:3] in _DAYS:
        weekdays = _weekdays(words.pop(0))
    if words and "-" in words[0]:
        parts = words.pop(0).split("-")
        if len(parts) == 3:
            year = parts.pop(0)
            years = frozenset[int]() if year == "*" else _numbers(year, 1970, 2200)
        months, days = _numbers(parts[0], 1, 12), _numbers(parts[1], 1, 31)
    if words:
        seconds = _times(words.pop(0))
    if words or not text.strip():
        raise ValueError(f"unable to parse calendar event '{text}' - unused parts")
    return Schedule(weekdays, (years, months, days), seconds)


def _weekdays(text: str) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("..")
        start, end = _DAYS.index(first[:3]), _DAYS.index((last or first)[:3])
        found.update(range(start, end + 1))
    return frozenset(found)


def _times(text: str) -> tuple[int, ...]:
    parts = text.split(":")
    if len(parts) == 1:
        parts = ["*", parts[0]]
    hours, minutes = _numbers(parts[0], 0, 23), _numbers(parts[1], 0, 59)
    last = _numbers(parts[2], 0, 59) if len(parts) > 2 else frozenset((0,))
    return tuple(sorted(h * 3600 + m * 60 + s for h in hours for m in minutes for s in last))


def _numbers(text: str, low: int, high: int) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        if part == "*":
            found.update(range(low, high + 1))
        elif part.startswith("*/") and part[2:].isdecimal() and int(part[2:]):
            found.update(range(low, high + 1, int(part[2:])))
        elif match := _RANGE.fullmatch(part):
            first, last, step = match.groups()
            end = int(last) if last else (high if step else int(first))
            found.update(range(int(first), end + 1, int(step or 1)))
        else:
            raise ValueError(f"unable to parse calendar event - '{text}'")
    if not found or min(found) < low or max(found) > high:
        raise ValueError(f"unable to parse calendar event - value '{text}' out of range")
    return frozenset(found)
