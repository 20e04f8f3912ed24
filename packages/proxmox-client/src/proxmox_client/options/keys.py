"""What one key of a structured option accepts, and how its value is read and written."""

from __future__ import annotations

import re
from typing import Any, Final, cast

import attrs

from proxmox_client.options.formats import FORMATS
from proxmox_client.options.size import Size
from proxmox_client.wire.coerce import to_boolean, to_integer, to_number

SEPARATOR: Final = ";"
"""Between the entries of a list within a property string, where a comma is taken."""
_NAMES: Final = {
    "b": "true or false",
    "i": "a whole number",
    "f": "a number",
    "s": "a text",
    "z": "a size such as 32G",
    "l": "texts without semicolons",
}


@attrs.frozen
class Key:
    """One key of a structured option.

    Attributes:
        name: As PVE spells it.
        kind: `s` text, `b` boolean, `i` integer, `f` number, `z` size, `l` list of texts.
        renamed: Its name in Python, where that is another.
        required: PVE refuses an option without it.
        enum: The words allowed; empty for any.
        minimum: Lowest number.
        maximum: Highest number.
        min_length: Shortest text.
        max_length: Longest text.
        pattern: Regular expression that the whole text has to match.
        format: PVE's name of the text's format, where `formats` can judge it.
        requires: Another key that has to be given too.
    """

    name: str
    kind: str = "s"
    renamed: str | None = attrs.field(default=None, kw_only=True)
    required: bool = attrs.field(default=False, kw_only=True)
    enum: tuple[str, ...] = attrs.field(default=(), kw_only=True)
    minimum: float | None = attrs.field(default=None, kw_only=True)
    maximum: float | None = attrs.field(default=None, kw_only=True)
    min_length: int | None = attrs.field(default=None, kw_only=True)
    max_length: int | None = attrs.field(default=None, kw_only=True)
    pattern: str | None = attrs.field(default=None, kw_only=True)
    format: str | None = attrs.field(default=None, kw_only=True)
    requires: str | None = attrs.field(default=None, kw_only=True)

    @property
    def python(self) -> str:
        """Its name in Python."""
        return self.renamed or self.name

    @property
    def allowed(self) -> str:
        """Say what the key accepts."""
        if self.enum:
            return f"one of {', '.join(self.enum)}"
        if self.format is not None:
            return FORMATS[self.format][0]
        said = _NAMES[self.kind]
        if self.minimum is not None and self.maximum is not None:
            return f"{said} from {self.minimum} to {self.maximum}"
        if self.minimum is not None:
            return f"{said}, {self.minimum} or more"
        if self.maximum is not None:
            return f"{said}, {self.maximum} or less"
        if self.pattern is not None:
            return f"{said} that matches {self.pattern}"
        if self.max_length is not None:
            return f"{said} of {self.min_length or 0} to {self.max_length} characters"
        return said

    def read(self, value: Any) -> Any:
        """Bring a value, from PVE's text or from Python, to the key's type.

        Raises:
            ValueError: The key does not accept it.
        """
        found = self._typed(value)
        if self.kind in ("i", "f"):
            if self.minimum is not None and found < self.minimum:
                raise ValueError(value)
            if self.maximum is not None and found > self.maximum:
                raise ValueError(value)
            return found
        if self.kind != "b":
            self._check_text(self.write(found))
        return found

    def write(self, value: Any) -> str:
        """Write a typed value as PVE does."""
        if self.kind == "b":
            return "1" if value else "0"
        if self.kind == "l":
            return SEPARATOR.join(value)
        if self.kind == "f":
            return number_text(value)
        return str(value)

    def _typed(self, value: Any) -> Any:
        if self.kind == "b":
            return _instance(to_boolean(value), bool)
        if self.kind == "i":
            return _instance(value if isinstance(value, bool) else to_integer(value), int)
        if self.kind == "f":
            return _instance(value if isinstance(value, bool) else to_number(value), float, int)
        if self.kind == "z":
            return Size.of(value) if type(value) is int else Size(_instance(value, str))
        if self.kind == "l":
            return _entries(value)
        return str(value) if type(value) in (int, float) else _instance(value, str)

    def _check_text(self, text: str) -> None:
        check_text(text)
        if self.enum and text not in self.enum:
            raise ValueError(text)
        if self.min_length is not None and len(text) < self.min_length:
            raise ValueError(text)
        if self.max_length is not None and len(text) > self.max_length:
            raise ValueError(text)
        if self.format is not None and not FORMATS[self.format][1](text):
            raise ValueError(text)
        if self.pattern is not None and not re.fullmatch(self.pattern, text):
            raise ValueError(text)


def check_text(text: str) -> None:
    """Refuse what the grammar of property strings cannot carry.

    Raises:
        ValueError: A comma, a line feed or blanks around.
    """
    if "," in text or "\n" in text or text != text.strip():
        raise ValueError(text)


def number_text(value: float) -> str:
    """Write a number without exponent, whole ones without a point."""
    if float(value).is_integer():
        return str(int(value))
    text = repr(value)
    if "e" not in text:
        return text
    from decimal import Decimal

    return f"{Decimal(text):f}"


def _instance(value: Any, *types: type[Any]) -> Any:
    if isinstance(value, types) and (type(value) is not bool or bool in types):
        return value
    raise ValueError(value)


def _entries(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(value.split(SEPARATOR)) if value else ()
    if not isinstance(value, (list, tuple)):
        raise ValueError(value)
    entries = tuple(str(entry) for entry in cast("list[object]", value))
    if any(SEPARATOR in entry for entry in entries) or entries == ("",):
        raise ValueError(entries)
    return entries
