"""Apply what we know better than the schema: data files with a reason for each entry.

Every entry has to change something. One that does not is out of date and an error.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.apigen import shapes
from tools.apigen.merge import Facts, Key, Merged, Span
from tools.apigen.naming import operation_id

FOLDER = Path(__file__).parent / "data"
Entry = dict[str, Any]


class CorrectionError(Exception):
    """A correction names something unknown, changes nothing or gives no reason."""


def load(name: str, folder: Path = FOLDER) -> list[Entry]:
    """Read the entries of one file.

    Raises:
        CorrectionError: An entry has no reason.
    """
    path = folder / f"{name}.toml"
    if not path.exists():
        return []
    entries: list[Entry] = tomllib.loads(path.read_text("utf-8")).get("entry", [])
    for entry in entries:
        if not str(entry.get("reason", "")).strip():
            raise CorrectionError(f"{path.name}: an entry gives no reason: {entry}")
    return entries


def formats(operations: dict[Key, Merged], folder: Path = FOLDER) -> dict[str, Facts]:
    """Read the keys of property strings which the schema only names.

    Raises:
        CorrectionError: No parameter has the format.
    """
    used = {
        str(span.facts.get("format"))
        for operation in operations.values()
        for spans in operation.parameters.values()
        for span in spans
    }
    found = {entry["format"]: dict(entry["keys"]) for entry in load("formats", folder)}
    if unused := sorted(set(found) - used):
        raise CorrectionError(f"formats.toml: no parameter has the format {', '.join(unused)}")
    return found


def rename_paths(versions: dict[str, list[Facts]], entries: list[Entry]) -> None:
    """Give paths that only changed the name of a placeholder their newest name, in place."""
    for entry in entries:
        old, new = entry["path"], entry["to"]
        before, after = _names(old), _names(new)
        changed = 0
        for operation in (o for operations in versions.values() for o in operations):
            path: str = operation["path"]
            if path != old and not path.startswith(old + "/"):
                continue
            changed += 1
            operation["path"] = new + path.removeprefix(old)
            for was, now in zip(before, after, strict=True):
                if was != now:
                    operation["parameters"][now] = operation["parameters"].pop(was)
        if not changed:
            raise CorrectionError(f"paths.toml: no version has {old}")


def _names(path: str) -> list[str]:
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]


def apply(operations: dict[Key, Merged], folder: Path = FOLDER) -> None:
    """Apply every file of corrections to the merged operations, in place."""
    by_id = {operation_id(op.method, op.path): op for op in operations.values()}
    for operation, _ in _targets("tasks", by_id, folder):
        _change("tasks", operation, "starts_task", True)
    for operation, entry in _targets("safety", by_id, folder):
        _change("safety", operation, "safety", entry["safety"])
    for operation, entry in _targets("returns", by_id, folder):
        _change("returns", operation, "returns", shapes.correct(operation.returns, entry, by_id))
    for operation, entry in _targets("parameters", by_id, folder):
        _parameters(operation, entry)


def _targets(name: str, by_id: dict[str, Merged], folder: Path) -> Iterator[tuple[Merged, Entry]]:
    for entry in load(name, folder):
        for wanted in entry["ids"]:
            if wanted not in by_id:
                raise CorrectionError(f"{name}.toml: no operation {wanted}")
            yield by_id[wanted], entry


def _change(file: str, operation: Merged, field: str, value: Any) -> None:
    if getattr(operation, field) == value:
        named = operation_id(operation.method, operation.path)
        raise CorrectionError(f"{file}.toml: {named}: {field} is {value!r} without the correction")
    setattr(operation, field, value)


def _parameters(operation: Merged, entry: Entry) -> None:
    name = entry["parameter"]
    spans = operation.parameters.get(name, [])
    changed = [_with_facts(span, entry["facts"]) for span in spans]
    if changed == spans:
        raise CorrectionError(
            f"parameters.toml: {operation.method} {operation.path}: nothing changes for {name}"
        )
    operation.parameters[name] = changed


def _with_facts(span: Span, facts: Facts) -> Span:
    """Add facts to a span; a fact set to an empty table is taken out."""
    joined = {key: value for key, value in {**span.facts, **facts}.items() if value != {}}
    return Span(span.first, span.last, joined)
