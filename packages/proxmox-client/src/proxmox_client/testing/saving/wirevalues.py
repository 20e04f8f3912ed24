"""Looking at values of unknown shape: their rows and fields, none where there are none."""

from __future__ import annotations

from typing import Any, TypeGuard


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Whether a value is a list."""
    return isinstance(value, list)


def is_dict(value: object) -> TypeGuard[dict[Any, Any]]:
    """Whether a value is a mapping."""
    return isinstance(value, dict)


def rows(value: object) -> list[dict[str, Any]]:
    """Return a list's objects; nothing if it is no list."""
    return [entry for entry in value if is_dict(entry)] if is_list(value) else []


def fields(value: object) -> dict[str, Any]:
    """Return an object's fields; none if it is no object."""
    return value if is_dict(value) else {}
