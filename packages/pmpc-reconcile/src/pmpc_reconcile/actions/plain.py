"""Actions' values as plain JSON data and back, for front doors that speak JSON."""

from __future__ import annotations

import datetime
import enum
from collections.abc import Mapping, Set
from pathlib import PurePath
from typing import Any, TypeVar, cast

import attrs

from pmpc_reconcile.errors import InputInvalid

T = TypeVar("T")


def to_plain(value: object) -> Any:
    """Return the value as JSON data: attrs classes become mappings, enums their values."""
    to_dict = getattr(value, "to_dict", None)
    if callable(to_dict):
        return to_dict()
    if attrs.has(type(value)):
        instance = cast("attrs.AttrsInstance", value)
        return {
            field.name: to_plain(getattr(value, field.name))
            for field in attrs.fields(type(instance))
        }
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, Mapping):
        items = cast("Mapping[object, object]", value)
        return {str(key): to_plain(item) for key, item in items.items()}
    if isinstance(value, Set):
        return sorted((to_plain(item) for item in cast("Set[object]", value)), key=str)
    if isinstance(value, (list, tuple)):
        return [to_plain(item) for item in cast("list[object]", value)]
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value.isoformat()
    if isinstance(value, PurePath):
        return str(value)
    return value


def from_plain(kind: type[T], data: Mapping[str, object]) -> T:
    """Return an action's input made from JSON data.

    Args:
        kind: The input class.
        data: Field names and values; a field with a default may be absent.

    Raises:
        InputInvalid: A field is unknown, missing or of the wrong type.
    """
    import cattrs
    from cattrs.errors import ForbiddenExtraKeysError

    converter = cattrs.Converter(forbid_extra_keys=True)
    try:
        return converter.structure(dict(data), kind)
    except (cattrs.ClassValidationError, ForbiddenExtraKeysError, TypeError, ValueError) as error:
        from cattrs import transform_error

        reasons = "; ".join(transform_error(error))
        raise InputInvalid(f"cannot read the input: {reasons or error}") from error
