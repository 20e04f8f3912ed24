"""How notebooks show results: as HTML tables. Imported when something is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

MOST: Final = 100
"""Rows shown of a long list."""


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Show records as a table, a column for each field that some row has."""
    shown = rows[:MOST]
    columns = list(dict.fromkeys(name for row in shown for name in row))
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join(
        f"<tr>{''.join(f'<td>{_cell(row.get(name))}</td>' for name in columns)}</tr>"
        for row in shown
    )
    more = len(rows) - len(shown)
    rest = f"<p>… and {more} more</p>" if more else ""
    if not rows:
        return "<p>nothing</p>"
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{rest}"


def fields(title: str, values: Mapping[str, Any]) -> str:
    """Show one object: a row for each field."""
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{_cell(value)}</td></tr>" for name, value in values.items()
    )
    return f"<table><caption>{escape(title)}</caption><tbody>{rows}</tbody></table>"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return escape(value if isinstance(value, str) else repr(value))
