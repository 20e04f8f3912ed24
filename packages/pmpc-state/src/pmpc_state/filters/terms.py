"""Filters and sort orders as values; `str()` gives back text that parses to an equal value."""

from __future__ import annotations

import enum
import re
from typing import Final

import attrs

from pmpc_state.filters.fields import Field

KEYWORDS: Final = frozenset({"and", "or", "not", "has", "in", "is", "like"})
_PLAIN: Final = re.compile(r"[^\s()=!<>~,\"']+")


class Operator(enum.Enum):
    """How a field is compared with a value."""

    EQUAL = "="
    UNEQUAL = "!="
    LESS = "<"
    AT_MOST = "<="
    GREATER = ">"
    AT_LEAST = ">="
    CONTAINS = "~"


@attrs.frozen
class Value:
    """A value as it was written, and the number it is, if it is one."""

    text: str
    number: float | None = attrs.field(default=None)

    def __str__(self) -> str:
        return quoted(self.text)


@attrs.frozen
class All:
    """Everything: the empty filter."""

    def __str__(self) -> str:
        return ""


@attrs.frozen
class Named:
    """The name, the key or the address (`qemu/100`) is a word."""

    word: str

    def __str__(self) -> str:
        return quoted(self.word)


@attrs.frozen
class Compare:
    """A field compared with a value."""

    field: Field
    operator: Operator
    value: Value

    def __str__(self) -> str:
        return f"{self.field.name}{self.operator.value}{self.value}"


@attrs.frozen
class Like:
    """A text field matches a pattern with `*` and `?`, whatever the case; a name also by key."""

    field: Field
    pattern: str

    def __str__(self) -> str:
        return f"{self.field.name} like {quoted(self.pattern)}"


@attrs.frozen
class In:
    """A field is one of some values."""

    field: Field
    values: tuple[Value, ...]

    def __str__(self) -> str:
        return f"{self.field.name} in ({', '.join(map(str, self.values))})"


@attrs.frozen
class Has:
    """A list has a member."""

    field: Field
    value: Value

    def __str__(self) -> str:
        return f"{self.field.name} has {self.value}"


@attrs.frozen
class IsSet:
    """A field has a value at all."""

    field: Field
    wanted: bool

    def __str__(self) -> str:
        return f"{self.field.name} is {'set' if self.wanted else 'unset'}"


@attrs.frozen
class Not:
    """Whatever another filter does not match."""

    part: Filter

    def __str__(self) -> str:
        return f"not ({self.part})"


@attrs.frozen
class And:
    """Whatever all parts match."""

    parts: tuple[Filter, ...]

    def __str__(self) -> str:
        return " and ".join(f"({part})" for part in self.parts)


@attrs.frozen
class Or:
    """Whatever some part matches."""

    parts: tuple[Filter, ...]

    def __str__(self) -> str:
        return " or ".join(f"({part})" for part in self.parts)


Filter = All | Named | Compare | Like | In | Has | IsSet | Not | And | Or


@attrs.frozen
class Sort:
    """One field of a sort order; written `name`, or `-name` for descending."""

    field: Field
    descending: bool = False

    def __str__(self) -> str:
        return f"{'-' if self.descending else ''}{self.field.name}"


def quoted(text: str) -> str:
    """Return a word as it must be written in a filter."""
    if _PLAIN.fullmatch(text) and text.lower() not in KEYWORDS:
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
