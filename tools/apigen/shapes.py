"""Correct the shape of an answer as an entry of `returns.toml` says.

An entry may hold, beside `ids` and `reason`:

- `same_as`: take over the shape of that operation's answer;
- `parameters_of`: the fields are what that operation accepts;
- `fields`: types of fields, by name; a table describes a field in the schema's dialect;
- `list = true`: the above describe the entries of a list;
- `at`: names of fields that lead to the object meant; `[]` steps into the entries of a list;
- `shape`: the whole shape.
"""

from __future__ import annotations

from typing import Any

from tools.apigen.merge import Facts, Merged

Entry = dict[str, Any]
_SHAPED = ("type", "format", "enum", "properties", "items", "oneOf")


def correct(shape: Facts, entry: Entry, by_id: dict[str, Merged]) -> Facts:
    """Return the corrected shape."""
    if "shape" in entry:
        return dict(entry["shape"])
    if "same_as" in entry:
        return by_id[entry["same_as"]].returns
    fields: Facts = {
        name: {"type": kind, "optional": 1} if isinstance(kind, str) else kind
        for name, kind in entry.get("fields", {}).items()
    }
    lent = _parameters(by_id[entry["parameters_of"]]) if "parameters_of" in entry else {}
    at: list[str] = [*(["[]"] if entry.get("list") else []), *entry.get("at", [])]
    return _inside(shape, at, lent, fields)


def _inside(shape: Facts, at: list[str], lent: Facts, fields: Facts) -> Facts:
    if not at:
        known: Facts = shape.get("properties") or {}
        named = {name: _overlay(known.get(name) or {}, facts) for name, facts in fields.items()}
        return {**shape, "type": "object", "properties": {**lent, **known, **named}}
    step, *rest = at
    if step == "[]":
        items = _inside(shape.get("items") or {}, rest, lent, fields)
        return {**shape, "type": "array", "items": items}
    known = shape.get("properties") or {}
    inner = _inside(known.get(step) or {"optional": 1}, rest, lent, fields)
    return {**shape, "type": "object", "properties": {**known, step: inner}}


def _overlay(known: Facts, facts: Facts) -> Facts:
    """Describe a field anew; an empty table as `format` takes the format away."""
    joined = {**known, **facts}
    if joined.get("format") == {}:
        del joined["format"]
    return joined


def _parameters(operation: Merged) -> Facts:
    """Turn what an operation accepts into fields, all of them optional."""
    return {
        name: {**{k: v for k, v in spans[-1].facts.items() if k in _SHAPED}, "optional": 1}
        for name, spans in operation.parameters.items()
        if name not in ("node", "delete", "force")
    }
