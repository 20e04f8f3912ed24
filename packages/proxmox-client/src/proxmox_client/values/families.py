"""Indexed families of options: net0, net1, … are one family `net`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TypeVar

V = TypeVar("V")
_MEMBER = re.compile(r"(?P<stem>[A-Za-z_][A-Za-z_-]*)(?P<index>0|[1-9][0-9]*)")


def split_family(key: str) -> tuple[str, int] | None:
    """Split `net0` into `("net", 0)`; None where the key ends in no number."""
    match = _MEMBER.fullmatch(key)
    return (match["stem"], int(match["index"])) if match else None


def join_family(stem: str, index: int) -> str:
    """Name the member of a family: `("net", 0)` is `net0`."""
    if index < 0:
        raise ValueError(f"cannot index {stem} with {index}: indices start at 0")
    return f"{stem}{index}"


def family_members(config: Mapping[str, V], stem: str) -> dict[int, V]:
    """Return the members of one family by index, in order of index."""
    found: dict[int, V] = {}
    for key, value in config.items():
        parts = split_family(key)
        if parts is not None and parts[0] == stem:
            found[parts[1]] = value
    return dict(sorted(found.items()))


def group_families(
    config: Mapping[str, V], stems: Iterable[str]
) -> tuple[dict[str, dict[int, V]], dict[str, V]]:
    """Split a flat configuration into its families and the rest.

    Only keys of the named stems are taken: `smbios1` stays where it is unless asked for.
    """
    wanted = frozenset(stems)
    families: dict[str, dict[int, V]] = {stem: {} for stem in wanted}
    rest: dict[str, V] = {}
    for key, value in config.items():
        parts = split_family(key)
        if parts is not None and parts[0] in wanted:
            families[parts[0]][parts[1]] = value
        else:
            rest[key] = value
    return {stem: dict(sorted(found.items())) for stem, found in families.items()}, rest
