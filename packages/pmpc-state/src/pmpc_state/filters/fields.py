"""The fields a filter or a sort order may name."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Final

import attrs


class FieldType(enum.Enum):
    """What a field's values are."""

    TEXT = "text"
    NUMBER = "number"
    FLAG = "flag"
    LIST = "list"
    ANY = "any"


class Place(enum.Enum):
    """Where a field's value is kept."""

    KEY = "key"
    NAME = "name"
    KIND = "kind"
    UID = "uid"
    NODE = "node"
    STATUS = "status"
    KNOWN = "known"
    REASON = "reason"
    FACTS = "facts"
    DOCUMENT = "document"


@attrs.frozen
class Field:
    """A field.

    Attributes:
        name: As it is written.
        path: The way to it inside the document or the facts; empty for columns.
    """

    name: str
    type: FieldType
    place: Place
    path: tuple[str, ...] = ()


def _facts(type_: FieldType, *names: str) -> list[Field]:
    return [Field(name, type_, Place.FACTS, (name,)) for name in names]


_FIXED: Final = (
    Field("kind", FieldType.TEXT, Place.KIND),
    Field("key", FieldType.TEXT, Place.KEY),
    Field("vmid", FieldType.NUMBER, Place.KEY),
    Field("name", FieldType.TEXT, Place.NAME),
    Field("uid", FieldType.TEXT, Place.UID),
    Field("node", FieldType.TEXT, Place.NODE),
    Field("status", FieldType.TEXT, Place.STATUS),
    Field("known", FieldType.FLAG, Place.KNOWN),
    Field("reason", FieldType.TEXT, Place.REASON),
    Field("tags", FieldType.LIST, Place.DOCUMENT, ("config", "tags")),
    Field("template", FieldType.FLAG, Place.FACTS, ("template",)),
    *_facts(FieldType.TEXT, "pool", "lock", "hastate"),
    *_facts(
        FieldType.NUMBER,
        "cpu", "maxcpu", "mem", "maxmem", "disk", "maxdisk", "uptime",
        "netin", "netout", "diskread", "diskwrite",
    ),
)  # fmt: skip
FIELDS: Final[Mapping[str, Field]] = {field.name: field for field in _FIXED}
"""The fields with a name of their own; `config.X` and `pending.X` name any option."""

_OPTION: Final = re.compile(r"(config|pending)((?:\.[\w-]+)+)")


def field_named(name: str) -> Field | None:
    """Return the field of a name, None if there is none."""
    if name in FIELDS:
        return FIELDS[name]
    option = _OPTION.fullmatch(name)
    if option is None:
        return None
    path = (option.group(1), *option.group(2)[1:].split("."))
    return Field(name, FieldType.ANY, Place.DOCUMENT, path)


def suggestion(name: str) -> str:
    """Return what to say about a field that is not there."""
    close = get_close_matches(name, FIELDS, n=1)
    hint = f"did you mean {close[0]}?" if close else f"fields are {', '.join(FIELDS)}"
    return f"there is no field {name}; {hint} (any option: config.{name})"
