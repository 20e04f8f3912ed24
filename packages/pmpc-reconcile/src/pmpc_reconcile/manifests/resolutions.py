"""Check the paths under `spec.conflicts`: a path that names nothing would silently do nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import attrs

from pmpc_reconcile.diagnostics import did_you_mean
from pmpc_reconcile.kinds import Kind, Option, Shape, firewall, options_of
from pmpc_reconcile.values import split_path

_SECTIONS: Final = ("config", "state", "pool")
_SINGLE: Final = frozenset({"state", "pool", "comment", "order"})


@attrs.frozen
class PathProblem:
    """A path that names no field.

    Attributes:
        path: The path as written.
        message: What is wrong with it.
        hint: What to write instead.
    """

    path: str
    message: str
    hint: str | None = None


def check_paths(kind: Kind, version: str | None, paths: Iterable[str]) -> Iterator[PathProblem]:
    """Find paths that name no field of a kind, nor anything that has fields below it."""
    for path in paths:
        problem = _check(kind, version, path)
        if problem is not None:
            yield problem


def _check(kind: Kind, version: str | None, path: str) -> PathProblem | None:
    section, name, key = split_path(path)
    sections = kind.sections or _SECTIONS
    if section not in sections or (name is not None and section in _SINGLE):
        known = f"paths begin with {', '.join(sections)}"
        if not kind.flat and options_of(kind, version).find(section) is not None:
            known = f"write config.{path}"
        return PathProblem(path, f"{path!r} names no field of a {kind}", known)
    if kind.name == "Firewall" and section == "options" and name is not None:
        return _firewall_option(path, name)
    if section != "config" or name is None:
        return None
    option = options_of(kind, version).find(name)
    if option is None:
        hint = did_you_mean(name, options_of(kind, version).names())
        return PathProblem(path, f"{path!r} names no option of a {kind}", hint)
    if key is None or option.shape is Shape.SET or key in _keys(option):
        return None
    hint = did_you_mean(key, _keys(option)) if _keys(option) else f"write config.{name}"
    return PathProblem(path, f"{path!r} names no key of {name}", hint)


def _firewall_option(path: str, name: str) -> PathProblem | None:
    known = {option for options in firewall.OPTIONS.values() for option in options}
    if name in known:
        return None
    return PathProblem(path, f"{path!r} names no option of a Firewall", did_you_mean(name, known))


def _keys(option: Option) -> frozenset[str]:
    extra = ("storage", "cloudinit") if option.shape is Shape.DISK else ()
    return frozenset((*option.keys, *extra))
