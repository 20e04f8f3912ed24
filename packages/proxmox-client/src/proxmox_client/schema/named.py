"""The operation behind a method and a real path, for calls made as text.

It is found among the operations of the path's area only: the full facts are not loaded.
"""

from __future__ import annotations

import functools
import pkgutil
import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, Final, cast

from proxmox_client.values.families import split_family
from proxmox_client.wire.operation import Operation
from proxmox_client.wire.params import MAY_HOLD_SLASHES

_PLACEHOLDER: Final = re.compile(r"\{([^}]+)\}")
_OPERATIONS: Final = "proxmox_client.api.operations"


@functools.lru_cache(1024)
def operation_at(method: str, path: str) -> Operation[Any] | None:
    """Find what a call means; None where no supported version knows it.

    Args:
        method: `GET`, `POST`, `PUT` or `DELETE`.
        path: Below `/api2/json`, filled: `/nodes/pve1/qemu/100/config`.
    """
    real = path.rstrip("/")
    for area in _areas_of(real.split("/")[1:]):
        for pattern, op in _shapes(area).get(method, ()):
            if pattern.fullmatch(real):
                return op
    return None


def by_parameter(op: Operation[Any], params: Mapping[str, object]) -> dict[str, object]:
    """Return parameters by the names the operation knows: `net0` is 0 of the family `net`."""
    known = {family.removesuffix("[n]"): family for family in op.families}
    found: dict[str, object] = {}
    families: dict[str, dict[int, object]] = {}
    for name, value in params.items():
        split = split_family(name)
        if split is not None and split[0] in known and value is not None:
            families.setdefault(known[split[0]], {})[split[1]] = value
        else:
            found[name] = value
    return {**found, **families}


def _areas_of(parts: list[str]) -> Iterator[str]:
    """Yield the areas a path may be in, the closest first."""
    if not parts:
        return
    second = "".join(parts[2:3] if parts[0] == "nodes" else parts[1:2])
    # an area is named by the first word: `backup-info` is beside `backup`
    for area in (f"{parts[0]}_{second.partition('-')[0]}", parts[0]):
        if area in _areas():
            yield area


@functools.cache
def _areas() -> frozenset[str]:
    package = import_module(_OPERATIONS)
    return frozenset(module.name for module in pkgutil.iter_modules(package.__path__))


@functools.cache
def _shapes(area: str) -> Mapping[str, list[tuple[re.Pattern[str], Operation[Any]]]]:
    shapes: dict[str, list[tuple[re.Pattern[str], Operation[Any]]]] = {}
    values: list[object] = list(vars(import_module(f"{_OPERATIONS}.{area}")).values())
    operations = cast("list[Operation[Any]]", [v for v in values if isinstance(v, Operation)])
    # what is said as words goes before what fits a placeholder
    for op in sorted(operations, key=lambda op: op.path.count("{")):
        shapes.setdefault(op.method, []).append((_pattern(op.path), op))
    return shapes


def _pattern(template: str) -> re.Pattern[str]:
    pieces = _PLACEHOLDER.split(template)
    for index in range(0, len(pieces), 2):
        pieces[index] = re.escape(pieces[index])
    for index in range(1, len(pieces), 2):
        pieces[index] = ".+" if pieces[index] in MAY_HOLD_SLASHES else "[^/]+"
    return re.compile("".join(pieces))
