"""From a recorded resource to its read model: the one place where options become typed fields.

A text that is not what its field says is None there, never an error: a record shows what PVE has,
and what a field cannot hold is still in `config` and in `rest`.
"""

from __future__ import annotations

import collections.abc
import functools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, TypeVar, cast, get_args, get_origin

import attrs

from pmpc_state.filters.fields import FieldTable, Place
from pmpc_state.filters.tables import Declared, declared, resource_table
from pmpc_state.readmodels.base import ReadModel, Slots
from pmpc_state.values.observed import Resource
from proxmox_client.options import OptionValue, find

ModelT = TypeVar("ModelT", bound=ReadModel)
_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_SPLIT: Final = re.compile(r"[,;\s]+")
_TRUE: Final = ("1", "true", "yes", "on")
_FALSE: Final = ("0", "false", "no", "off")
_MISSING: Final = object()


def read_model(model: type[ModelT], resource: Resource) -> ModelT:
    """Return a resource as a typed read model."""
    values = {one.name: _field(one, resource) for one in declared(model)}
    values["rest"] = _rest(model, resource, values)
    return model(**values)


def field_table(model: type[ReadModel]) -> FieldTable:
    """Return the fields a filter over a read model may name."""
    return resource_table(model, " and ".join(model.KINDS))


def convert(wanted: Declared, value: Any) -> Any:
    """Return a value as the type of a field; None, or empty for a list, where it is none."""
    made = None if value is None else _converter(wanted.type)(value)
    if made is None and not wanted.is_optional:
        kind: object = get_origin(wanted.type) or wanted.type
        return _EMPTY.get(kind)
    return made


def _field(one: Declared, resource: Resource) -> Any:
    if one.kept is None:
        option = (("config", one.name),)
        return convert(one, _first(_document(resource), option))
    if isinstance(one.kept, Slots):
        return _slots(one.kept, resource)
    match one.kept.place:
        case Place.DOCUMENT:
            return convert(one, _first(_document(resource), one.kept.paths))
        case Place.FACTS:
            return convert(one, _first(resource.volatile, one.kept.paths))
        case Place.SHARED:
            return _is_shared(resource)
        case place:
            return convert(one, getattr(resource, place.value))


def _is_shared(resource: Resource) -> bool:
    nodes = _mapped(resource.volatile.get("nodes"))
    return any(str(_mapped(one).get("shared")).lower() in _TRUE for one in nodes.values())


def _document(resource: Resource) -> Mapping[str, Any]:
    return {"config": resource.config, "pending": resource.pending}


def _first(document: Mapping[str, Any], paths: Sequence[tuple[str, ...]]) -> Any:
    for path in paths:
        found: Any = document
        for name in path:
            found = _mapped(found).get(name, _MISSING)
        if found is not _MISSING and found is not None:
            return found
    return None


def _mapped(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def _slots(slots: Slots, resource: Resource) -> Mapping[str, OptionValue]:
    found: dict[str, OptionValue] = {}
    for name, value in resource.config.items():
        made = find(resource.kind, name) if slots.holds(name) else None
        if made is not None:
            found[name] = made.read(value)
    return MappingProxyType(found)


def _rest(
    model: type[ReadModel], resource: Resource, values: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Return the options no field shows: unknown ones, and those that are not what a field says."""
    shown, slots = _shown(model)
    named = (resource.key, resource.name)
    found = {
        name: value
        for name, value in resource.config.items()
        if not any(slot.holds(name) for slot in slots)
        and not (isinstance(value, str) and value in named)
        and all(values[field] is None for field in shown.get(name, ()))
    }
    return MappingProxyType(found)


def _shown(model: Any) -> tuple[Mapping[str, tuple[str, ...]], tuple[Slots, ...]]:
    """Return which fields show which option, and the families of options that are shown."""
    return _shown_by(model)


@functools.cache
def _shown_by(model: Any) -> tuple[Mapping[str, tuple[str, ...]], tuple[Slots, ...]]:
    shown: dict[str, tuple[str, ...]] = {}
    slots: list[Slots] = []
    for one in declared(model):
        if isinstance(one.kept, Slots):
            slots.append(one.kept)
            continue
        paths = (("config", one.name),) if one.kept is None else one.kept.paths
        for path in paths:
            if path[0] == "config" and len(path) > 1:
                shown[path[1]] = (*shown.get(path[1], ()), one.name)
    return shown, tuple(slots)


def _converter(wanted: Any) -> Callable[[Any], Any]:
    origin, arguments = get_origin(wanted), get_args(wanted)
    if origin is tuple:
        return _texts if arguments[0] is str else _documents
    if origin is collections.abc.Mapping:
        return _mapping
    if isinstance(wanted, type) and issubclass(wanted, OptionValue):
        return _structured(wanted)
    return _SCALARS.get(cast("object", wanted), _same)


def _same(value: Any) -> Any:
    return value


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, str | int | float):
        return str(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _real(value: Any) -> float | None:
    if isinstance(value, int | float):
        return float(value)
    # Some numbers have keys beside them (`memory: current=2048`): the first part is the number.
    first = str(value).partition(",")[0].rpartition("=")[2]
    return float(first) if _NUMBER.fullmatch(first) else None


def _whole(value: Any) -> int | None:
    if isinstance(value, int):
        return int(value)
    found = _real(value)
    return None if found is None or found != int(found) else int(found)


def _flag(value: Any) -> bool | None:
    word = _text(value).lower()
    return True if word in _TRUE else False if word in _FALSE else None


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, list | tuple):
        return tuple(_text(one) for one in cast("Sequence[Any]", value))
    if isinstance(value, Mapping):
        return tuple(sorted(cast("Mapping[str, Any]", value)))
    return tuple(part for part in _SPLIT.split(str(value)) if part)


def _documents(value: Any) -> tuple[Mapping[str, Any], ...]:
    if isinstance(value, Mapping):
        named = cast("Mapping[str, Any]", value)
        return tuple(
            MappingProxyType({"name": name, **_mapped(one)}) for name, one in named.items()
        )
    entries = cast("Sequence[Any]", value if isinstance(value, list | tuple) else ())
    return tuple(MappingProxyType(dict(_mapped(one))) for one in entries)


def _mapping(value: object) -> Mapping[str, Any] | None:
    found = _mapped(value)
    return MappingProxyType(dict(found)) if found or value == {} else None


def _structured(made: type[OptionValue]) -> Callable[[Any], OptionValue]:
    return made.read


_SCALARS: Final[dict[object, Callable[[Any], Any]]] = {
    str: _text,
    int: _whole,
    float: _real,
    bool: _flag,
}
_EMPTY: Final[dict[object, Any]] = {
    tuple: (),
    str: "",
    int: 0,
    bool: False,
    collections.abc.Mapping: MappingProxyType({}),
}


def field_names(model: type[ReadModel]) -> tuple[str, ...]:
    """Return the names of a model's fields."""
    return tuple(one.name for one in attrs.fields(model))
