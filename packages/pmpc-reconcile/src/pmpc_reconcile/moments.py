"""Times as people write them: ISO 8601, `-2h`, `now`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from pmpc_reconcile.errors import InputInvalid

_RELATIVE: Final = re.compile(r"-(\d+)\s*(s|m|h|d|w)")
_DURATION: Final = re.compile(r"(\d+)\s*(s|m|h|d|w)")
_OF_DAY: Final = re.compile(r"((?P<day>today|yesterday)\s*)?((?P<hour>\d{1,2}):(?P<minute>\d\d))?")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_moment(text: str, now: datetime) -> datetime:
    """Return the time a text names; a time without zone is UTC.

    Args:
        text: ISO 8601, a distance back such as `-90m`, a time of day such as `14:00` or
            `yesterday 14:00`, or `now`.
        now: The present.

    Raises:
        InputInvalid: It is not understood.
    """
    if text == "now":
        return now
    match = _RELATIVE.fullmatch(text.strip())
    if match is not None:
        return now - timedelta(**{_UNITS[match[2]]: int(match[1])})
    if text.strip() and (match := _OF_DAY.fullmatch(text.strip().lower())):
        day = now.astimezone(UTC) - timedelta(days=match["day"] == "yesterday")
        hour, minute = int(match["hour"] or 0), int(match["minute"] or 0)
        if hour < 24 and minute < 60:
            return day.replace(hour=hour, minute=minute, second=0, microsecond=0)
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise InputInvalid(
            f"cannot understand the time {text!r}: there is no snapshot of that name; times are "
            "written 2026-11-22T14:00 (UTC, or with a zone: 2026-11-22T14:00+01:00), 14:00, "
            "yesterday or -2h"
        ) from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def show_moment(moment: datetime) -> str:
    """Return a time as ISO 8601 in UTC, to the microsecond where it has some."""
    return moment.astimezone(UTC).isoformat()


def tell_moment(moment: datetime) -> str:
    """Return a time for people: in UTC, to the second."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def parse_duration(text: str) -> timedelta:
    """Return the length of time a text names: `90s`, `30m`, `1h`, `2d`, `1w`.

    Raises:
        InputInvalid: It is not understood.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise InputInvalid(f"cannot understand {text!r} as a length of time: write 30m, 1h or 2d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})
