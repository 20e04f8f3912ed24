"""Every operation decodes answers made from the API's facts, drifting ones too: nothing is lost."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, cast

import pytest

from proxmox_client import schema
from proxmox_client.api import operations as generated
from proxmox_client.options.typed import TypedOptions
from proxmox_client.schema import OperationFacts
from proxmox_client.wire.model import Model
from proxmox_client.wire.operation import Operation

Shape = Mapping[str, Any]
# What PVE sends instead of the promised type, by the type.
DRIFT: dict[str, list[Any]] = {
    "boolean": [1, 0, "1", True, None, "odd", 7],
    "integer": [5, "5", 5.0, None, "odd", {"a": 1}],
    "number": [0.5, "0.5", 3, "3", None, "odd"],
    "string": ["text", 12, 1.5, None, ["odd"]],
    "object": [{}, None, "odd"],
    "array": [[], None, {"a": 1}],
}
ROUNDS = 7

operations = pytest.mark.parametrize(
    "facts", [pytest.param(entry, id=entry.id) for entry in schema.operations()]
)


def _constants() -> Iterator[Operation[Any]]:
    for module in iter_modules(generated.__path__):
        for value in vars(import_module(f"{generated.__name__}.{module.name}")).values():
            if isinstance(value, Operation):
                yield cast("Operation[object]", value)


OPERATIONS = {operation.id: operation for operation in _constants()}


def kind(shape: Shape) -> str:
    return str(shape.get("type") or ("object" if shape.get("properties") else "any"))


def promised(shape: Shape, number: int = 0) -> Any:
    """Make an answer as the facts describe it."""
    form = kind(shape)
    if form == "object":
        fields: dict[str, Any] = {}
        properties: Mapping[str, Shape] = shape.get("properties") or {}
        for name, facts in properties.items():
            fields[name.replace("[n]", str(number))] = promised(facts, number)
        return fields
    if form == "array":
        return [promised(shape.get("items") or {}, entry) for entry in range(2)]
    if shape.get("enum") and form == "string":
        return shape["enum"][0]
    samples: dict[str, Any] = {"boolean": 1, "integer": 7, "number": 1.5, "null": None}
    return samples.get(form, "text")


def drifting(shape: Shape, turn: int) -> Any:
    """Make an answer in which some fields are not what the facts say."""
    form = kind(shape)
    if form == "object" and shape.get("properties"):
        fields: dict[str, Any] = {"brand-new-field": {"deep": [turn]}}
        properties: Mapping[str, Shape] = shape["properties"]
        for place, (name, facts) in enumerate(properties.items()):
            odd = DRIFT.get(kind(facts), [None])
            wire = name.replace("[n]", str(place))
            choice = (place + turn) % (len(odd) + 1)
            fields[wire] = drifting(facts, turn) if choice == len(odd) else odd[choice]
        return fields
    if form == "array":
        return [drifting(shape.get("items") or {}, turn + entry) for entry in range(3)]
    return promised(shape)


def plain(value: object) -> Any:
    if isinstance(value, Model):
        return value.to_dict()
    if isinstance(value, list):
        return [plain(entry) for entry in cast("list[object]", value)]
    return value


def lost(sent: Any, got: Any, path: str = "") -> list[str]:
    """List what a decoded answer does not hold any more; null counts as absent."""
    if isinstance(sent, dict) and isinstance(got, dict):
        theirs, ours = cast("dict[str, Any]", sent), cast("dict[str, Any]", got)
        known = {name: value for name, value in theirs.items() if value is not None}
        found = [f"{path}.{name}: absent" for name in known.keys() - ours.keys()]
        found += [f"{path}.{name}: invented" for name in ours.keys() - theirs.keys()]
        for name in known.keys() & ours.keys():
            found += lost(known[name], ours[name], f"{path}.{name}")
        return found
    if isinstance(sent, list) and isinstance(got, list):
        pairs = list(zip(cast("list[object]", sent), cast("list[object]", got), strict=True))
        return [text for n, (a, b) in enumerate(pairs) for text in lost(a, b, f"{path}[{n}]")]
    return [] if same(sent, got) else [f"{path}: {sent!r} became {got!r}"]


def same(sent: Any, got: Any) -> bool:
    """Tell whether two values say the same, whatever their type."""
    if isinstance(got, bool):
        return str(sent).lower() in (("1", "true") if got else ("0", "false"))
    return bool(sent == got) or str(sent) == str(got)


def typed(value: object) -> None:
    """Read all structured options of a result."""
    if isinstance(value, list):
        for entry in cast("list[object]", value):
            typed(entry)
    elif isinstance(value, Model):
        options: TypedOptions | None = getattr(value, "typed", None)
        if options is not None:
            options.to_dict()


@operations
def test_answers_as_the_facts_promise_are_decoded(facts: OperationFacts) -> None:
    sent = "UPID:x" if facts.starts_task else promised(facts.returns)
    result = OPERATIONS[facts.id].decode(copy.deepcopy(sent))
    assert lost(sent, plain(result)) == []
    if facts.starts_task:
        return
    typed(result)
    items: Shape = facts.returns.get("items") or {}
    if facts.returns.get("properties"):
        assert isinstance(result, Model)
        assert not result.extra
    elif items.get("properties"):
        assert all(isinstance(entry, Model) and not entry.extra for entry in result)


@operations
def test_drifting_answers_are_decoded_with_nothing_lost(facts: OperationFacts) -> None:
    for turn in range(ROUNDS):
        sent = drifting(facts.returns, turn)
        result = OPERATIONS[facts.id].decode(copy.deepcopy(sent))
        assert lost(sent, plain(result)) == []
        typed(result)
        repr(result)


@pytest.mark.parametrize(
    "data", [None, 1, "text", {}, [], {"a": {"b": 1}}, [None, 1, "x", {"a": 1}]]
)
def test_answers_of_any_shape_are_handed_on_by_every_operation(data: Any) -> None:
    for operation in OPERATIONS.values():
        result = operation.decode(copy.deepcopy(data))
        assert lost(data, plain(result)) == [], operation.id
