"""The figures of the replay as the page about the simulator shows them."""

from __future__ import annotations

import math
import re
from pathlib import Path

from tests.conformance.replay import AreaResult, Report

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "simulator.md"
BEGIN = "<!-- figures: python -m tests.conformance --write -->"
END = "<!-- end of figures -->"
_ROW = re.compile(r"\| `([\w/]+)` \| (\d+) \| (\d+) % \|")


def write(report: Report) -> None:
    """Put the figures into the page."""
    text = PAGE.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    tail = rest.partition(END)[2]
    rows = [
        "",
        "| recording | exchanges | answered alike, at least |",
        "|---|---|---|",
        *(
            f"| `{result.area}` | {result.exchanges} | {percentage(result)} % |"
            for result in report.areas
        ),
        "",
    ]
    PAGE.write_text(head + BEGIN + "\n".join(["", *rows, ""]) + END + tail, encoding="utf-8")


def percentage(result: AreaResult) -> int:
    """Return what the page promises of an area: the share, rounded down."""
    return math.floor(result.share * 100)


def shown() -> dict[str, tuple[int, int]]:
    """Return what the page says: exchanges and percentage by area."""
    text = PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    return {name: (int(number), int(share)) for name, number, share in _ROW.findall(text)}
