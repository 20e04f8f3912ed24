"""Read the pinned API facts and bring their dialect into one form."""

from __future__ import annotations

import hashlib
import json
import lzma
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Facts = dict[str, Any]

_BOUNDS = {"min": "minimum", "max": "maximum"}
# The schema writes some of these as text.
_NUMERIC = {"minimum", "maximum", "minLength", "maxLength", "optional", "default_key"}


def read_versions(folder: Path) -> dict[str, list[Facts]]:
    """Read `pve-<version>.json.xz` for every version, oldest first."""
    files = {
        path.name.removeprefix("pve-").removesuffix(".json.xz"): path for path in _files(folder)
    }
    ordered = sorted(files, key=lambda version: tuple(int(part) for part in version.split(".")))
    return {
        version: [tidy(entry) for entry in json.loads(lzma.decompress(files[version].read_bytes()))]
        for version in ordered
    }


def pins(folder: Path) -> Facts:
    """State hash and number of operations of every pinned file."""
    return {
        path.name: {
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "operations": len(json.loads(lzma.decompress(path.read_bytes()))),
        }
        for path in sorted(_files(folder))
    }


def _files(folder: Path) -> Iterator[Path]:
    return folder.glob("pve-*.json.xz")


def tidy(entry: Facts) -> Facts:
    """Bring one operation into the form the later stages expect.

    Alternatives of a whole parameter set (`allOf`/`oneOf`, used by two operations) become plain
    properties with `type-property` and `instance-types`, as PVE writes them elsewhere.
    """
    given: Facts = entry.get("parameters") or {}
    placeholders = re.findall(r"\{([^}]+)\}", entry["path"])
    # 9.2 leaves one placeholder undeclared (url_seq of the prefix lists).
    properties: dict[str, Facts] = {name: {"type": "string"} for name in placeholders}
    properties.update(given.get("properties") or {})
    parts: list[Facts] = given.get("allOf") or []
    for part in parts:
        properties.update(part.get("properties", {}))
        if "oneOf" in part:
            properties.update(_alternatives(part))
    return {
        **entry,
        "parameters": {name: _parameter(facts) for name, facts in sorted(properties.items())},
        "additional": bool(given.get("additionalProperties", 1)) and "allOf" not in given,
        "returns": entry.get("returns") or {},
    }


def _alternatives(part: Facts) -> dict[str, Facts]:
    chooser = part["type-property"]
    found: dict[str, list[Facts]] = {}
    for choice in part["oneOf"]:
        for name, facts in choice["properties"].items():
            found.setdefault(name, []).append(
                {**facts, "instance-types": [choice["instance-type"]]}
            )
    merged: dict[str, Facts] = {chooser: dict(part["type-property-schema"])}
    for name, choices in found.items():
        plain = [{k: v for k, v in c.items() if k != "instance-types"} for c in choices]
        if all(choice == plain[0] for choice in plain):
            everywhere = len(choices) == len(part["oneOf"])
            kinds = [kind for choice in choices for kind in choice["instance-types"]]
            narrowed = {} if everywhere else {"instance-types": kinds, "type-property": chooser}
            merged[name] = {**plain[0], **narrowed}
        else:
            merged[name] = {"oneOf": choices, "type-property": chooser, **_shared(plain)}
    return merged


def _shared(choices: list[Facts]) -> Facts:
    first, *rest = choices
    shared = {k: v for k, v in first.items() if all(other.get(k) == v for other in rest)}
    if any(choice.get("optional") for choice in choices):
        shared["optional"] = 1
    return shared


def _parameter(facts: Mapping[str, Any]) -> Facts:
    tidied: Facts = {_BOUNDS.get(k, k): v for k, v in facts.items() if v is not None}
    for key in _NUMERIC & set(tidied):
        tidied[key] = _number(tidied[key])
    if isinstance(tidied.get("format"), dict):
        tidied["format"] = {key: _parameter(value) for key, value in tidied["format"].items()}
    if "items" in tidied:
        tidied["items"] = _parameter(tidied["items"])
    if "oneOf" in tidied:
        tidied["oneOf"] = [_parameter(choice) for choice in tidied["oneOf"]]
    if "default" in tidied and isinstance(tidied["default"], str):
        tidied["default"] = _default(tidied)
    return tidied


def _number(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return float(value) if "." in value else int(value)


def _default(facts: Facts) -> Any:
    """Read a default as its type: the schema writes many numbers as text."""
    text: str = facts["default"]
    if facts.get("type") in ("integer", "boolean") and text.lstrip("-").isdigit():
        return int(text)
    return text
