"""Showing an answer: as JSON for programs, as a table for people."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

_WIDEST: Final = 60


def as_json(answer: Any) -> str:
    """Return the answer as JSON that people can read; keys in order, for PVE has none."""
    return json.dumps(answer, indent=2, ensure_ascii=False, sort_keys=True)


def as_table(answer: Any) -> str:
    """Return the answer as a table: a row for each entry of a list or field of an object."""
    if answer is None:
        return ""
    if isinstance(answer, Mapping):
        fields = cast("Mapping[str, Any]", answer)
        return _aligned([(name, _cell(fields[name])) for name in sorted(fields)])
    if not isinstance(answer, list):
        return _cell(answer)
    entries = cast("list[object]", answer)
    rows = [cast("dict[str, Any]", entry) for entry in entries if isinstance(entry, dict)]
    if len(rows) != len(entries) or not rows:
        return "\n".join(_cell(entry) for entry in entries)
    columns = _columns(rows)
    body = [tuple(_cell(row.get(name)) for name in columns) for row in rows]
    return _aligned([tuple(columns), *sorted(body)])


def _columns(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Order the columns: what names an entry first, the rest by name."""
    names = {name for row in rows for name in row}
    first = [name for name in ("vmid", "node", "id", "name", "type", "status") if name in names]
    return [*first, *sorted(names - set(first))]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return " ".join(text.split())


def _aligned(rows: Sequence[tuple[str, ...]]) -> str:
    last = len(rows[0]) - 1
    shown = [
        tuple(cell if number == last else _cut(cell) for number, cell in enumerate(row))
        for row in rows
    ]
    widths = [max(len(row[number]) for row in shown) for number in range(last + 1)]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in shown)
    return "\n".join(lines)


def _cut(text: str) -> str:
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"
