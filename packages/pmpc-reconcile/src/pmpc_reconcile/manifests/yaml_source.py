"""Read YAML into trees with places."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType
from typing import Any, Final

import attrs
import yaml
from yaml.nodes import Node as YamlNode

from pmpc_reconcile.diagnostics import Diagnostic
from pmpc_reconcile.manifests.scalars import plain_scalar
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

# libyaml where PyYAML was built with it: ten times faster, same events.
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PREFIX: Final = "tag:yaml.org,2002:"
_TAGS: Final = frozenset(
    _PREFIX + name
    for name in ("str", "int", "float", "bool", "null", "timestamp", "map", "seq", "merge", "value")
)
MAX_NODES: Final = 200_000
MAX_DEPTH: Final = 60


def read_yaml(source: Source) -> tuple[Node, ...]:
    """Read every document of a YAML text.

    Raises:
        SourceInvalid: It is not YAML, has a duplicate key, or grows beyond bounds by its aliases.
    """
    reader = _Reader(source)
    documents: list[Node] = []
    for root in _compose(source):
        documents.append(reader.document(root))
    if reader.findings:
        raise SourceInvalid(*reader.findings)
    return tuple(documents)


def _compose(source: Source) -> Iterator[YamlNode]:
    try:
        yield from yaml.compose_all(source.text, Loader=_LOADER)
    except yaml.MarkedYAMLError as failure:
        mark = failure.problem_mark or failure.context_mark
        place = Position(source.name, 1, 1) if mark is None else _place(source, mark)
        text = ", ".join(part for part in (failure.context, failure.problem) if part)
        raise SourceInvalid(
            source.error(place, f"this is not YAML: {text}", hint=_hint(source, place))
        ) from None
    except yaml.reader.ReaderError as failure:
        before = source.text[: failure.position]
        place = Position(source.name, before.count("\n") + 1, len(before) - before.rfind("\n"))
        raise SourceInvalid(
            source.error(place, "this is not YAML: a character that is not allowed")
        ) from None
    except RecursionError:
        raise SourceInvalid(_too_deep(source, Position(source.name, 1, 1))) from None


def _hint(source: Source, place: Position) -> str | None:
    line = source.lines[place.line - 1] if 0 < place.line <= len(source.lines) else ""
    if "\t" in line[: max(place.column, 1)]:
        return "indent with blanks: YAML does not allow tabs"
    return None


def _place(source: Source, mark: Any) -> Position:
    return Position(source.name, mark.line + 1, mark.column + 1)


def _too_deep(source: Source, place: Position) -> Diagnostic:
    return source.error(place, f"nested deeper than {MAX_DEPTH} levels")


@attrs.define
class _Reader:
    """Converts the nodes of one source; collects what is wrong on the way."""

    source: Source
    findings: list[Diagnostic] = attrs.field(factory=list[Diagnostic])
    _done: dict[int, tuple[Node, int]] = attrs.field(factory=dict[int, tuple[Node, int]])
    _open: set[int] = attrs.field(factory=set[int])

    def document(self, root: YamlNode) -> Node:
        self._done.clear()
        return self._convert(root, 0)[0]

    def _convert(self, node: YamlNode, depth: int) -> tuple[Node, int]:
        """Return the node and its size with every alias written out."""
        place = _place(self.source, node.start_mark)
        if depth > MAX_DEPTH:
            raise SourceInvalid(_too_deep(self.source, place))
        if id(node) in self._done:
            return self._done[id(node)]
        if id(node) in self._open:
            raise SourceInvalid(self.source.error(place, "an alias contains itself"))
        self._open.add(id(node))
        self._check_tag(node, place)
        if isinstance(node, yaml.MappingNode):
            result = self._mapping(node, place, depth)
        elif isinstance(node, yaml.SequenceNode):
            items = [self._convert(item, depth + 1) for item in node.value]
            result = (
                SequenceNode(tuple(item for item, _ in items), place),
                1 + sum(size for _, size in items),
            )
        else:
            result = (self._scalar(node, place), 1)
        self._open.discard(id(node))
        if result[1] > MAX_NODES:
            raise SourceInvalid(
                self.source.error(place, f"aliases make this more than {MAX_NODES} values")
            )
        self._done[id(node)] = result
        return result

    def _check_tag(self, node: YamlNode, place: Position) -> None:
        if node.tag not in _TAGS:
            shown = node.tag.replace(_PREFIX, "!!")
            self.findings.append(
                self.source.error(place, f"the tag {shown} is not supported", hint="leave it out")
            )

    def _scalar(self, node: Any, place: Position) -> ScalarNode:
        text: str = node.value
        # What YAML takes for text (quoted, or with an explicit !!str) is text.
        value = text if node.tag == _PREFIX + "str" else plain_scalar(text)
        return ScalarNode(value, text, place, self._inline(text, place, quoted=bool(node.style)))

    def _inline(self, text: str, place: Position, *, quoted: bool) -> int:
        line = self.source.lines[place.line - 1] if place.line <= len(self.source.lines) else ""
        column = place.column + (1 if quoted else 0)
        return column if text and line[column - 1 : column - 1 + len(text)] == text else 0

    def _mapping(self, node: Any, place: Position, depth: int) -> tuple[Node, int]:
        entries: dict[str, Entry] = {}
        merged: dict[str, Entry] = {}
        size = 1
        for key, value in node.value:
            key_place = _place(self.source, key.start_mark)
            if key.tag == _PREFIX + "merge" and not key.style:
                size += self._merge(value, merged, depth)
                continue
            if not isinstance(key, yaml.ScalarNode):
                self.findings.append(self.source.error(key_place, "a key must be a single word"))
                continue
            converted, weight = self._convert(value, depth + 1)
            size += weight
            name = str(key.value)
            if name in entries:
                self._duplicate(name, key_place, entries[name].key_place)
                continue
            entries[name] = Entry(key_place, converted)
        return MappingNode(MappingProxyType({**merged, **entries}), place), size

    def _merge(self, value: YamlNode, merged: dict[str, Entry], depth: int) -> int:
        """Take over the keys of `<<: *anchor`; keys written out and earlier anchors win."""
        converted, size = self._convert(value, depth + 1)
        parts = converted.items if isinstance(converted, SequenceNode) else (converted,)
        for part in parts:
            if not isinstance(part, MappingNode):
                self.findings.append(
                    self.source.error(part.place, "only a mapping can be merged with <<")
                )
                continue
            for name, entry in part.entries.items():
                merged.setdefault(name, entry)
        return size

    def _duplicate(self, name: str, place: Position, first: Position) -> None:
        self.findings.append(
            self.source.error(
                place,
                f"duplicate key {name!r}",
                hint=f"it is first at {first.file}:{first.line}:{first.column}; keep one of them",
            )
        )
