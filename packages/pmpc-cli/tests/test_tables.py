"""Tables: aligned, never cut, `-` for nothing, wide columns on request."""

from __future__ import annotations

from pmpc_cli.present.table import Column, table

COLUMNS: tuple[Column[tuple[str, str]], ...] = (
    Column("NAME", lambda row: row[0]),
    Column("SIZE", lambda row: row[1], right=True),
    Column("BOTH", lambda row: "".join(row), wide=True),
)


def lines(*rows: tuple[str, str], wide: bool = False) -> list[str]:
    return [line.plain for line in table(rows, COLUMNS, wide=wide)]


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert lines(("web-1", "1"), ("a-long-name", "1024")) == [
        "NAME          SIZE",
        "web-1            1",
        "a-long-name   1024",
    ]


def test_an_absent_value_is_a_dash() -> None:
    assert lines(("", "1"))[1].startswith("-")


def test_wide_columns_are_shown_on_request() -> None:
    assert "BOTH" not in lines(("a", "b"))[0]
    assert lines(("a", "b"), wide=True)[1].endswith("ab")


def test_wide_characters_count_two_cells() -> None:
    assert lines(("東京", "1"), ("abcd", "1")) == ["NAME   SIZE", "東京      1", "abcd      1"]


def test_no_rows_leave_the_headings() -> None:
    assert lines() == ["NAME   SIZE"]
