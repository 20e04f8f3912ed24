"""Tables in the manner of kubectl: upper-case headings, aligned columns, no lines, nothing cut."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

import attrs
from rich.cells import cell_len
from rich.text import Text

T = TypeVar("T")

GAP = "   "


@attrs.frozen
class Column(Generic[T]):
    """One column.

    Attributes:
        title: Its heading.
        cell: The cell of a row.
        wide: Shown only by `-o wide`.
        right: Aligned to the right, for numbers.
        style: Rich style of a cell, given its text.
    """

    title: str
    cell: Callable[[T], str]
    wide: bool = False
    right: bool = False
    style: Callable[[str], str] | None = None


def table(rows: Iterable[T], columns: Sequence[Column[T]], *, wide: bool = False) -> list[Text]:
    """Return the lines of a table, headings first."""
    shown = [column for column in columns if wide or not column.wide]
    cells = [[column.cell(row) or "-" for column in shown] for row in rows]
    widths = [
        max([cell_len(column.title), *(cell_len(line[place]) for line in cells)])
        for place, column in enumerate(shown)
    ]
    lines = [_line([column.title for column in shown], shown, widths, heading=True)]
    lines.extend(_line(line, shown, widths) for line in cells)
    return lines


def _line(
    cells: Sequence[str], columns: Sequence[Column[T]], widths: Sequence[int], heading: bool = False
) -> Text:
    text = Text()
    for place, (cell, column, width) in enumerate(zip(cells, columns, widths, strict=True)):
        padding = " " * (width - cell_len(cell))
        last = place == len(cells) - 1
        style = "bold" if heading else column.style(cell) if column.style else ""
        text.append(GAP if place else "")
        text.append(padding if column.right else "")
        text.append(cell, style)
        text.append("" if column.right or last else padding)
    return text
