"""Read JSON into trees with places.

PyYAML reads most JSON, but not all of it (surrogate pairs, tabs), and its messages talk of YAML.
"""

from __future__ import annotations

import json
import re
from types import MappingProxyType
from typing import Final

import attrs

from pmpc_reconcile.diagnostics import Diagnostic
from pmpc_reconcile.manifests.tree import (
    Entry,
    MappingNode,
    Node,
    Position,
    ScalarNode,
    SequenceNode,
    Source,
    SourceInvalid,
)
from pmpc_reconcile.manifests.yaml_source import MAX_DEPTH

_BLANK: Final = re.compile(r"[ \t\r\n]*")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")
_DECODER: Final = json.JSONDecoder()
_WORDS: Final = {"true": True, "false": False, "null": None}


def read_json(source: Source) -> tuple[Node, ...]:
    """Read every value of a JSON text; values may follow one another.

    Raises:
        SourceInvalid: It is not JSON or has a duplicate key.
    """
    reader = _Reader(source)
    documents: list[Node] = []
    while not reader.at_end():
        documents.append(reader.value(0))
    if reader.findings:
        raise SourceInvalid(*reader.findings)
    return tuple(documents)


@attrs.define
class _Reader:
    """A cursor in one JSON text."""

    source: Source
    findings: list[Diagnostic] = attrs.field(factory=list[Diagnostic])
    _at: int = 0
    _line: int = 1
    _line_start: int = 0
    _seen: int = 0

    def at_end(self) -> bool:
        self._skip()
        return self._at >= len(self.source.text)

    def value(self, depth: int) -> Node:
        self._skip()
        place = self._place()
        if depth > MAX_DEPTH:
            raise self._stop(f"nested deeper than {MAX_DEPTH} levels")
        char = self._peek()
        if char == "{":
            return self._object(place, depth)
        if char == "[":
            return self._array(place, depth)
        if char == '"':
            text = self._string()
            return ScalarNode(text, text, place, self._inline(text, place))
        return self._word(place)

    def _object(self, place: Position, depth: int) -> Node:
        entries: dict[str, Entry] = {}
        self._take("{")
        while not self._closes("}"):
            key_place = self._place()
            if self._peek() != '"':
                raise self._stop("expected a key in double quotes")
            name = self._string()
            self._skip()
            self._take(":")
            node = self.value(depth + 1)
            if name in entries:
                first = entries[name].key_place
                hint = f"it is first at {first}; keep one of them"
                self.findings.append(
                    self.source.error(key_place, f"duplicate key {name!r}", hint=hint)
                )
            else:
                entries[name] = Entry(key_place, node)
            self._comma("}")
        self._take("}")
        return MappingNode(MappingProxyType(entries), place)

    def _array(self, place: Position, depth: int) -> Node:
        items: list[Node] = []
        self._take("[")
        while not self._closes("]"):
            items.append(self.value(depth + 1))
            self._comma("]")
        self._take("]")
        return SequenceNode(tuple(items), place)

    def _word(self, place: Position) -> Node:
        text = self.source.text
        number = _NUMBER.match(text, self._at)
        if number:
            self._at = number.end()
            whole = not (number[1] or number[2]) and len(number[0]) < 1000
            exact = int(number[0]) if whole else float(number[0])
            return ScalarNode(exact, number[0], place, place.column)
        for word, value in _WORDS.items():
            if text.startswith(word, self._at):
                self._at += len(word)
                return ScalarNode(value, word, place, place.column)
        raise self._stop("expected a value")

    def _string(self) -> str:
        try:
            text, self._at = _DECODER.raw_decode(self.source.text, self._at)
        except json.JSONDecodeError as failure:
            self._at = failure.pos
            raise self._stop(failure.msg[:1].lower() + failure.msg[1:]) from None
        return str(text)

    def _inline(self, text: str, place: Position) -> int:
        line = self.source.lines[place.line - 1]
        return place.column + 1 if text and line[place.column :].startswith(text) else 0

    def _closes(self, end: str) -> bool:
        self._skip()
        return self._peek() == end

    def _comma(self, end: str) -> None:
        self._skip()
        if self._peek() != end:
            self._take(",")
            self._skip()
            if self._peek() == end:
                raise self._stop("a comma too many")

    def _take(self, char: str) -> None:
        if self._peek() != char:
            raise self._stop(f"expected {char!r}")
        self._at += 1

    def _peek(self) -> str:
        return self.source.text[self._at : self._at + 1]

    def _skip(self) -> None:
        match = _BLANK.match(self.source.text, self._at)
        self._at = match.end() if match else self._at

    def _place(self) -> Position:
        text = self.source.text
        self._line += text.count("\n", self._seen, self._at)
        last = text.rfind("\n", self._line_start, self._at)
        self._line_start = last + 1 if last >= 0 else self._line_start
        self._seen = max(self._seen, self._at)
        return Position(self.source.name, self._line, self._at - self._line_start + 1)

    def _stop(self, message: str) -> SourceInvalid:
        return SourceInvalid(self.source.error(self._place(), f"this is not JSON: {message}"))
