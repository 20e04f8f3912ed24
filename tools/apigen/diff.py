"""Compare the API of two PVE versions: what a person has to know who supports both."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, cast

from tools.apigen.merge import Facts
from tools.apigen.text import privileges

Operations = dict[tuple[str, str], Facts]
_MOST: Final = 12
"""Words spelt out of a long list."""


def report(versions: dict[str, list[Facts]], old: str, new: str) -> list[str]:
    """List added and removed operations, and what changed in the others, as Markdown.

    Operations that changed alike stand together.

    Raises:
        ValueError: A version is not among the pinned ones.
    """
    for version in (old, new):
        if version not in versions:
            raise ValueError(f"no facts for PVE {version}; pinned: {', '.join(versions)}")
    before, after = _by_path(versions[old]), _by_path(versions[new])
    lines = [f"# PVE {old} to {new}: {len(before)} to {len(after)} operations"]
    lines += _section("Added", sorted(set(after) - set(before)))
    lines += _section("Removed", sorted(set(before) - set(after)))
    alike: dict[tuple[str, ...], list[str]] = {}
    for path, method in sorted(set(before) & set(after)):
        changes = tuple(_changes(before[path, method], after[path, method]))
        if changes:
            alike.setdefault(changes, []).append(f"{method} {path}")
    if alike:
        lines += ["", f"## Changed ({sum(map(len, alike.values()))})"]
    for changes, names in alike.items():
        lines += ["", *(f"- {name}" for name in names), *(f"    - {change}" for change in changes)]
    return lines


def _section(title: str, keys: list[tuple[str, str]]) -> list[str]:
    if not keys:
        return []
    return ["", f"## {title} ({len(keys)})", "", *(f"- {method} {path}" for path, method in keys)]


def _by_path(entries: list[Facts]) -> Operations:
    return {(entry["path"], entry["method"]): entry for entry in entries}


def _changes(before: Facts, after: Facts) -> Iterator[str]:
    if before.get("permissions") != after.get("permissions"):
        was, now = (privileges(entry.get("permissions")) for entry in (before, after))
        if was != now:
            yield f"privileges: {was}; now {now}"
    for key in ("protected", "proxyto", "allowtoken"):
        if before.get(key) != after.get(key):
            yield f"{key}: {before.get(key)}; now {after.get(key)}"
    yield from _names("", before["parameters"], after["parameters"])


def _names(prefix: str, was: Facts, now: Facts) -> Iterator[str]:
    """Compare parameters by name, or the keys of a property string."""
    for name in sorted({*was, *now}):
        if name not in was:
            needed = "" if now[name].get("optional") else ", required"
            yield f"new: {prefix}{name} ({now[name].get('type', 'any')}{needed})"
        elif name not in now:
            yield f"gone: {prefix}{name}"
        else:
            yield from _facts(f"{prefix}{name}", was[name], now[name])


def _facts(name: str, was: Facts, now: Facts) -> Iterator[str]:
    for key in sorted({*was, *now}):
        old, new = was.get(key), now.get(key)
        if old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict):
            # the keys of a property string, or what an entry of a list accepts
            if key == "format":
                yield from _names(f"{name}.", cast("Facts", old), cast("Facts", new))
            else:
                yield from _facts(f"{name} {key}", cast("Facts", old), cast("Facts", new))
        elif isinstance(old, list) and isinstance(new, list):
            yield f"{name} {key}: {_words(_entries(old), _entries(new))}"
        else:
            yield f"{name} {key}: {_brief(old)}; now {_brief(new)}"


def _words(old: list[Any], new: list[Any]) -> str:
    """Say which entries came and went."""
    came = [_name(entry) for entry in new if entry not in old]
    went = [_name(entry) for entry in old if entry not in new]
    said = [f"{sign} {_listed(words)}" for sign, words in (("new", came), ("gone", went)) if words]
    return "; ".join(said) or "another order"


def _entries(value: Any) -> list[Any]:
    return list(value)


def _name(entry: Any) -> str:
    """Name an entry of a list: an alternative by the types it is for."""
    if not isinstance(entry, dict):
        return str(entry)
    kinds: list[str] = cast("Facts", entry).get("instance-types") or []
    return f"another alternative for {' and '.join(kinds) or 'all types'}"


def _brief(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return f"keys {_listed(sorted(cast('Facts', value)))}"
    if isinstance(value, list):
        return _listed([_name(entry) for entry in _entries(value)])
    return str(value)


def _listed(words: list[str]) -> str:
    more = len(words) - _MOST
    return ", ".join(words[:_MOST]) + (f" and {more} more" if more > 0 else "")
