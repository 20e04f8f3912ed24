"""Check a request's parameters against the schema, with PVE's own message per parameter."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from typing import Any, cast

from proxmox_client.schema import OperationFacts, ParameterFacts, PropertyFormat
from proxmox_client.testing.complaints import MISSING, UNKNOWN, Checker, Errors
from proxmox_client.testing.formats import check_for
from proxmox_client.testing.propertystrings import PropertyStringCheck
from proxmox_client.testing.request import PveFault
from proxmox_client.values import families

_TRUE = frozenset(("1", "on", "yes", "true"))
_FALSE = frozenset(("0", "off", "no", "false"))
_INTEGER = re.compile(r"[+-]?\d+")
_NUMBER = re.compile(r"[+-]?(?=\d|\.\d)\d*(?:\.\d*)?(?:[Ee][+-]?\d+)?")
# Sizes of indexed families; the schema gives only the name with [n]. From the recorded answers and
# the public limits of PVE 9 (scsi99 is an unknown property, not a bad one).
_FAMILY_SIZES = {
    "acmedomain": 6, "dev": 256, "hostpci": 16, "ide": 4, "ipconfig": 32, "link": 8, "mp": 256,
    "net": 32, "numa": 8, "parallel": 3, "sata": 6, "scsi": 31, "serial": 4, "unused": 256,
    "usb": 14, "virtio": 16, "virtiofs": 10,
}  # fmt: skip


def text_of(value: Any) -> str:
    """Return a value as the text a form would have carried."""
    if value is True:
        return "1"
    if value is False:
        return "0"
    return str(value)


class Validator:
    """Checks the parameters of one operation; compiled once."""

    def __init__(self, facts: OperationFacts) -> None:
        self._open = facts.additional_properties
        self._exact = {
            name: checker_of(parameter)
            for name, parameter in facts.parameters.items()
            if not parameter.is_family
        }
        self._families = {
            parameter.stem: checker_of(parameter)
            for parameter in facts.parameters.values()
            if parameter.is_family
        }
        self._required = tuple(
            name
            for name, parameter in facts.parameters.items()
            if not parameter.optional and not parameter.is_family and not parameter.type_property
        )
        self._by_type = tuple(
            (name, parameter)
            for name, parameter in facts.parameters.items()
            if parameter.type_property
        )
        self._requires = tuple(
            (name, parameter.requires)
            for name, parameter in facts.parameters.items()
            if parameter.requires
        )

    def check(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        """Return the coerced parameters.

        Raises:
            PveFault: Status 400 with a text for every bad parameter.
        """
        errors: Errors = {}
        checked: dict[str, Any] = {}
        for name, value in sent.items():
            if value is None:
                continue
            checker = self._exact.get(name) or self._family(name)
            if checker is None:
                if not self._open:
                    errors[name] = UNKNOWN
                checked[name] = value
            else:
                checked[name] = checker(name, value, errors)
        for name in self._required:
            if name not in checked:
                errors[name] = MISSING
        for name, parameter in self._by_type:
            _check_type(name, parameter, checked, errors)
        for name, needed in self._requires:
            if name in checked and needed not in checked:
                errors.setdefault(needed, f"missing property - '{name}' requires this property")
        if errors:
            raise PveFault.parameters(errors)
        return checked

    def _family(self, name: str) -> Checker | None:
        if not self._families or (split := families.split_family(name)) is None:
            return None
        stem, index = split
        if index >= _FAMILY_SIZES.get(stem, 256):
            return None
        return self._families.get(stem)


def _check_type(
    name: str, parameter: ParameterFacts, checked: Mapping[str, Any], errors: Errors
) -> None:
    """Check a parameter that only objects of some types have, or need."""
    kind = checked.get(parameter.type_property or "")
    choices = parameter.one_of or (parameter,)
    choice = next((choice for choice in choices if kind in choice.instance_types), None)
    if choice is None and name in checked:
        errors.setdefault(name, UNKNOWN)
    elif choice is not None and not choice.optional and name not in checked:
        errors[name] = MISSING


def checker_of(parameter: ParameterFacts) -> Checker:
    """Compile the check of one parameter."""
    if parameter.one_of:
        return _one_of(parameter)
    if parameter.type == "array":
        return _array(parameter)
    if parameter.type == "boolean":
        return _boolean
    if parameter.type in ("integer", "number"):
        return _numeric(parameter)
    return _string(parameter)


def _boolean(path: str, value: Any, errors: Errors) -> Any:
    text = text_of(value).lower()
    if text in _TRUE:
        return 1
    if text in _FALSE:
        return 0
    errors.setdefault(path, f"type check ('boolean') failed - got '{value}'")
    return value


def _numeric(parameter: ParameterFacts) -> Checker:
    kind, low, high = parameter.type, _limit(parameter.minimum), _limit(parameter.maximum)
    shape = _INTEGER if kind == "integer" else _NUMBER
    named = _format_check(parameter)
    enum = parameter.enum

    def check(path: str, value: Any, errors: Errors) -> Any:
        text = text_of(value)
        if not shape.fullmatch(text):
            errors.setdefault(path, f"type check ('{kind}') failed - got '{text}'")
            return value
        number = int(text) if _INTEGER.fullmatch(text) else float(text)
        if named is not None and not _passes(named, path, text, errors):
            return number
        if low is not None and number < low:
            errors.setdefault(path, f"value must have a minimum value of {low:g}")
        elif high is not None and number > high:
            errors.setdefault(path, f"value must have a maximum value of {high:g}")
        elif enum and text not in enum:
            errors.setdefault(path, _not_in(text, enum))
        return number

    return check


def _limit(value: float | str | None) -> float | None:
    """Read a limit; the schema writes some of them as text."""
    return None if value is None else float(value)


def _string(parameter: ParameterFacts) -> Checker:
    pattern = _perl(parameter.pattern) if parameter.pattern else None
    longest, shortest, enum = parameter.max_length, parameter.min_length, parameter.enum
    named = _format_check(parameter)
    parts = _property_check(parameter)
    bare = named is None and parts is None and pattern is None
    if bare and longest is None and shortest is None and not enum:
        return _any_text

    def check(path: str, value: Any, errors: Errors) -> Any:
        text = text_of(value)
        if named is not None and not _passes(named, path, text, errors):
            return text
        if parts is not None:
            parts(path, text, errors)
        if pattern is not None and not pattern.fullmatch(text):
            errors.setdefault(path, "value does not match the regex pattern")
        elif longest is not None and len(text) > longest:
            errors.setdefault(path, f"value may only be {longest} characters long")
        elif shortest is not None and len(text) < shortest:
            errors.setdefault(path, f"value must be at least {shortest} characters long")
        elif enum and text not in enum:
            errors.setdefault(path, _not_in(text, enum))
        return text

    return check


def _any_text(path: str, value: Any, errors: Errors) -> Any:
    return text_of(value)


def _array(parameter: ParameterFacts) -> Checker:
    item = checker_of(parameter.items) if parameter.items else _any_text

    def check(path: str, value: Any, errors: Errors) -> Any:
        entries = cast("list[object]", value) if isinstance(value, list) else str(value).split("\0")
        return [item(f"{path}[{index}]", entry, errors) for index, entry in enumerate(entries)]

    return check


def _one_of(parameter: ParameterFacts) -> Checker:
    choices = [checker_of(choice) for choice in parameter.one_of]

    def check(path: str, value: Any, errors: Errors) -> Any:
        last: Errors = {}
        for choice in choices:
            last = {}
            checked = choice(path, value, last)
            if not last:
                return checked
        for name, text in last.items():
            errors.setdefault(name, text)
        return value

    return check


def _passes(named: Callable[[str], None], path: str, text: str, errors: Errors) -> bool:
    try:
        named(text)
    except ValueError as error:
        errors.setdefault(path, f"invalid format - {error}\n")
        return False
    return True


def _format_check(parameter: ParameterFacts) -> Callable[[str], None] | None:
    return check_for(parameter.format) if isinstance(parameter.format, str) else None


def _property_check(parameter: ParameterFacts) -> Checker | None:
    if not isinstance(parameter.format, PropertyFormat):
        return None
    fmt = PropertyStringCheck(parameter.format, checker_of)

    def check(path: str, text: str, errors: Errors) -> Any:
        if message := fmt.complaint(path, text):
            errors.setdefault(path, f"invalid format - {message}")

    return check


def _not_in(text: str, enum: tuple[str, ...]) -> str:
    return f"value '{text}' does not have a value in the enumeration '{', '.join(enum)}'"


@functools.cache
def _perl(pattern: str) -> re.Pattern[str]:
    """Compile a Perl pattern; PVE anchors it at both ends."""
    body = re.sub(r"\(\?\^([a-z]*):", lambda found: f"(?{found[1]}:", pattern)
    for name, chars in (("xdigit", "0-9a-fA-F"), ("alnum", "a-zA-Z0-9"), ("digit", "0-9")):
        body = body.replace(f"[:{name}:]", chars)
    return re.compile(body.replace(r"\z", r"\Z"))
