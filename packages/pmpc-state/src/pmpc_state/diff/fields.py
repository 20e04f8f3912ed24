"""Field-by-field comparison of two recorded documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from pmpc_state.canonical import canonical_json
from pmpc_state.values.changes import FieldChange


def compare_documents(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[FieldChange, ...]:
    """Return the fields in which two recorded documents differ, by path.

    A recorded document has a `config` and, while something waits for a restart, a `pending`.
    Paths are those of the options (`memory`, `net0`), dotted where an option is a mapping, and
    `pending.memory` for what waits. Lists and empty mappings are compared as a whole. A field
    that is missing on one side is None there.
    """
    before, after = dict(_paths(old)), dict(_paths(new))
    return tuple(
        FieldChange(path, before.get(path), after.get(path))
        for path in sorted(before.keys() | after.keys())
        if _differ(before, after, path)
    )


def _differ(before: Mapping[str, Any], after: Mapping[str, Any], path: str) -> bool:
    if (path in before) != (path in after):
        return True
    return canonical_json(before[path]) != canonical_json(after[path])


def _paths(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from _leaves("", document.get("config", {}))
    for option, waiting in document.get("pending", {}).items():
        yield f"pending.{option}", waiting


def _leaves(prefix: str, value: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, Mapping) or not value:
        if prefix:
            yield prefix, value
        return
    for name, entry in cast("Mapping[str, Any]", value).items():
        yield from _leaves(f"{prefix}.{name}" if prefix else name, entry)
