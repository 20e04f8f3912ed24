"""Check the paths under `spec.conflicts`: a path that names nothing would silently do nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

import attrs

from pmpc_reconcile.diagnostics import did_you_mean
from pmpc_reconcile.kinds import Kind, Option, Shape, firewall, options_of
from pmpc_reconcile.manifests.settings_paths import read_settings_path
from pmpc_reconcile.values import split_path

if TYPE_CHECKING:
    from pmpc_reconcile.manifests.manifest import Manifest

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


def check_answers(manifest: Manifest, answers: Mapping[str, str]) -> Iterator[PathProblem]:
    """Find answers about items that a manifest does not declare, so that they would do nothing.

    `ignore` may name an item that is no longer declared: it says that we let go of it.
    """
    for path, word in answers.items():
        problem = _undeclared(manifest, path, word)
        if problem is not None:
            yield problem


def _check(kind: Kind, version: str | None, path: str) -> PathProblem | None:
    section, name, key = split_path(path)
    sections = kind.sections or _SECTIONS
    if section not in sections or (name is not None and section in _SINGLE):
        known = f"paths begin with {', '.join(sections)}"
        if not kind.flat and options_of(kind, version).find(section) is not None:
            known = f"write config.{path}"
        return PathProblem(path, f"{path!r} names no field of {_one(kind)}", known)
    if kind.flat:
        found = read_settings_path(kind, path)
        message = f"{path!r} names no {found.noun} of {_one(kind)}"
        return PathProblem(path, message, found.hint) if found.word else None
    if section != "config" or name is None:
        return None
    option = options_of(kind, version).find(name)
    if option is None:
        hint = did_you_mean(name, options_of(kind, version).names())
        return PathProblem(path, f"{path!r} names no option of {_one(kind)}", hint)
    if key is None or option.shape is Shape.SET or key in _keys(option):
        return None
    hint = did_you_mean(key, _keys(option)) if _keys(option) else f"write config.{name}"
    return PathProblem(path, f"{path!r} names no key of {name}", hint)


def _undeclared(manifest: Manifest, path: str, word: str) -> PathProblem | None:
    kind = manifest.kind_data
    if not kind.flat:
        return None
    if kind.name == "Firewall" and path.startswith("options."):
        return _other_scope(manifest, path)
    item = read_settings_path(kind, path).item
    if not item or word == "ignore" or _may_be_resolved(manifest, item):
        return None
    if any(field == item or field.startswith(f"{item}.") for field in manifest.fields):
        return None
    declared = {read_settings_path(kind, field).item for field in manifest.fields} - {""}
    listed = f"it declares {', '.join(sorted(declared)[:5])}" if declared else None
    message = f"{path!r} names nothing that {manifest.address} declares"
    return PathProblem(path, message, did_you_mean(item, declared) or listed)


def _may_be_resolved(manifest: Manifest, item: str) -> bool:
    """Return whether only the cluster tells if it is declared: a guest by its address, any node."""
    if manifest.kind == "Image":
        return not manifest.fields
    named_by_address = any(
        field.startswith("guests.") and "/" in field for field in manifest.fields
    )
    return named_by_address and item.removeprefix("guests.").isdecimal()


def _other_scope(manifest: Manifest, path: str) -> PathProblem | None:
    scope = next((name for name in ("node", "guest") if name in manifest.spec), "cluster")
    known, name = firewall.OPTIONS[scope], path.removeprefix("options.")
    if name in known:
        return None
    message = f"{path!r} names no option of the firewall of a {scope}"
    return PathProblem(path, message, did_you_mean(name, known))


def _one(kind: Kind) -> str:
    return f"an {kind}" if kind.name in ("Sdn", "Image") else f"a {kind}"


def _keys(option: Option) -> frozenset[str]:
    extra = ("storage", "cloudinit") if option.shape is Shape.DISK else ()
    return frozenset((*option.keys, *extra))
