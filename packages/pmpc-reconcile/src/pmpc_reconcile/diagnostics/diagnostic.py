"""The value of one finding and how it reads on a terminal."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any

import attrs


class Severity(enum.Enum):
    """How much a finding weighs: an error stops the verb, the others do not."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@attrs.frozen(kw_only=True)
class Diagnostic:
    """One finding about the user's input, with its place where there is one.

    Attributes:
        severity: Errors stop the verb; warnings and notes are shown.
        message: One sentence without a full stop, for people.
        hint: What to do about it.
        file: Path or name of the source (`<stdin>`).
        line: Line in the source, counted from 1.
        column: Column in the line, counted from 1, in characters.
        address: The object it is about, as `VirtualMachine/web-1`.
        source: The text of that line, for showing it with a caret.
    """

    severity: Severity
    message: str
    hint: str | None = None
    file: str | None = None
    line: int | None = None
    column: int | None = None
    address: str | None = None
    source: str | None = None

    @property
    def is_error(self) -> bool:
        """Whether this finding stops the verb."""
        return self.severity is Severity.ERROR

    @property
    def place(self) -> str:
        """`stack.yaml:12:5`, as much of it as is known; the address when no file is."""
        parts = [self.file or self.address or ""]
        if self.file is not None and self.line is not None:
            parts.append(str(self.line))
            if self.column is not None:
                parts.append(str(self.column))
        return ":".join(parts)

    def headline(self) -> str:
        """Return the first line: `stack.yaml:12:5: error: message`."""
        place = self.place
        return (
            f"{place}: {self.severity.value}: {self.message}"
            if place
            else (f"{self.severity.value}: {self.message}")
        )

    def render(self) -> str:
        """Return the whole finding as compilers print it: headline, source line, caret, hint."""
        lines = [self.headline()]
        if self.source is not None and self.line is not None:
            shown, column = _visible(self.source, self.column)
            gutter = str(self.line)
            lines.append(f"  {gutter} | {shown}")
            if column is not None:
                lines.append(f"  {' ' * len(gutter)} | {' ' * (column - 1)}^")
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.render()

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON form without the absent parts."""
        values: dict[str, Any] = attrs.asdict(self)
        values["severity"] = self.severity.value
        return {key: value for key, value in values.items() if value is not None}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Diagnostic:
        """Read what `to_dict` wrote."""
        values: dict[str, Any] = {**data, "severity": Severity(data["severity"])}
        return cls(**values)


def error(message: str, *, hint: str | None = None, address: str | None = None) -> Diagnostic:
    """Make an error that has no place in a file."""
    return Diagnostic(severity=Severity.ERROR, message=message, hint=hint, address=address)


def warning(message: str, *, hint: str | None = None, address: str | None = None) -> Diagnostic:
    """Make a warning that has no place in a file."""
    return Diagnostic(severity=Severity.WARNING, message=message, hint=hint, address=address)


def note(message: str, *, hint: str | None = None, address: str | None = None) -> Diagnostic:
    """Make a note that has no place in a file."""
    return Diagnostic(severity=Severity.NOTE, message=message, hint=hint, address=address)


_WIDEST = 120


def _visible(source: str, column: int | None) -> tuple[str, int | None]:
    """Cut a long line around the column and make tabs one blank, so that the caret fits."""
    text = "".join(char if char.isprintable() else " " for char in source.rstrip("\r\n"))
    if len(text) <= _WIDEST:
        return text, column
    start = max(0, (column or 1) - 1 - _WIDEST // 2)
    cut = text[start : start + _WIDEST]
    head = "…" if start else ""
    tail = "…" if start + _WIDEST < len(text) else ""
    return head + cut + tail, None if column is None else column - start + len(head)
