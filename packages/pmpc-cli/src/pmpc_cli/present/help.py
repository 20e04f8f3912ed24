"""Help pages: two aligned columns of plain text, the same on a terminal and in a file."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from rich.text import Text

if TYPE_CHECKING:
    from cyclopts.help import HelpEntry, HelpPanel
    from rich.console import Console, ConsoleOptions

WIDTH = 88
"""Columns a help page may take; fixed, so that prepared and rendered pages agree."""


class AlignedHelp:
    """A cyclopts help formatter in the manner of kubectl and helm."""

    def render_usage(self, console: Console, options: ConsoleOptions, usage: object) -> None:
        """Print the usage line."""
        text = _plain(usage, console)
        if text:
            _print(console, text if text.startswith("Usage:") else f"Usage: {text}")

    def render_description(self, console: Console, options: ConsoleOptions, text: object) -> None:
        """Print what the command does."""
        plain = _plain(text, console)
        if plain:
            _print(console, "\n" + plain)

    def __call__(self, console: Console, options: ConsoleOptions, panel: HelpPanel) -> None:
        """Print one section: commands, arguments or options."""
        rows = [(_label(entry), _explanation(entry, console)) for entry in panel.entries]
        if not rows:
            return
        _print(console, f"\n{panel.title}:")
        column = min(max(len(label) for label, _ in rows), 28)
        for label, explanation in rows:
            _print(console, _row(label, explanation, column))


def _label(entry: HelpEntry) -> str:
    if entry.positional_label:
        own_names = [*entry.positive_shorts, *entry.positive_names] if entry.positive_shorts else []
        return ", ".join([entry.positional_label, *own_names])
    longs = list(entry.positive_names)
    shorts = list(entry.positive_shorts)
    label = ", ".join([*shorts, *longs])
    return f"{label} {entry.metavar}" if entry.metavar else label


def _explanation(entry: HelpEntry, console: Console) -> str:
    parts = [_plain(entry.description, console)]
    if entry.choices:
        parts.append(f"One of: {', '.join(entry.choices)}.")
    if entry.default is not None and entry.default not in ("False", "None"):
        parts.append(f"[default: {entry.default}]")
    if entry.env_var:
        parts.append(f"[env: {', '.join(entry.env_var)}]")
    if entry.required:
        parts.append("[required]")
    return " ".join(part for part in parts if part)


def _row(label: str, explanation: str, column: int) -> str:
    indent = " " * (column + 4)
    lines = textwrap.wrap(explanation, WIDTH - len(indent)) or [""]
    if len(label) > column:
        head = f"  {label}\n{indent}{lines[0]}"
    else:
        head = f"  {label.ljust(column)}  {lines[0]}"
    return "\n".join([head.rstrip(), *(indent + line for line in lines[1:])])


def _plain(value: Any, console: Console) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, Text):
        return value.plain.strip()
    primary = getattr(value, "primary_renderable", None)
    if isinstance(primary, Text):
        return primary.plain.strip()
    with console.capture() as capture:
        console.print(value, end="")
    return capture.get().strip()


def _print(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False, soft_wrap=True)
