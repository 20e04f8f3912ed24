"""The tree of a source text: every key and value with its place.

YAML and JSON both become this tree, so everything behind it is the same for both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import attrs

from pmpc_reconcile.diagnostics import Diagnostic, Severity

Path = tuple[str | int, ...]

_SENSITIVE = re.compile(r"passw|secret|token", re.IGNORECASE)


@attrs.frozen
class Position:
    """A place in a source, counted from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@attrs.frozen
class ScalarNode:
    """A single value.

    Attributes:
        value: Text, number, boolean or None, by the rules of `scalars`.
        raw: The text as written, quotes and escapes undone.
        place: Where it begins.
        inline: The value stands on one line exactly as `raw`, from this column on: a part of it can
            be pointed at. 0 when that is not so.
    """

    value: str | int | float | bool | None
    raw: str
    place: Position
    inline: int = 0


@attrs.frozen
class SequenceNode:
    """A list."""

    items: tuple[Node, ...]
    place: Position


@attrs.frozen
class MappingNode:
    """A mapping; keys are unique."""

    entries: Mapping[str, Entry]
    place: Position


@attrs.frozen
class Entry:
    """A value of a mapping and the place of its key."""

    key_place: Position
    node: Node


Node = ScalarNode | SequenceNode | MappingNode


@attrs.frozen
class Source:
    """A source text with its lines, for diagnostics.

    Attributes:
        name: Path, or `<stdin>`.
        text: The whole text.
        lines: Its lines.
    """

    name: str
    text: str = attrs.field(repr=False)
    lines: tuple[str, ...] = attrs.field(repr=False)

    @classmethod
    def of(cls, name: str, text: str) -> Source:
        """Make a source of a text."""
        return cls(name, text, tuple(text.splitlines()))

    def error(
        self,
        place: Position,
        message: str,
        *,
        hint: str | None = None,
        address: str | None = None,
    ) -> Diagnostic:
        """Make an error that points at a place of this source."""
        inside = 0 < place.line <= len(self.lines)
        return Diagnostic(
            severity=Severity.ERROR,
            message=message,
            hint=hint,
            file=place.file,
            line=place.line,
            column=place.column,
            address=address,
            source=self._shown(place.line) if inside else None,
        )

    def _shown(self, line: int) -> str | None:
        """Return a line for display; not one that may hold a secret."""
        text = self.lines[line - 1]
        return None if _SENSITIVE.search(text) else text


class SourceInvalid(Exception):
    """A text cannot be read at all.

    Attributes:
        diagnostics: What is wrong with it.
    """

    def __init__(self, *diagnostics: Diagnostic) -> None:
        self.diagnostics = diagnostics
        super().__init__("\n".join(str(finding) for finding in diagnostics))
