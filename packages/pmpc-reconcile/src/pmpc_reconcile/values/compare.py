"""Decide whether two values of a field mean the same."""

from __future__ import annotations

import functools
from collections.abc import Callable

from pmpc_reconcile.kinds import Kind, Option, Scalar, Shape, ValueType, options_of
from pmpc_reconcile.values.fields import (
    ABSENT,
    Absent,
    FieldValue,
    Secret,
    SecretMark,
    split_path,
)
from pmpc_reconcile.values.sizes import holds, parse_size
from pmpc_reconcile.values.writing import write_value

Fingerprint = Callable[[str], str]


def option_at(kind: Kind, path: str) -> tuple[Option, Scalar] | None:
    """Find the option a path belongs to and what its value accepts; None outside `config`."""
    section, name, key = split_path(path)
    if section != "config" or name is None:
        return None
    option = options_of(kind).find(name)
    if option is None:
        return None
    if key is None or option.shape is Shape.SET:
        return option, option.scalar
    known = option.keys.get(key)
    return option, option.scalar if known is None else known.scalar


@functools.lru_cache(maxsize=65536)
def default_of(kind: Kind, path: str) -> FieldValue | Absent:
    """Return what PVE takes a field to be when it is not set; `ABSENT` if that is nothing."""
    if path == "comment":
        return ""
    found = option_at(kind, path)
    if found is None:
        return ABSENT
    option, scalar = found
    if option.shape is Shape.TEXT:
        return ""
    _, _, key = split_path(path)
    if key == "cloudinit":
        return False
    if key is not None and key not in option.keys:
        return ABSENT
    return ABSENT if scalar.default is None else scalar.default


def same(
    kind: Kind,
    path: str,
    desired: FieldValue | Absent,
    other: FieldValue | Absent,
    *,
    fingerprint: Fingerprint | None = None,
) -> bool:
    """Whether a wanted value and another one (live, or recorded) mean the same.

    Sizes count as the same when the volume is what asking for that size gives. A secret is compared
    by its fingerprint; asterisks are never known to be the same.
    """
    if isinstance(desired, Secret | SecretMark) or isinstance(other, Secret | SecretMark):
        mine, theirs = _mark(desired, fingerprint), _mark(other, fingerprint)
        return mine is not None and mine == theirs
    if desired is ABSENT or other is ABSENT:
        return desired is other
    if path.endswith(".size") and _is_size(kind, path):
        try:
            return holds(parse_size(str(other)), parse_size(str(desired)))
        except ValueError:
            return desired == other
    if type(desired) is type(other):
        return desired == other
    # A key only some versions know has no type: 0 and "0" are one.
    return write_value(desired) == write_value(other)


def _is_size(kind: Kind, path: str) -> bool:
    found = option_at(kind, path)
    return found is not None and found[1].type is ValueType.SIZE


def _mark(value: FieldValue | Absent, fingerprint: Fingerprint | None) -> str | None:
    if isinstance(value, Secret):
        return None if fingerprint is None else fingerprint(value.text)
    return value.fingerprint if isinstance(value, SecretMark) else None
