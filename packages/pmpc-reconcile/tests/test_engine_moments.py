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
    ],
)
def test_times_are_read_as_people_write_them(text: str, moment: datetime) -> None:
    assert parse_moment(text, NOW) == moment
    assert parse_moment(show_moment(moment), NOW) == moment


def test_what_is_no_time_says_how_to_write_one() -> None:
    with pytest.raises(InputInvalid, match="write 2026-11-22T14:00, -2h, or the name"):
        parse_moment("yesterday", NOW)
