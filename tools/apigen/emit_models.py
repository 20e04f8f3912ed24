"""Render `api/models/<area>.py`: typed results, and how each operation's answer is decoded."""

from __future__ import annotations

import attrs

from tools.apigen.merge import Facts, Key, Merged
from tools.apigen.naming import area, camel, unique, words
from tools.apigen.options import Catalogue
from tools.apigen.text import docstring, head

_PLAIN = {
    "string": ("s", "str", "text"),
    "integer": ("i", "int", "integer"),
    "number": ("f", "float", "number"),
    "boolean": ("b", "bool", "boolean"),
}


@attrs.frozen
class Answer:
    """How an operation's answer is typed and decoded.

    Attributes:
        annotation: Type of the result; model classes are prefixed with `m.`.
        decoder: Expression that builds the decoder.
    """

    annotation: str
    decoder: str


@attrs.define
class Area:
    """The classes of one area, in an order in which they can be read.

    Attributes:
        name: Of the area.
        catalogue: Classes of structured options.
        path: Of the operation whose answer is being typed.
        classes: Source lines by name.
    """

    name: str
    catalogue: Catalogue
    path: str = ""
    classes: dict[str, list[str]] = attrs.field(factory=dict[str, list[str]])


def build(
    operations: dict[Key, Merged], catalogue: Catalogue
) -> tuple[dict[str, Area], dict[Key, Answer]]:
    """Derive classes and answers from the corrected shapes."""
    areas: dict[str, Area] = {}
    answers: dict[Key, Answer] = {}
    for key, operation in operations.items():
        here = areas.setdefault(area(operation.path), Area(area(operation.path), catalogue))
        here.path = operation.path
        answers[key] = _answer(operation, here, _class_name(operation, operations))
    return areas, answers


def _class_name(operation: Merged, operations: dict[Key, Merged]) -> str:
    base = camel(*words(operation.path))
    if operation.method == "GET" or not _has_model(operations.get((operation.path, "GET"))):
        others = [
            m for m in ("POST", "PUT", "DELETE") if _has_model(operations.get((operation.path, m)))
        ]
        if operation.method == "GET" or others[:1] in ([], [operation.method]):
            return base
    return base + operation.method.capitalize()


def _has_model(operation: Merged | None) -> bool:
    return operation is not None and bool(
        _properties(operation.returns) or _properties(operation.returns.get("items") or {})
    )


def _properties(shape: Facts) -> Facts:
    return shape.get("properties") or {}


def _answer(operation: Merged, here: Area, name: str) -> Answer:
    shape = operation.returns
    if operation.starts_task:
        return Answer("str", "text")
    kind = _type(shape)
    if kind == "null":
        return Answer("None", "anything")
    if kind in _PLAIN:
        return Answer(_PLAIN[kind][1], _PLAIN[kind][2])
    source = f"`{operation.method} {operation.path}`"
    if kind == "object" and _properties(shape):
        _model(here, name, shape, f"What {source} answers.")
        return Answer(f"m.{name}", f'model("{here.name}", "{name}")')
    if kind == "array":
        return _list_answer(shape.get("items") or {}, here, name, source)
    return Answer("dict[str, Any]" if kind == "object" else "Any", "anything")


def _list_answer(items: Facts, here: Area, name: str, source: str) -> Answer:
    kind = _type(items)
    if kind in _PLAIN:
        return Answer(f"list[{_PLAIN[kind][1]}]", f"listed({_PLAIN[kind][2]})")
    if _properties(items):
        _model(here, f"{name}Item", items, f"An entry of what {source} answers.")
        return Answer(f"Results[m.{name}Item]", f'models("{here.name}", "{name}Item")')
    return Answer("list[dict[str, Any]]" if kind == "object" else "list[Any]", "anything")


def _type(shape: Facts) -> str:
    if "oneOf" in shape:
        return "any"
    return str(shape.get("type") or ("object" if _properties(shape) else "any"))


