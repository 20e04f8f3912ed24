"""Texts such as ``local:100/disk,size=1G,ssd=1`` and the order in which PVE writes their keys.

The simulator reads and writes them with code of its own on purpose: what tests the client's reading
of property strings must not share it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def parse(text: str, default_key: str | None = None) -> dict[str, str]:
    """Split a property string; the entry without ``=`` belongs to the default key."""
    found: dict[str, str] = {}
    for part in text.split(","):
        if not part:
            continue
        key, equals, value = part.partition("=")
        if equals:
            found[key] = value
        elif default_key is not None:
            found[default_key] = part
    return found


def write(
    values: Mapping[str, str], default_key: str | None = None, required: Iterable[str] = ()
) -> str:
    """Write a property string as PVE does: default key, required keys, the others sorted."""
    first = [name for name in sorted(required) if name in values and name != default_key]
    rest = sorted(name for name in values if name not in first and name != default_key)
    parts = [f"{name}={values[name]}" for name in (*first, *rest)]
    if default_key is not None and default_key in values:
        parts.insert(0, values[default_key])
    return ",".join(parts)
