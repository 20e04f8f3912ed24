"""Run the benchmarks: `nox -s bench`, `nox -s bench -- --json PATH --only NAME`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.measure import Row
from tests.bench.rows import decode, fan_out, forwarded, plan, start

SUITES: dict[str, Callable[[], Iterable[Row]]] = {
    "start": start.rows,
    "decode": decode.rows,
    "fan-out": fan_out.rows,
    "forwarded": forwarded.rows,
    "plan": plan.rows,
}


def table(rows: Iterable[Row]) -> Table:
    """Return the rows as a table for people."""
    shown = Table(title="ours against a peer, measured side by side")
    for name in ("what", "ours", "peer", "unit", "ratio", "target", ""):
        shown.add_column(name, justify="left" if name in ("what", "unit", "") else "right")
    for row in rows:
        bound = "≤" if row.better == "lower" else "≥"
        shown.add_row(
            row.name,
            f"{row.ours:,.1f}",
            f"{row.peer:,.1f}",
            row.unit,
            f"{row.ratio:.2f}",
            f"{bound} {row.target:g}",
            "ok" if row.ok else "missed",
        )
    return shown


def as_json(rows: Iterable[Row]) -> str:
    """Return the rows as the JSON document other tools read."""
    document = {
        row.name: {
            "ours": row.ours,
            "peer": row.peer,
            "ratio": row.ratio,
            "target": row.target,
            "ok": row.ok,
            "unit": row.unit,
            "better": row.better,
        }
        for row in rows
    }
    return json.dumps(document, indent=2)


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, write; a missed target is a figure, not a failed run."""
    parser = argparse.ArgumentParser(prog="nox -s bench --", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the figures there")
    parser.add_argument("--only", choices=sorted(SUITES), action="append", help="only this suite")
    options = parser.parse_args(arguments)
    rows: list[Row] = []
    for name, suite in SUITES.items():
        if options.only is None or name in options.only:
            rows.extend(suite())
    Console().print(table(rows))
    if options.json:
        options.json.write_text(as_json(rows) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
