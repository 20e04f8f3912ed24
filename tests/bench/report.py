"""What a run of the benchmarks says: a table for people, a JSON document for other tools."""

from __future__ import annotations

import json
from collections.abc import Iterable

from rich.table import Table

from tests.bench.measure import Row


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
            "" if row.target is None else f"{bound} {row.target:g}",
            "" if row.target is None else "ok" if row.ok else "missed",
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
