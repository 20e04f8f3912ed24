"""What happened to one object, and what was measured of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from pmpc_cli.present.observed import field_line
from pmpc_cli.present.table import Column
from pmpc_cli.present.values import show_time

if TYPE_CHECKING:
    from pmpc_reconcile.actions.log import LogItem, LogOutput
    from pmpc_reconcile.actions.metrics import MetricsPoint

_STYLES = {"created": "green", "changed": "yellow", "vanished": "red", "returned": "green"}


def story_lines(found: LogOutput) -> list[Text]:
    """Return what happened to an object as lines."""
    lines = [Text.assemble((found.address, "bold"), f" {found.name}")]
    for item in found.items:
        lines.append(_head(item))
        width = max((len(field.path) for field in item.fields), default=0)
        lines.extend(field_line(field, width) for field in item.fields)
    return lines


def _head(item: LogItem) -> Text:
    line = Text.assemble(f"  {show_time(item.time)}  ", (item.action, _STYLES.get(item.action, "")))
    if item.text:
        line.append(f"  {item.text}")
    if item.actor:
        line.append(f"  by {item.actor}", "dim")
    elif item.action == "changed":
        line.append("  no task: synchronous edit", "dim")
    return line


def point_columns() -> tuple[Column[MetricsPoint], ...]:
    """Return the columns of what was measured."""
    return (
        Column("TIME", lambda item: show_time(item.time)),
        Column("MEAN", lambda item: _number(item.mean), right=True),
        Column("LOW", lambda item: _number(item.low), right=True),
        Column("HIGH", lambda item: _number(item.high), right=True),
        Column("SAMPLES", lambda item: str(item.count), wide=True, right=True),
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
