"""Windows of time: when they are open, when they open next, and what is no window."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pmpc_reconcile.values.windows import Window


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


# 2026-11-22 is a Sunday.
@pytest.mark.parametrize(
    ("window", "moment", "closes"),
    [
        ("sun 02:00", "2026-11-22T01:59:59", None),
        ("sun 02:00", "2026-11-22T02:00:00", "2026-11-22T03:00:00"),
        ("sun 02:00", "2026-11-22T03:00:00", None),
        ("sun 02:00", "2026-11-23T02:30:00", None),
        ("Sunday 02:00-02:10", "2026-11-22T02:09:59", "2026-11-22T02:10:00"),
        ("22:00-04:00", "2026-11-23T03:00:00", "2026-11-23T04:00:00"),
        ("sat 22:00-04:00", "2026-11-22T03:00:00", "2026-11-22T04:00:00"),
        ("sat 22:00-04:00", "2026-11-23T03:00:00", None),
        ("mon..fri 12:00", "2026-11-22T12:30:00", None),
        ("fri..mon 12:00", "2026-11-22T12:30:00", "2026-11-22T13:00:00"),
        ("sat,sun 12:00", "2026-11-22T12:30:00", "2026-11-22T13:00:00"),
        ("sun 02:00 Europe/Berlin", "2026-11-22T01:30:00", "2026-11-22T02:00:00"),
        ("sun 02:00 Europe/Berlin", "2026-07-26T00:30:00", "2026-07-26T01:00:00"),
        # The night without 02:00-03:00: 04:00 there is 02:00 in UTC, and 03:00 the night before.
        ("22:00-04:00 Europe/Berlin", "2026-03-29T01:59:59", "2026-03-29T02:00:00"),
        ("22:00-04:00 Europe/Berlin", "2026-03-29T02:30:00", None),
        ("22:00-04:00 Europe/Berlin", "2026-03-28T02:30:00", "2026-03-28T03:00:00"),
        ("sun 02:00 Europe/Berlin", "2026-03-29T01:30:00", "2026-03-29T02:00:00"),
        ("sun 02:30-03:15 Europe/Berlin", "2026-03-29T01:45:00", "2026-03-29T02:15:00"),
        # The night that has them twice.
        ("22:00-04:00 Europe/Berlin", "2026-10-25T02:30:00", "2026-10-25T03:00:00"),
        ("22:00-04:00 Europe/Berlin", "2026-10-25T03:00:00", None),
        # From the beginning to the same time of the next day.
        ("sat 02:00-02:00", "2026-11-22T01:59:59", "2026-11-22T02:00:00"),
        ("sat 02:00-02:00", "2026-11-22T02:00:00", None),
    ],
)
def test_when_a_window_is_open(window: str, moment: str, closes: str | None) -> None:
    found = Window.parse(window).closes(at(moment))
    assert found == (None if closes is None else at(closes))


@pytest.mark.parametrize(
    ("window", "moment", "opens"),
    [
        ("sun 02:00", "2026-11-22T01:00:00", "2026-11-22T02:00:00"),
        ("sun 02:00", "2026-11-22T02:00:00", "2026-11-29T02:00:00"),
        ("02:00", "2026-11-22T12:00:00", "2026-11-23T02:00:00"),
        ("fri 02:00 Europe/Berlin", "2026-11-22T12:00:00", "2026-11-27T01:00:00"),
    ],
)
def test_when_it_opens_next(window: str, moment: str, opens: str) -> None:
    assert Window.parse(window).opens(at(moment)) == at(opens)


@pytest.mark.parametrize(
    "text", ["", "sun", "someday 02:00", "sun 25:00", "02:00 Nowhere/Land", "sun 2", "mon.. 02:00"]
)
def test_what_is_no_window(text: str) -> None:
    with pytest.raises(ValueError, match=r"window|day|zone"):
        Window.parse(text)
