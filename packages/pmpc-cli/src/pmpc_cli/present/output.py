"""`-o`: which form an answer takes, and the structured forms.

Data commands (get, history, snapshots, changes, context list) answer with a table on a terminal
and with JSON when piped; `-o` and `$PMPC_OUTPUT` decide otherwise. Commands that tell a story
(plan, diff, apply, sync) stay text when piped and give JSON on request.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeVar

from pmpc_cli.exit_codes import ExitCode
from pmpc_cli.failures import CommandRefused
from pmpc_cli.present.table import Column, table
from pmpc_cli.present.terminal import say, tell, write

T = TypeVar("T")

RowFormat = Literal["table", "wide", "json", "yaml", "name"]
DocumentFormat = Literal["text", "json", "yaml"]
ROW_FORMATS: dict[str, RowFormat] = {
    "table": "table",
    "wide": "wide",
    "json": "json",
    "yaml": "yaml",
    "name": "name",
}
OUTPUT_VARIABLE = "PMPC_OUTPUT"


def row_format(chosen: RowFormat | None) -> RowFormat:
    """Return the form of a data command's answer."""
    if chosen is not None:
        return chosen
    preferred = os.environ.get(OUTPUT_VARIABLE)
    if preferred:
        if preferred in ROW_FORMATS:
            return ROW_FORMATS[preferred]
        raise CommandRefused(
            f"cannot answer as {preferred!r}: ${OUTPUT_VARIABLE} is none of "
            + ", ".join(ROW_FORMATS),
            code=ExitCode.USAGE,
        )
    return "table" if sys.stdout.isatty() else "json"


def tell_more(shown: int, total: int, following: str | None) -> None:
    """Say on stderr that there is more than a page shows, and how to see it."""
    if following is not None:
        tell(f"{shown} of {total}; the next: --after {following}")


def show_rows(
    rows: Sequence[T],
    columns: Sequence[Column[T]],
    chosen: RowFormat | None,
    *,
    name: Callable[[T], str],
    plain: Callable[[T], Any],
    nothing: str,
) -> None:
    """Print rows in the chosen form.

    Args:
        rows: The rows.
        columns: Columns of the table.
        chosen: The value of `-o`.
        name: What `-o name` prints of a row.
        plain: A row as JSON data.
        nothing: What to say on stderr when a table would be empty.
    """
    form = row_format(chosen)
    if form in ("json", "yaml"):
        show_document([plain(row) for row in rows], "json" if form == "json" else "yaml")
    elif form == "name":
        for row in rows:
            say(name(row))
    elif not rows:
        tell(nothing)
    else:
        for line in table(rows, columns, wide=form == "wide"):
            say(line)


def show_document(data: Any, form: Literal["json", "yaml"]) -> None:
    """Print JSON data as JSON or YAML, keys in the order given."""
    if form == "json":
        write(json.dumps(data, indent=2, ensure_ascii=False) + "\n")
        return
    import yaml

    write(yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=2**16))
