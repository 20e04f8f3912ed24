"""Compare the API of two PVE versions: what a person has to know who supports both."""

from __future__ import annotations

from collections.abc import Iterator

from tools.apigen.merge import Facts

Operations = dict[tuple[str, str], Facts]


def report(versions: dict[str, list[Facts]], old: str, new: str) -> list[str]:
    """List added and removed operations and parameters, and what parameters accept now.

    Raises:
        ValueError: A version is not among the pinned ones.
    """
    for version in (old, new):
        if version not in versions:
            raise ValueError(f"no facts for PVE {version}; pinned: {', '.join(versions)}")
    before, after = _by_path(versions[old]), _by_path(versions[new])
    lines = [f"# PVE {old} to {new}: {len(before)} to {len(after)} operations"]
    lines += [f"+ {method} {path}" for path, method in sorted(set(after) - set(before))]
    lines += [f"- {method} {path}" for path, method in sorted(set(before) - set(after))]
    for path, method in sorted(set(before) & set(after)):
        changes = list(_changes(before[path, method], after[path, method]))
        if changes:
            lines += [f"~ {method} {path}", *(f"    {change}" for change in changes)]
    return lines


def _by_path(entries: list[Facts]) -> Operations:
    return {(entry["path"], entry["method"]): entry for entry in entries}


def _changes(before: Facts, after: Facts) -> Iterator[str]:
    for key in ("permissions", "protected", "proxyto", "allowtoken"):
        if before.get(key) != after.get(key):
            yield f"{key}: {before.get(key)} -> {after.get(key)}"
    was: Facts = before["parameters"]
    now: Facts = after["parameters"]
    for name in sorted({*was, *now}):
        if name not in was:
            needed = "" if now[name].get("optional") else ", required"
            yield f"+ {name} ({now[name].get('type', 'any')}{needed})"
        elif name not in now:
            yield f"- {name}"
        else:
            yield from _facts(name, was[name], now[name])


def _facts(name: str, was: Facts, now: Facts) -> Iterator[str]:
    for key in sorted({*was, *now}):
        if was.get(key) == now.get(key):
            continue
        if isinstance(was.get(key), dict) and isinstance(now.get(key), dict):
            yield from (f"{name}.{line}" for line in _facts(key, was[key], now[key]))
        else:
            yield f"{name}.{key}: {was.get(key)} -> {now.get(key)}"