def _model(here: Area, name: str, shape: Facts, summary: str) -> None:
    """Add a class, after those it refers to."""
    if name in here.classes:
        raise ValueError(f"two classes are called {name}")
    here.classes[name] = []
    fields = dict(sorted(_properties(shape).items()))
    names = unique(list(fields))
    kinds: list[str] = []
    lines: list[str] = []
    typed: dict[str, tuple[str, str]] = {}
    for wire, facts in fields.items():
        if option := _option(here, wire, facts):
            typed[names[wire]] = option
        kind, annotation = _field(here, name + camel(names[wire]), facts)
        kinds.append(f"{wire}:{kind}")
        if wire.endswith("[n]"):
            family = f"dict[int, {annotation}]"
            lines.append(f"    {names[wire]}: {family} = attrs.field(factory={family})")
        elif facts.get("optional"):
            lines.append(f"    {names[wire]}: {_or_none(annotation)} = None")
        else:
            lines.append(f"    {names[wire]}: {annotation}")
    here.classes[name] = [
        *_typed_options(name, typed),
        "@result",
        f"class {name}(Model):",
        *docstring("    ", summary),
        "",
        *_wire(kinds),
        "",
        *lines,
        "",
        *_typed_property(name, typed),
        "",
    ]


def _option(here: Area, wire: str, facts: Facts) -> tuple[str, str] | None:
    """Name the class of a field that is a structured option, and the field's typed form."""
    entry = facts.get("items") or {} if facts.get("type") == "array" else facts
    option = here.catalogue.find(here.path, wire, entry)
    if option is None and entry.get("type") == "object" and not _properties(entry):
        option = here.catalogue.parsed(here.path, wire)
    if option is None:
        return None
    if wire.endswith("[n]"):
        return option, f"dict[int, o.{option}]"
    if entry is not facts:
        return option, f"list[o.{option}] | None"
    return option, f"o.{option} | None"


def _typed_options(name: str, typed: dict[str, tuple[str, str]]) -> list[str]:
    if not typed:
        return []
    pairs = [f'        "{field}": "{option}",' for field, (option, _) in typed.items()]
    return [
        f"class {name}Options(TypedOptions):",
        *docstring("    ", f"The structured options of `{name}` as values."),
        "",
        "    __slots__ = ()",
        "    __options__ = {",
        *pairs,
        "    }",
        "",
        *(f"    {field}: {annotation}" for field, (_, annotation) in typed.items()),
        "",
        "",
    ]


def _typed_property(name: str, typed: dict[str, tuple[str, str]]) -> list[str]:
    if not typed:
        return []
    return [
        "    @property",
        f"    def typed(self) -> {name}Options:",
        '        """Structured options as values: `typed.FIELD` of a field that holds text."""',
        f"        return {name}Options(self)",
        "",
    ]


def _or_none(annotation: str) -> str:
    return annotation if annotation == "Any" else f"{annotation} | None"


def _wire(kinds: list[str]) -> list[str]:
    rows: list[str] = [""]
    for kind in kinds:
        if len(rows[-1]) + len(kind) > 84:
            rows.append("")
        rows[-1] += f"{kind} "
    rows[-1] = rows[-1].rstrip()
    if len(rows) == 1:
        return [f'    __wire__ = "{rows[0]}"']
    return ["    __wire__ = (", *(f'        "{row}"' for row in rows), "    )"]


def _field(here: Area, name: str, facts: Facts) -> tuple[str, str]:
    kind = _type(facts)
    if kind in _PLAIN:
        return _PLAIN[kind][:2]
    if kind == "object" and _properties(facts):
        _model(here, name, facts, "A part of the answer.")
        return f"@{name}", name
    if kind == "array":
        items: Facts = facts.get("items") or {}
        inner = f"{name}Item" if _properties(items) else name
        entry, annotation = _field(here, inner, items)
        return f"*{entry}", f"list[{annotation}]"
    return "a", "dict[str, Any]" if kind == "object" else "Any"


def render(here: Area) -> str:
    """Write the module of one area."""
    body = [line for lines in here.classes.values() for line in lines]
    text = "\n".join(body)
    options = "TypedOptions" in text
    typing = [*(["TYPE_CHECKING"] if options else []), *(["Any"] if "Any" in text else [])]
    imports = [f"from typing import {', '.join(typing)}"] if typing else []
    if "attrs." in text:
        imports += ["", "import attrs"] if imports else ["import attrs"]
    if options:
        imports += ["", "from proxmox_client.options.typed import TypedOptions"]
    elif body:
        imports.append("")
    if body:
        imports.append("from proxmox_client.wire.model import Model, result")
    if options:
        imports += ["", "if TYPE_CHECKING:", "    from proxmox_client import options as o"]
    if body:
        imports += ["", ""]
    lines = head(f"Typed results of the operations of the area `{here.name}`.", imports)
    return "\n".join([*lines, text]).rstrip("\n") + "\n"
