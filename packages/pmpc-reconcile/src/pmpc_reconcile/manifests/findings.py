"""Turn Cerberus' errors into sentences with a place and a suggestion."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from pmpc_reconcile.diagnostics import did_you_mean
from pmpc_reconcile.manifests.declared import Problem
from pmpc_reconcile.manifests.tree import Path, Position
from pmpc_reconcile.manifests.validator import ERRORS
from pmpc_reconcile.manifests.walk import dotted

Place = Callable[[Path, bool], Position]

_TYPES: Final = {
    "dict": "a mapping",
    "list": "a list",
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "on or off",
}
_LIMITS: Final = {
    ERRORS.MIN_VALUE.code: "≥",
    ERRORS.MAX_VALUE.code: "≤",
}


def problems(
    found: Iterable[Any],
    place: Place,
    known: Callable[[Path], Iterable[str]],
    noun: str,
    prefix: Path = (),
    top: str | None = None,
) -> Iterator[Problem]:
    """Explain Cerberus' errors.

    Args:
        found: The errors.
        place: Gives the place of a path, of its key when the second argument is true.
        known: Gives the names allowed at a path.
        noun: What a name at the top is called: `field`, `option`.
        prefix: Path of the validated part, for messages.
        top: What the first step of the errors' paths is really called.
    """
    for error in found:
        path: Path = tuple(error.document_path)
        path = path if top is None else (top, *path[1:])
        if error.is_logic_error or error.is_group_error:
            children = error.child_errors or ()
            yield from problems(children, place, known, noun, prefix, top)
        elif error.code == ERRORS.UNKNOWN_FIELD.code:
            word = str(path[-1])
            inner = dotted((*prefix, *path[:-1]))
            called = noun if len(path) == 1 else "key"
            where = f" in {inner}" if inner else ""
            yield Problem(
                place(path, True),
                f"unknown {called} {word!r}{where}",
                did_you_mean(word, known(path[:-1])),
            )
        elif error.code == ERRORS.REQUIRED_FIELD.code:
            inner = dotted((*prefix, *path[:-1]))
            yield Problem(
                place(path[:-1], True), f"{path[-1]!r} is missing" + (f" in {inner}" * bool(inner))
            )
        else:
            yield _about_value(error, path, place, prefix)


def _about_value(error: Any, path: Path, place: Place, prefix: Path) -> Problem:
    label = dotted(path) if prefix[-1:] == ("config",) else dotted((*prefix, *path))
    here = place(path, False)
    value, limit, code = error.value, error.constraint, error.code
    if code == ERRORS.BAD_TYPE.code:
        return Problem(here, f"{label} must be {_type(limit)}, is {_shown(value)}")
    if code in _LIMITS:
        return Problem(here, f"{label} must be {_LIMITS[code]} {limit}, is {value}")
    if code == ERRORS.UNALLOWED_VALUE.code:
        words = ", ".join(str(word) for word in limit)
        return Problem(
            here,
            f"{label} must be one of {words}, is {_shown(value)}",
            did_you_mean(str(value), [str(word) for word in limit]),
        )
    if code == ERRORS.NOT_NULLABLE.code:
        return Problem(here, f"{label} must be given a value, is empty", "remove it")
    if code == ERRORS.MIN_LENGTH.code:
        return Problem(here, f"{label} is too short: at least {limit} {_unit(value)}")
    if code == ERRORS.MAX_LENGTH.code:
        return Problem(here, f"{label} is too long: at most {limit} {_unit(value)}")
    if code == ERRORS.EMPTY_NOT_ALLOWED.code:
        return Problem(here, f"{label} must not be empty")
    if code == ERRORS.EXCLUDES_FIELD.code:
        return Problem(here, f"{label} excludes {limit!r}: only one of them can be given")
    if code == ERRORS.CUSTOM.code:
        return Problem(here, f"{label} {error.info[0]}, is {_shown(value)}")
    return Problem(here, f"{label} does not have the right form, is {_shown(value)}")


def _type(wanted: str | list[str]) -> str:
    words = [wanted] if isinstance(wanted, str) else wanted
    return " or ".join(_TYPES.get(word, word) for word in words)


def _shown(value: Any) -> str:
    if value is None:
        return "empty"
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if isinstance(value, list) else repr(value)


def _unit(value: Any) -> str:
    return "characters" if isinstance(value, str) else "entries"
