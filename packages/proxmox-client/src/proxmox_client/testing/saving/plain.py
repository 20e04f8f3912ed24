"""State as plain values and back: attrs classes of this package become tagged mappings."""

from __future__ import annotations

import base64
import importlib
from collections.abc import Mapping
from typing import Any, cast

import attrs

from proxmox_client.testing.saving.wirevalues import is_dict, is_list

_PACKAGE = "proxmox_client."


class Unsaveable(ValueError):
    """Something of a cluster has no saved form; the message says what and why."""


@attrs.frozen
class Tagged:
    """A value that needs more than a mapping, a list or a scalar.

    Attributes:
        tag: Class below `proxmox_client`, or `bytes`, `tuple`, `set`, `map`.
        value: Fields of a class by name, or what stands for the value.
    """

    tag: str
    value: Any


def to_plain(value: Any, where: str = "the cluster") -> Any:
    """Return plain and tagged values for a piece of state.

    Raises:
        Unsaveable: It holds a function, a generator or an object of a foreign class.
    """
    match value:
        case None | bool() | int() | float() | str():
            return value
        case bytes():
            return Tagged("bytes", base64.b64encode(value).decode())
        case _ if is_list(value):
            return [to_plain(entry, where) for entry in value]
        case tuple():
            return Tagged("tuple", [to_plain(part, where) for part in cast("Any", value)])
        case set() | frozenset():
            entries: list[Any] = sorted(cast("set[Any]", value), key=repr)
            return Tagged("set", [to_plain(entry, where) for entry in entries])
        case _ if is_dict(value):
            return _mapping(value, where)
        case _:
            return _instance(value, where)


def _mapping(value: dict[Any, Any], where: str) -> Any:
    if all(isinstance(key, str | int) and not isinstance(key, bool) for key in value):
        return {key: to_plain(entry, where) for key, entry in value.items()}
    pairs = [[to_plain(key, where), to_plain(entry, where)] for key, entry in value.items()]
    return Tagged("map", pairs)


def _instance(value: object, where: str) -> Tagged:
    kind = type(value)
    if not attrs.has(kind) or not kind.__module__.startswith(_PACKAGE):
        raise Unsaveable(f"cannot save {where}: {kind.__name__} has no saved form")
    name = f"{kind.__module__.removeprefix(_PACKAGE)}.{kind.__qualname__}"
    fields: dict[str, Any] = {}
    for field in attrs.fields(kind):
        found = getattr(value, field.name)
        if _is_default(field, found):
            continue
        try:
            fields[field.name] = to_plain(found, f"{name}.{field.name}")
        except Unsaveable:
            # What a class does not show is what it works with at the moment, not what it knows.
            if field.repr is not False:
                raise
    return Tagged(name, fields)


def _is_default(field: attrs.Attribute[Any], found: Any) -> bool:
    default: Any = field.default
    if default is attrs.NOTHING:
        return False
    if isinstance(default, attrs.Factory):  # type: ignore[arg-type]
        if default.takes_self:
            return False
        default = default.factory()
    return type(found) is type(default) and bool(found == default)


def from_plain(value: Any) -> Any:
    """Return the state plain and tagged values stand for.

    Raises:
        Unsaveable: A tag names no class of state, or the class has no such fields.
    """
    match value:
        case Tagged():
            return _untagged(value)
        case _ if is_list(value):
            return [from_plain(entry) for entry in value]
        case _ if is_dict(value):
            return {key: from_plain(entry) for key, entry in value.items()}
        case _:
            return value


def _untagged(tagged: Tagged) -> Any:
    match tagged.tag:
        case "bytes":
            return base64.b64decode(tagged.value)
        case "tuple":
            return tuple(from_plain(part) for part in tagged.value)
        case "set":
            return {from_plain(part) for part in tagged.value}
        case "map":
            return {from_plain(key): from_plain(entry) for key, entry in tagged.value}
        case _:
            return _made(_class(tagged.tag), tagged)


def _class(tag: str) -> type[Any]:
    module, _, name = tag.rpartition(".")
    try:
        kind = getattr(importlib.import_module(_PACKAGE + module), name)
    except (ImportError, AttributeError):
        kind = None
    if not isinstance(kind, type) or not attrs.has(kind):
        raise Unsaveable(f"cannot load the cluster: {tag!r} is no class of its state")
    return kind


def _made(kind: type[Any], tagged: Tagged) -> Any:
    fields = cast("Mapping[str, Any]", tagged.value)
    aliases = {field.name: field.alias or field.name for field in attrs.fields(kind)}
    if unknown := fields.keys() - aliases.keys():
        raise Unsaveable(f"cannot load the cluster: {tagged.tag} has no {sorted(unknown)}")
    try:
        return kind(**{aliases[name]: from_plain(part) for name, part in fields.items()})
    except TypeError as error:
        raise Unsaveable(f"cannot load the cluster: {tagged.tag}: {error}") from None
