"""The values that describe options: what a value accepts, and how it is built."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping

import attrs

from pmpc_reconcile.kinds.definition import Kind

Plain = str | int | float | bool


class ValueType(enum.Enum):
    """What one value is, once it is read."""

    TEXT = "text"
    INTEGER = "a whole number"
    NUMBER = "a number"
    BOOLEAN = "a boolean"
    SIZE = "a size"
    MAC = "a MAC address"


class Shape(enum.Enum):
    """How an option's value is built, and so which fields it has."""

    SCALAR = "scalar"
    PROPERTIES = "properties"
    DISK = "disk"
    SET = "set"
    LIST = "list"
    TEXT = "text"
    ENCODED = "encoded"
    SECRET = "secret"  # noqa: S105  # the name of a shape


@attrs.frozen(kw_only=True)
class Scalar:
    """What a single value accepts.

    Attributes:
        type: Its type.
        enum: The words allowed; empty for any.
        minimum: Lowest number.
        maximum: Highest number.
        min_length: Shortest text.
        max_length: Longest text.
        pattern: What the whole text has to match.
        format: PVE's name of the text's format, if any.
        default: What PVE takes when nothing is written; None when unknown or nothing.
        separator: Separator of entries, where the text has several.
        unordered: The order of the entries says nothing.
    """

    type: ValueType
    enum: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: re.Pattern[str] | None = None
    format: str | None = None
    default: Plain | None = None
    separator: str | None = None
    unordered: bool = False


@attrs.frozen(kw_only=True)
class PropertyKey:
    """One key of a property string."""

    name: str
    scalar: Scalar
    required: bool


@attrs.frozen(kw_only=True)
class Option:
    """One option, or one indexed family of options.

    Attributes:
        name: Without an index: `cores`, `net`.
        slots: Members of the family; None for a single option.
        shape: How the value is built.
        scalar: What the value accepts (its text for property strings).
        keys: Keys of a property string, aliases left out.
        default_key: The key whose name may be left out.
        only_key: The one key of a property string that counts as a single value.
        aliases: Other names of keys.
        models: Keys whose name is itself the value of another key: `virtio` → (`model`, `macaddr`).
    """

    name: str
    slots: int | None
    shape: Shape
    scalar: Scalar
    keys: Mapping[str, PropertyKey] = attrs.field(factory=dict[str, PropertyKey])
    default_key: str | None = None
    only_key: str | None = None
    aliases: Mapping[str, str] = attrs.field(factory=dict[str, str])
    models: Mapping[str, tuple[str, str]] = attrs.field(factory=dict[str, tuple[str, str]])


_INDEXED = re.compile(r"(?P<stem>.*?[A-Za-z_-])(?P<index>0|[1-9]\d*)")


@attrs.frozen
class OptionSet:
    """The options of one kind in one version.

    Attributes:
        kind: The kind they belong to.
        version: The PVE version whose API facts they come from; None for all versions merged.
        options: By the facts' name; that of a family ends in `[n]`.
    """

    kind: Kind
    version: str | None
    options: Mapping[str, Option]
    _found: dict[str, Option | None] = attrs.field(factory=dict[str, Option | None], eq=False)

    def find(self, name: str) -> Option | None:
        """Find the option a name such as `net0` stands for; None when there is none."""
        if name not in self._found:
            self._found[name] = self._search(name)
        return self._found[name]

    def _search(self, name: str) -> Option | None:
        option = self.options.get(name)
        if option is not None:
            return None if option.slots is not None else option
        match = _INDEXED.fullmatch(name)
        option = self.options.get(f"{match['stem']}[n]") if match else None
        if match and option and option.slots is not None and int(match["index"]) < option.slots:
            return option
        return None

    def names(self) -> list[str]:
        """List names for suggestions: every single option and the first slots of families."""
        found: list[str] = []
        for option in self.options.values():
            if option.slots is None:
                found.append(option.name)
            else:
                found.extend(f"{option.name}{index}" for index in range(min(option.slots, 10)))
        return found
