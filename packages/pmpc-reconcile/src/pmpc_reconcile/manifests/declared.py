"""Read the options a manifest declares into their canonical form.

What cannot be read is a finding with its place; what can is checked afterwards (`rules`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from pmpc_reconcile.kinds import Option, Shape, ValueType
from pmpc_reconcile.manifests.tree import (
    Entry,
    MappingNode,
    Node,
    Path,
    Position,
    ScalarNode,
    SequenceNode,
)
from pmpc_reconcile.manifests.walk import plain
from pmpc_reconcile.values import Secret
from pmpc_reconcile.values.disks import read_volume
from pmpc_reconcile.values.reading import (
    ValueInvalid,
    read_properties,
    read_scalar,
    read_set,
    read_single,
    resolve_aliases,
)

_LISTED = frozenset({Shape.LIST, Shape.ENCODED})


@attrs.frozen
class Problem:
    """Something wrong at a place of the document.

    Attributes:
        place: Where.
        message: What.
        hint: What to write instead.
    """

    place: Position
    message: str
    hint: str | None = None


@attrs.define
class DeclaredOption:
    """One option as declared.

    Attributes:
        value: Its canonical value; None when it could not be read.
        problems: What is wrong with it so far.
        places: Places of the parts of a property string written as one text.
    """

    value: Any = None
    problems: list[Problem] = attrs.field(factory=list[Problem])
    places: dict[Path, Position] = attrs.field(factory=dict[Path, Position])


def read_declared(name: str, option: Option, entry: Entry) -> DeclaredOption:
    """Read the value a manifest gives an option."""
    found = DeclaredOption()
    node = entry.node
    try:
        if isinstance(node, ScalarNode) and node.value is None:
            raise ValueInvalid("given a value", "remove the line, or write '' for an empty text")
        if option.shape in (Shape.PROPERTIES, Shape.DISK):
            found.value = _properties(name, option, node, found)
        elif option.shape is Shape.SET:
            found.value = list(read_set(_list_or_text(node)))
        else:
            found.value = _single(option, node)
    except ValueInvalid as failure:
        secret = option.shape is Shape.SECRET
        found.problems.append(problem_of(name, node, failure, secret=secret))
        found.value = None
    return found


def problem_of(label: str, node: Node, failure: ValueInvalid, *, secret: bool = False) -> Problem:
    """Say what a value should have been."""
    if isinstance(node, ScalarNode):
        shown = "" if secret else ", is empty" if node.value is None else f", is {node.raw!r}"
    else:
        shown = ", is a list" if isinstance(node, SequenceNode) else ", is a mapping"
    return Problem(node.place, f"{label} must be {failure.expected}{shown}", failure.hint)


def _single(option: Option, node: Node) -> Any:
    if isinstance(node, MappingNode):
        if option.only_key is None or tuple(node.entries) != (option.only_key,):
            raise ValueInvalid("a single value")
        return _single(option, node.entries[option.only_key].node)
    if isinstance(node, SequenceNode):
        if option.shape not in _LISTED and option.scalar.separator is None:
            raise ValueInvalid("a single value")
        return read_single(option, _texts(node))
    value = read_single(option, node.value, node.raw)
    return value.text if isinstance(value, Secret) else value


def _list_or_text(node: Node) -> list[str] | str:
    if isinstance(node, SequenceNode):
        return _texts(node)
    if isinstance(node, ScalarNode):
        return node.raw
    raise ValueInvalid("a list")


def _texts(node: SequenceNode) -> list[str]:
    texts: list[str] = []
    for item in node.items:
        if not isinstance(item, ScalarNode) or item.value is None:
            raise ValueInvalid("a list of single values")
        texts.append(item.raw)
    return texts


def _properties(name: str, option: Option, node: Node, found: DeclaredOption) -> dict[str, Any]:
    if isinstance(node, MappingNode):
        entries = resolve_aliases(option, {key: entry.node for key, entry in node.entries.items()})
        values = {key: _part(name, option, key, part, found) for key, part in entries.items()}
    elif isinstance(node, SequenceNode):
        listed = [key for key, known in option.keys.items() if known.scalar.separator == ";"]
        if len(listed) != 1 or len(option.keys) > 2:
            raise ValueInvalid("a mapping or a text of key=value parts")
        values = {listed[0]: _part(name, option, listed[0], node, found)}
    else:
        values = _from_text(name, option, node, found)
    values = {key: value for key, value in values.items() if value is not None}
    return read_volume(values, option.name, live=False) if option.shape is Shape.DISK else values


def _part(name: str, option: Option, key: str, node: Any, found: DeclaredOption) -> Any:
    if isinstance(node, str):
        # A key such as `virtio: MAC` names the model by itself.
        return node
    label = f"{name}.{key}"
    try:
        if isinstance(node, ScalarNode) and node.value is None:
            raise ValueInvalid("given a value", "remove it")
        known = option.keys.get(key)
        if known is None:
            return plain(node) if key != "cloudinit" else _boolean(node)
        if isinstance(node, ScalarNode):
            if known.scalar.type is ValueType.SIZE and isinstance(node.value, int | float):
                raise ValueInvalid("a size with its unit, such as 32G", f"write {node.raw}G?")
            return read_scalar(known.scalar, node.value, node.raw)
        if isinstance(node, SequenceNode) and known.scalar.separator is not None:
            return read_scalar(known.scalar, _texts(node))
        raise ValueInvalid("a single value")
    except ValueInvalid as failure:
        found.problems.append(problem_of(label, node, failure))
        return None


def _boolean(node: Node) -> bool:
    word = node.raw.lower() if isinstance(node, ScalarNode) else ""
    if word in ("1", "on", "yes", "true"):
        return True
    if word in ("0", "off", "no", "false"):
        return False
    raise ValueInvalid("on or off")


def _from_text(
    name: str, option: Option, node: ScalarNode, found: DeclaredOption
) -> dict[str, Any]:
    """Read a property string written as one text, remembering where each part begins."""
    parts = read_properties(option, node.raw)
    places = _part_places(option, node)
    found.places.update({(name, key): place for key, place in places.items()})
    values: dict[str, Any] = {}
    for key, text in parts.items():
        known = option.keys.get(key)
        try:
            values[key] = text if known is None else read_scalar(known.scalar, text)
        except ValueInvalid as failure:
            shown = ScalarNode(text, text, places.get(key, node.place))
            found.problems.append(problem_of(f"{name}.{key}", shown, failure))
    return values


def _part_places(option: Option, node: ScalarNode) -> Mapping[str, Position]:
    if not node.inline:
        return {}
    places: dict[str, Position] = {}
    offset = 0
    for part in node.raw.split(","):
        key, separator, _ = part.partition("=")
        key = key.strip() if separator else (option.default_key or "")
        key = option.aliases.get(key, key)
        column = node.inline + offset + len(part) - len(part.lstrip())
        places[key] = Position(node.place.file, node.place.line, column)
        offset += len(part) + 1
    return places
