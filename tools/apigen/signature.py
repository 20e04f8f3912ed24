"""Python signatures of operations: parameter names and types."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import attrs

from tools.apigen.emit_operations import family_keys, required
from tools.apigen.merge import Facts, Merged, Span
from tools.apigen.naming import attribute
from tools.apigen.options import Catalogue

PROPERTIES = "str | Mapping[str, object]"
Find = Callable[[Facts], str | None]


@attrs.frozen
class Argument:
    """One keyword of a method.

    Attributes:
        name: In Python.
        key: Under which it is handed on: the wire name, or the stem of a family.
        annotation: Its type, with `| None` where optional.
        required: It has no default.
        note: Since or until when PVE knows it, if that differs from the operation; else empty.
    """

    name: str
    key: str
    annotation: str
    required: bool
    note: str


def arguments(operation: Merged, versions: list[str], catalogue: Catalogue) -> list[Argument]:
    """List the keywords of an operation, required ones first."""
    needed = set(required(operation))
    families = family_keys(operation)
    found: list[Argument] = []
    taken: set[str] = set()
    names = [name for name in operation.parameters if name not in operation.placeholders]
    for name in sorted(names, key=lambda n: (n.endswith("[n]"), n)):
        spans = operation.parameters[name]
        python = attribute(name)
        python = f"{python}_n" if python in taken else python
        taken.add(python)
        annotation = _annotation(spans, partial(catalogue.find, operation.path, name))
        if name in families:
            annotation = f"Mapping[int, {annotation}]"
        found.append(
            Argument(
                name=python,
                key=families.get(name, name),
                annotation=annotation if name in needed else f"{annotation} | None",
                required=name in needed,
                note=_note(operation, spans, versions),
            )
        )
    return sorted(found, key=lambda argument: (not argument.required, argument.name))


def _note(operation: Merged, spans: list[Span], versions: list[str]) -> str:
    first, last = spans[0].first, spans[-1].last
    since = f"since {versions[first]}" if first > operation.first else ""
    until = f"until {versions[last]}" if last < operation.last else ""
    return ", ".join(part for part in (since, until) if part)


def _annotation(spans: list[Span], find: Find) -> str:
    """Type a parameter; where versions disagree on the type, each of them is accepted."""
    newest = spans[-1].facts
    types = {span.facts.get("type") for span in spans}
    if len(types) == 1:
        return type_of(newest, find)
    parts = [part for span in spans for part in type_of(span.facts, find).split(" | ")]
    return " | ".join(dict.fromkeys(parts))


def type_of(facts: Facts, find: Find) -> str:
    """Name the Python type of what a parameter accepts; `find` names the class of an option."""
    if "oneOf" in facts:
        parts = [type_of(choice, find) for choice in facts["oneOf"]]
        return " | ".join(dict.fromkeys(parts))
    kind = facts.get("type")
    if kind == "array":
        return f"Sequence[{type_of(facts.get('items') or {}, find)}]"
    if kind in ("boolean", "integer", "number"):
        return {"boolean": "bool", "integer": "int", "number": "float"}[kind]
    if kind == "string" or kind is None:
        return _text(facts, find)
    return "object"


def _text(facts: Facts, find: Find) -> str:
    shape = facts.get("format")
    option = find(facts)
    if option is not None:
        return f"{PROPERTIES} | o.{option}"
    if isinstance(shape, str) and (shape.endswith("-list") or shape == "urlencoded"):
        return "str | Sequence[str]"
    if facts.get("enum"):
        return (
            f"Literal[{', '.join(repr(str(v)).replace(chr(39), chr(34)) for v in facts['enum'])}]"
        )
    return "str"
