"""Tell JSON values apart with their types known."""

from __future__ import annotations

from typing import Any, cast


def as_object(value: object) -> dict[str, Any] | None:
    """Return the value if it is an object."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def as_list(value: object) -> list[Any] | None:
    """Return the value if it is a list."""
    return cast("list[object]", value) if isinstance(value, list) else None


def data_of(body: object) -> Any:
    """Return what stands under `data` in a body, None if it is no object."""
    found = as_object(body)
    return None if found is None else found.get("data")
