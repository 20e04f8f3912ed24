"""Read the generated data file and find operations in it."""

from __future__ import annotations

import functools
import json
import lzma
from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType
from typing import Any

from proxmox_client.schema.facts import OperationFacts, ParameterFacts, PropertyFormat

_DATA = "facts.json.xz"
# The rest of a path below this is one placeholder: volume ids hold slashes.
_VOLUME = ("nodes", "*", "storage", "*", "content")
Facts = Mapping[str, Any]


def versions() -> tuple[str, ...]:
    """List the PVE versions whose API is known, oldest first."""
    return tuple(_document()["versions"])


@functools.cache
def operations(version: str | None = None) -> tuple[OperationFacts, ...]:
    """List operations, sorted by path and method.

    Args:
        version: A PVE version such as `8.4`: its operations with its parameters and permissions.
            None merges all versions; where they differ, the newest word counts.

    Raises:
        ValueError: The version is not among `versions()`.
    """
    known = versions()
    if version is not None and version not in known:
        raise ValueError(f"no API facts for PVE {version}; known: {', '.join(known)}")
    at = None if version is None else known.index(version)
    return tuple(
        _operation(entry, known, at) for entry in _document()["operations"] if _lives(entry, at)
    )


@functools.cache
def _by_path(version: str | None) -> Mapping[tuple[str, str], OperationFacts]:
    return {(entry.method, entry.path): entry for entry in operations(version)}


def operation(method: str, path: str, version: str | None = None) -> OperationFacts:
    """Find an operation by its method and path template.

    Raises:
        KeyError: The API has no such operation.
    """
    return _by_path(version)[method, path]


@functools.cache
def _by_shape(
    version: str | None,
) -> Mapping[tuple[str, int], tuple[tuple[OperationFacts, tuple[str, ...]], ...]]:
    shapes: dict[tuple[str, int], list[tuple[OperationFacts, tuple[str, ...]]]] = {}
    for entry in operations(version):
        segments = tuple(entry.path.strip("/").split("/"))
        shapes.setdefault((entry.method, len(segments)), []).append((entry, segments))
    return {shape: tuple(entries) for shape, entries in shapes.items()}


def _fits(segment: str, part: str) -> bool:
    return segment in ("*", part)


def find(
    method: str, path: str, version: str | None = None
) -> tuple[OperationFacts, dict[str, str]] | None:
    """Find the operation that serves a real path, and the placeholders' values in it.

    Args:
        method: `GET`, `POST`, `PUT` or `DELETE`.
        path: A path below `/api2/json` such as `/nodes/pve1/qemu/100/config`, segments decoded.
        version: A PVE version, or None for all.
    """
    parts = path.strip("/").split("/")
    if len(parts) > len(_VOLUME) and all(map(_fits, _VOLUME, parts)):
        parts = [*parts[: len(_VOLUME)], "/".join(parts[len(_VOLUME) :])]
    for entry, segments in _by_shape(version).get((method, len(parts)), ()):
        filled: dict[str, str] = {}
        for segment, part in zip(segments, parts, strict=True):
            if segment.startswith("{"):
                filled[segment[1:-1]] = part
            elif segment != part:
                break
        else:
            return entry, filled
    return None


@functools.cache
def _document() -> Facts:
    packed = resources.files("proxmox_client.schema").joinpath(_DATA).read_bytes()
    document: Facts = json.loads(lzma.decompress(packed))
    return document


def _lives(entry: Facts, at: int | None) -> bool:
    return at is None or entry["since"] <= at <= _last(entry)


def _last(entry: Facts) -> int:
    until = entry["until"]
    return len(_document()["versions"]) - 1 if until is None else int(until)


def _operation(entry: Facts, known: tuple[str, ...], at: int | None) -> OperationFacts:
    path: str = entry["path"]
    moment = _last(entry) if at is None else at
    parameters: dict[str, ParameterFacts] = {}
    given: dict[str, list[list[int]]] = entry["parameters"]
    for name, spans in given.items():
        valid = [span for span in spans if span[0] <= moment <= span[1]]
        if not valid and at is not None:
            continue
        span = valid[0] if valid else spans[-1]
        first, last = spans[0][0], spans[-1][1]
        parameters[name] = _parameter(
            name,
            _document()["facts"][span[2]],
            in_path=f"{{{name}}}" in path,
            since=known[first],
            until=None if last == len(known) - 1 else known[last],
        )
    permissions, allow_token = _access(entry, moment)
    document = _document()
    since: int = entry["since"]
    until: int | None = entry["until"]
    return OperationFacts(
        id=entry["id"],
        method=entry["method"],
        path=path,
        name=entry["name"],
        since=known[since],
        until=None if until is None else known[until],
        parameters=MappingProxyType(parameters),
        additional_properties=entry["additional"],
        permissions=None if permissions is None else document["permissions"][permissions],
        protected=entry["protected"],
        allow_token=allow_token,
        proxy_to=entry["proxy_to"],
        safety=entry["safety"],
        starts_task=entry["starts_task"],
        returns=document["returns"][entry["returns"]],
        result=entry["result"],
    )


def _access(entry: Facts, moment: int) -> tuple[int | None, bool]:
    """Return who may call an operation in a version: its check, and whether tokens may."""
    earlier: list[tuple[int, int | None, bool]] = entry.get("earlier_access", [])
    for last, permissions, allow_token in earlier:
        if moment <= last:
            return permissions, allow_token
    return entry["permissions"], entry["allow_token"]


def _parameter(
    name: str, facts: Facts, *, in_path: bool = False, since: str = "7.4", until: str | None = None
) -> ParameterFacts:
    get = facts.get
    items: Facts | None = get("items")
    choices: list[Facts] = get("oneOf") or []
    enum: list[str] = get("enum") or []
    instance_types: list[str] = get("instance-types") or []
    return ParameterFacts(
        name=name,
        type=get("type", "any"),
        optional=bool(get("optional", 0)),
        format=_format(get("format")),
        enum=tuple(enum),
        default=get("default"),
        minimum=get("minimum"),
        maximum=get("maximum"),
        min_length=get("minLength"),
        max_length=get("maxLength"),
        pattern=get("pattern"),
        requires=get("requires"),
        items=None if items is None else _parameter(name, items),
        one_of=tuple(_parameter(name, choice) for choice in choices),
        type_property=get("type-property"),
        instance_types=tuple(instance_types),
        in_path=in_path,
        alias=get("alias"),
        key_alias=get("keyAlias"),
        group=get("group"),
        is_default_key=bool(get("default_key", 0)),
        since=since,
        until=until,
    )


def _format(facts: str | Facts | None) -> str | PropertyFormat | None:
    if isinstance(facts, str):
        named = _document()["formats"].get(facts)
        return facts if named is None else _property_format(json.dumps(named), facts)
    return None if facts is None else _property_format(json.dumps(facts, sort_keys=True), None)


@functools.cache
def _property_format(text: str, name: str | None) -> PropertyFormat:
    facts: Facts = json.loads(text)
    keys = {key: _parameter(key, value) for key, value in facts.items()}
    default = next((key for key, value in keys.items() if value.is_default_key), None)
    return PropertyFormat(keys=MappingProxyType(keys), default_key=default, name=name)
