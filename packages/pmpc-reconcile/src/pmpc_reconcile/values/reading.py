"""Read a value, from a manifest or from a server, into its canonical form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, cast
from urllib.parse import unquote

from pmpc_reconcile.kinds import Option, Scalar, Shape, ValueType
from pmpc_reconcile.values.disks import read_volume
from pmpc_reconcile.values.fields import FieldValue, Secret
from pmpc_reconcile.values.sizes import format_size, parse_size
from proxmox_client.values.propstring import PropertyString

_WHOLE: Final = re.compile(r"[+-]?\d{1,1000}")
_TRUE: Final = frozenset({"1", "on", "yes", "true"})
_FALSE: Final = frozenset({"0", "off", "no", "false"})
_MAC: Final = re.compile(r"[0-9A-F]{2}(:[0-9A-F]{2}){5}")
_SEPARATORS: Final = re.compile(r"[\s,;]+")


class ValueInvalid(ValueError):
    """A text is not a value of its type.

    Attributes:
        expected: What it should be: `a whole number`.
        hint: What to write instead.
    """

    def __init__(self, expected: str, hint: str | None = None) -> None:
        self.expected = expected
        self.hint = hint
        super().__init__(f"must be {expected}")


def read_scalar(scalar: Scalar, value: object, raw: str | None = None) -> str | int | float | bool:
    """Read one value.

    Args:
        scalar: What it has to be.
        value: The value: text, number, boolean, or a list where entries are allowed.
        raw: How it was written, when that is known; text options keep it (`1.10`, `0660`).

    Raises:
        ValueInvalid: It is not of that type. Ranges and words are not checked here.
    """
    if scalar.type is ValueType.BOOLEAN:
        return _boolean(value)
    if scalar.type is ValueType.INTEGER:
        return _integer(value)
    if scalar.type is ValueType.NUMBER:
        return _number(value)
    if scalar.separator is None and isinstance(value, list | tuple):
        raise ValueInvalid("a single value")
    return _worded(scalar, value, raw)


def _worded(scalar: Scalar, value: object, raw: str | None) -> str:
    if scalar.type is ValueType.SIZE:
        return _size(value, raw)
    if scalar.type is ValueType.MAC:
        return _mac(value, raw)
    return _text(scalar, value, raw)


def _boolean(value: object) -> bool:
    word = str(value).strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueInvalid("on or off", "yes, no, true, false, 1 and 0 are accepted too")


def _integer(value: object) -> int:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if not isinstance(value, bool) and _WHOLE.fullmatch(str(value).strip()):
        return int(str(value))
    raise ValueInvalid("a whole number")


def _number(value: object) -> int | float:
    text = str(value).strip()
    if isinstance(value, bool) or not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)", text):
        raise ValueInvalid("a number")
    number = float(text)
    return int(number) if number.is_integer() else number


def _size(value: object, raw: str | None) -> str:
    text = raw if raw is not None else str(value)
    try:
        return format_size(parse_size(text))
    except ValueError:
        raise ValueInvalid("a size such as 32G or 512M") from None


def _mac(value: object, raw: str | None) -> str:
    text = (raw if raw is not None else str(value)).upper().replace("-", ":")
    if not _MAC.fullmatch(text):
        raise ValueInvalid("a MAC address such as BC:24:11:00:00:01", "quote it")
    return text


def _text(scalar: Scalar, value: object, raw: str | None) -> str:
    if isinstance(value, list | tuple):
        entries = [str(entry) for entry in cast("list[object]", value)]
    elif isinstance(value, bool) and scalar.enum:
        return _word(scalar, value, raw)
    else:
        text = raw if raw is not None else str(value)
        if isinstance(value, bool) and raw is None:
            text = text.lower()
        if scalar.separator is None:
            return text
        entries = text.split(scalar.separator)
    entries = [entry.strip() for entry in entries if entry.strip()]
    return (scalar.separator or "").join(sorted(set(entries)) if scalar.unordered else entries)


def _word(scalar: Scalar, value: bool, raw: str | None) -> str:
    """Find the word of an enumeration that `true` or `false` stands for (`discard: true`)."""
    for word in ("on", "yes", "1", "true") if value else ("off", "no", "0", "false"):
        if word in scalar.enum:
            return word
    return raw if raw is not None else str(value).lower()


def read_properties(option: Option, text: str) -> dict[str, str]:
    """Split a property string into its keys, aliases resolved; values are still text.

    Raises:
        ValueInvalid: It is not a property string.
    """
    try:
        parts = PropertyString.parse(text, default_key=option.default_key)
    except ValueError as failure:
        raise ValueInvalid(f"a list of key=value parts ({failure})") from None
    return {key: str(value) for key, value in resolve_aliases(option, parts).items()}


def resolve_aliases(option: Option, parts: Mapping[str, Any]) -> dict[str, Any]:
    """Give keys their real names: `virtio=BC:24:…` is model `virtio` with that `macaddr`."""
    found: dict[str, Any] = {}
    for key, value in parts.items():
        if key in option.models and key not in option.keys:
            model_key, value_key = option.models[key]
            found[model_key] = key
            found[value_key] = value
        else:
            found[option.aliases.get(key, key)] = value
    return found


def read_option(option: Option, value: object) -> dict[str | None, FieldValue]:
    """Read a server's value of an option as fields by key; the key None is the whole value.

    What cannot be understood is kept as it came: a server's value is never an error.
    """
    if option.shape in (Shape.PROPERTIES, Shape.DISK):
        try:
            parts: dict[str, str] = read_properties(option, str(value))
        except ValueInvalid:
            return {None: str(value)}
        keys = read_volume(parts, option.name, live=True) if option.shape is Shape.DISK else parts
        return {key: _lenient(option, key, text) for key, text in keys.items()}
    if option.shape is Shape.SET:
        return dict.fromkeys(read_set(value), True)
    return {None: read_single(option, value)}


def _lenient(option: Option, key: str, text: str | bool) -> FieldValue:
    known = option.keys.get(key)
    if known is None:
        return text
    try:
        return read_scalar(known.scalar, text)
    except ValueInvalid:
        return text


def read_single(option: Option, value: object, raw: str | None = None) -> FieldValue:
    """Read an option that has one value."""
    if option.shape is Shape.SECRET:
        return Secret(raw if raw is not None else str(value))
    if option.shape is Shape.TEXT:
        return str(value).rstrip("\n")
    if option.shape is Shape.ENCODED:
        return read_keys(value)
    if option.shape is Shape.LIST:
        return " ".join(_entries(value))
    if option.only_key is not None and isinstance(value, str):
        value = value.removeprefix(f"{option.only_key}=")
    try:
        return read_scalar(option.scalar, value, raw)
    except ValueInvalid:
        if raw is not None:
            raise
        return str(value)


def read_set(value: object) -> tuple[str, ...]:
    """Read tags: any separator, any order, lower case as PVE stores them by default."""
    return tuple(sorted({entry.lower() for entry in _entries(value)}))


def read_keys(value: object) -> str:
    """Read SSH keys, percent-encoded or plain, one per line."""
    text = "\n".join(_lines(value))
    if "%" in text and not re.search(r"\s", text.strip()):
        text = unquote(text)
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())


def _lines(value: object) -> list[str]:
    if isinstance(value, list | tuple):
        return [str(entry) for entry in cast("list[object]", value)]
    return [str(value)]


def _entries(value: object) -> list[str]:
    parts = [entry for line in _lines(value) for entry in _SEPARATORS.split(line)]
    return [entry for entry in parts if entry]
