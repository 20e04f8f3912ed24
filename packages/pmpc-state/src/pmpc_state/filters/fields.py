"""The fields a filter or a sort order may name: of resources, and of whatever else is listed."""

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
    MOMENT = "moment"
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
    CLUSTER = "cluster"
    SHARED = "shared"
    SEEN_AT = "seen_at"
    PROVEN_AT = "proven_at"
    VALID_FROM = "valid_from"
    VALID_TO = "valid_to"
    COLUMN = "column"


@attrs.frozen
class Field:
    """A field.

    Attributes:
        name: As it is written.
        path: The way to it inside the document or the facts; empty for columns.
        also: Other ways, where the first leads to nothing.
        choices: All values there are; empty where any will do.
    """

    name: str
    type: FieldType
    place: Place
    path: tuple[str, ...] = ()
    also: tuple[tuple[str, ...], ...] = ()
    choices: tuple[str, ...] = ()


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


@attrs.frozen
class FieldTable:
    """The fields of what one list holds.

    Attributes:
        of: What is listed, for people: `plans`.
        fields: By name.
        words: Names of the fields a single word is compared with.
        has_options: Whether `config.X` and `pending.X` name any option.
    """

    of: str
    fields: Mapping[str, Field]
    words: tuple[str, ...] = ()
    has_options: bool = False

    def named(self, name: str) -> Field | None:
        """Return the field of a name, None if there is none."""
        if name in self.fields:
            return self.fields[name]
        option = _OPTION.fullmatch(name) if self.has_options else None
        if option is None:
            return None
        path = (option.group(1), *option.group(2)[1:].split("."))
        return Field(name, FieldType.ANY, Place.DOCUMENT, path)

    def suggestion(self, name: str) -> str:
        """Return what to say about a field that is not there."""
        close = get_close_matches(name, self.fields, n=1)
        hint = f"did you mean {close[0]}?" if close else f"fields are {', '.join(self.fields)}"
        option = f" (any option: config.{name})" if self.has_options else ""
        return f"there is no field {name}; {hint}{option}"


RESOURCES: Final = FieldTable("resources", FIELDS, ("key", "name"), has_options=True)
"""The fields of resources of every kind."""


def field_named(name: str) -> Field | None:
    """Return the field of resources of a name, None if there is none."""
    return RESOURCES.named(name)
