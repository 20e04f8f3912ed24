from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pmpc_reconcile.errors import InputInvalid
from pmpc_reconcile.moments import parse_moment, show_moment

NOW = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("now", NOW),
        ("-90m", NOW - timedelta(minutes=90)),
        ("-2h", NOW - timedelta(hours=2)),
        ("-1w", NOW - timedelta(weeks=1)),
        ("2026-11-22T15:00", datetime(2026, 11, 22, 15, 0, tzinfo=UTC)),
        ("2026-11-22T16:00+01:00", datetime(2026, 11, 22, 15, 0, tzinfo=UTC)),
        ("2026-11-22 15:00", datetime(2026, 11, 22, 15, 0, tzinfo=UTC)),
        ("14:30", datetime(2026, 11, 22, 14, 30, tzinfo=UTC)),
        ("today", datetime(2026, 11, 22, tzinfo=UTC)),
        ("Yesterday 9:05", datetime(2026, 11, 21, 9, 5, tzinfo=UTC)),
    ],
)
def test_times_are_read_as_people_write_them(text: str, moment: datetime) -> None:
    assert parse_moment(text, NOW) == moment
    assert parse_moment(show_moment(moment), NOW) == moment


def test_what_is_no_time_says_how_to_write_one() -> None:
    with pytest.raises(InputInvalid, match="no snapshot of that name; times are written"):
        parse_moment("last week", NOW)
    for text in ("", " ", "25:00", "yesterday 9:61"):
        with pytest.raises(InputInvalid, match="UTC, or with a zone"):
            parse_moment(text, NOW)
