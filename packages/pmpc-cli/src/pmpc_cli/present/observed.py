"""Observed objects and what changed in them: columns and lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.text import Text

from pmpc_cli.present.table import Column
from pmpc_cli.present.values import show_time, show_value

if TYPE_CHECKING:
    from pmpc_reconcile.actions.changes import ChangesOutput, ObjectChange
    from pmpc_reconcile.actions.sync import SyncOutput
    from pmpc_reconcile.actions.views import FieldDifference, ResourceView, SnapshotView

_STATUS_STYLES = {
    "running": "green",
    "online": "green",
    "available": "green",
    "unknown": "magenta",
    "offline": "red",
}
_CHANGE_MARKS = {
    "created": ("+", "green"),
    "changed": ("~", "yellow"),
    "removed": ("-", "red"),
    "vanished": ("-", "red"),
    "returned": ("+", "green"),
}
_KEY_TITLES = {"qemu": "VMID", "lxc": "VMID", "content": "VOLUME", "task": "UPID"}
_GUESTS = frozenset({"qemu", "lxc"})
_WITHOUT_STATUS = frozenset({"content", "pool"})


def sync_lines(done: SyncOutput) -> list[Text]:
    """Return what a sync found as lines."""
    parts = [
        f"{count} {word}"
        for count, word in (
            (done.created, "new"),
            (done.changed, "changed"),
            (done.vanished, "gone"),
            (done.unchanged, "as before"),
            (done.kept, "not read again"),
            (done.unknown, "unknown (not seen this time)"),
        )
        if count
    ]
    lines = [Text.assemble((f"{done.cluster}: ", "bold"), ", ".join(parts) or "nothing there")]
    if done.mode == "incremental":
        oldest = f"; everything was read since {show_time(done.oldest)}" if done.oldest else ""
        lines.append(Text(f"{done.requests} requests{oldest}", "dim"))
    if done.samples:
        lines.append(Text(f"{done.samples} samples of PVE's statistics taken over"))
    if done.snapshot:
        lines.append(Text(f"snapshot {done.snapshot} taken"))
    return lines


def resource_columns(items: Sequence[ResourceView]) -> tuple[Column[ResourceView], ...]:
    """Return the columns for these objects; what would say nothing about any is left out."""
    kinds = {item.kind for item in items}
    columns: list[Column[ResourceView]] = []
    if len(kinds) > 1:
        columns.append(Column("KIND", lambda item: item.kind))
    titles = {_KEY_TITLES.get(kind, "NAME") for kind in kinds}
    columns.append(Column(titles.pop() if len(titles) == 1 else "KEY", lambda item: item.key))
    if any(item.name not in ("", item.key) and item.kind != "content" for item in items):
        columns.append(Column("NAME", lambda item: item.name))
    if any(item.node and item.kind != "node" for item in items):
        columns.append(Column("NODE", lambda item: item.node or ""))
    if any(_status(item) for item in items):
        columns.append(Column("STATUS", _status, style=_status_style))
    if kinds & _GUESTS:
        columns.append(Column("CPUS", lambda item: _fact(item, "maxcpu"), wide=True, right=True))
        columns.append(Column("MEMORY", lambda item: _bytes(item, "maxmem"), wide=True, right=True))
        columns.append(Column("TAGS", _tags, wide=True))
        columns.append(Column("LOCK", lambda item: _fact(item, "lock"), wide=True))
    columns.append(Column("SINCE", lambda item: show_time(item.since), wide=True))
    return tuple(columns)


def _status(item: ResourceView) -> str:
    return "" if item.kind in _WITHOUT_STATUS else item.status


def _status_style(status: str) -> str:
    return _STATUS_STYLES.get(status, "")


def snapshot_columns() -> tuple[Column[SnapshotView], ...]:
    """Return the columns of named moments."""
    return (
        Column("NAME", lambda item: item.name),
        Column("TIME", lambda item: show_time(item.time)),
        Column("DIGEST", lambda item: item.digest, wide=True),
    )


def changes_lines(found: ChangesOutput) -> list[Text]:
    """Return what changed between two times as lines."""
    lines = [
        Text.assemble(
            ("Changes", "bold"),
            f" of {found.cluster} from {show_time(found.since)} to {show_time(found.until)}",
        )
    ]
    if not found.items:
        lines.append(Text("  none"))
    for item in found.items:
        lines.extend(_object_lines(item))
    return lines


def _object_lines(item: ObjectChange) -> list[Text]:
    mark, style = _CHANGE_MARKS.get(item.change, ("?", ""))
    label = f"{item.kind}/{item.key}" + (f" ({item.name})" if item.name else "")
    head = Text.assemble((f"{mark} ", style), (label, "bold"), f" {item.change}")
    about = " ".join(
        part for part in (show_time(item.time), f"by {item.actor}" if item.actor else "") if part
    )
    if about:
        head.append(f"   {about}", "dim")
    if item.change == "changed" and not item.actor:
        head.append("  no task: synchronous edit", "dim")
    if item.change != "changed":
        return [head]  # all its fields would be listed: they are in `get` and in -o json
    width = max((len(field.path) for field in item.fields), default=0)
    return [head, *(field_line(field, width) for field in item.fields)]


def field_line(field: FieldDifference, width: int) -> Text:
    """Return one field with its two values."""
    line = Text("    ")
    if field.old is None:
        line.append("+ ", "green").append(f"{field.path.ljust(width)}  ")
        return line.append(show_value(field.new))
    if field.new is None:
        line.append("- ", "red").append(f"{field.path.ljust(width)}  ")
        return line.append(show_value(field.old))
    line.append("~ ", "yellow").append(f"{field.path.ljust(width)}  ")
    return (
        line.append(show_value(field.old), "red")
        .append(" → ")
        .append(show_value(field.new), "green")
    )


def _fact(item: ResourceView, key: str) -> str:
    value: Any = item.facts.get(key)
    return "" if value is None else str(value)


def _bytes(item: ResourceView, key: str) -> str:
    value: Any = item.facts.get(key)
    if not isinstance(value, (int, float)):
        return ""
    size = float(value)
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if size < 1024 or unit == "TiB":
            return f"{size:.0f} {unit}" if size >= 10 or size == int(size) else f"{size:.1f} {unit}"
        size /= 1024
    return ""


def _tags(item: ResourceView) -> str:
    return str(item.config.get("tags") or item.facts.get("tags") or "")
