"""Run the benchmarks: `nox -s bench`, `nox -s bench -- --json PATH --only NAME`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path

from rich.console import Console

from tests.bench.measure import Row
from tests.bench.report import as_json, table
from tests.bench.rows import (
    apply,
    configs,
    decode,
    fan_out,
    footprint,
    forwarded,
    history,
    one_by_one,
    plan,
    simulator,
    start,
    state,
)

SUITES: dict[str, Callable[[], Iterable[Row]]] = {
    "start": start.rows,
    "decode": decode.rows,
    "fan-out": fan_out.rows,
    "forwarded": forwarded.rows,
    "configs": configs.rows,
    "footprint": footprint.rows,
    "plan": plan.rows,
    "apply": apply.rows,
    "state": state.rows,
    "history": history.rows,
    "one-by-one": one_by_one.rows,
    "simulator": simulator.rows,
}


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
    console = Console()
    if not console.is_terminal:
        console.width = 120
    console.print(table(rows))
    if options.json:
        options.json.write_text(as_json(rows) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
