"""The fields of a class of values, from the types its fields are declared with.

So whoever adds a field to what a list returns can filter and sort by it, and nobody can name a
field that is not there.
"""

from __future__ import annotations

import enum
import functools
from collections.abc import Iterable
from datetime import datetime
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Union, cast, get_args, get_origin, get_type_hints

import attrs

from pmpc_state.filters.fields import RESOURCES, Field, FieldTable, FieldType, Place

_TYPES: Final[dict[object, FieldType]] = {
    str: FieldType.TEXT,
    int: FieldType.NUMBER,
    float: FieldType.NUMBER,
    bool: FieldType.FLAG,
    datetime: FieldType.MOMENT,
}


@attrs.frozen
class Kept:
    """Where the value of a field is kept.

    Attributes:
        place: The document, the facts, or a column.
        paths: Ways to it inside the document or the facts; the first that leads to something.
    """

    place: Place
    paths: tuple[tuple[str, ...], ...] = ()


def option(*paths: str) -> Kept:
    """Keep a field in an option of the configuration: `option("auto-rebalance")`."""
    return Kept(Place.DOCUMENT, tuple(("config", *path.split(".")) for path in paths))


def fact(*paths: str) -> Kept:
    """Keep a field in a volatile fact: `fact("maxmem")`."""
    return Kept(Place.FACTS, tuple(tuple(path.split(".")) for path in paths))


def column(place: Place) -> Kept:
    """Keep a field in a column of its own."""
    return Kept(place)


@attrs.frozen
class Declared:
    """A field of a class of values, as declared.

    Attributes:
        type: Its type, without `None`.
        is_optional: Whether it may be None.
        kept: Where it is kept, None where nothing says so.
    """

    name: str
    type: Any
    is_optional: bool
    kept: Kept | None


def declared(of: Any) -> tuple[Declared, ...]:
    """Return the fields of a class of values in their order."""
    return _of_class(of)


@functools.cache
def _of_class(of: Any) -> tuple[Declared, ...]:
    hints = get_type_hints(of, include_extras=True)
    return tuple(_declared(one.name, hints[one.name]) for one in attrs.fields(of))


def _declared(name: str, hint: Any) -> Declared:
    kept: Kept | None = None
    if get_origin(hint) is Annotated:
        hint, *notes = get_args(hint)
        kept = next((note for note in notes if isinstance(note, Kept)), None)
    if get_origin(hint) in (Union, UnionType):
        parts = [part for part in get_args(hint) if part is not NoneType]
        is_optional = len(parts) < len(get_args(hint))
        return Declared(name, parts[0] if len(parts) == 1 else hint, is_optional, kept)
    return Declared(name, hint, is_optional=False, kept=kept)


@functools.cache
def table_of(values: type[attrs.AttrsInstance], of: str, words: tuple[str, ...] = ()) -> FieldTable:
    """Return the fields of what a list returns; those that are documents cannot be named."""
    found = (_column(one) for one in declared(values))
    return FieldTable(of, {one.name: one for one in found if one is not None}, words)


def _column(one: Declared) -> Field | None:
    if isinstance(one.type, enum.EnumMeta):
        members = cast("Iterable[enum.Enum]", one.type)
        choices = tuple(str(member.value) for member in members)
        return Field(one.name, FieldType.TEXT, Place.COLUMN, choices=choices)
    kind = _TYPES.get(one.type)
    return None if kind is None else Field(one.name, kind, Place.COLUMN)


def resource_table(model: Any, of: str, words: tuple[str, ...] = ()) -> FieldTable:
    """Return the fields of a read model, and those all resources have."""
    found: dict[str, Field] = dict(RESOURCES.fields)
    for one in declared(model):
        kind = FieldType.LIST if one.type == tuple[str, ...] else _TYPES.get(one.type)
        kept = option(one.name) if one.kept is None else one.kept
        if kind is not None:
            path, *also = kept.paths or ((),)
            found[one.name] = Field(one.name, kind, kept.place, path, tuple(also))
    return FieldTable(of, found, words or RESOURCES.words, has_options=True)
