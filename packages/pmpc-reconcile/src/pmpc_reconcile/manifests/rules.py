"""Cerberus rules of documents, specs and options, and the validators that apply them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

from pmpc_reconcile.kinds import Kind, Option, OptionSet, Scalar, Shape, ValueType, options_of
from pmpc_reconcile.kinds.guest import NAME, STORAGE
from pmpc_reconcile.manifests.formats import FORMATS
from pmpc_reconcile.manifests.validator import ManifestValidator, violations

Rules = dict[str, Any]

_TYPES: Final = {
    ValueType.INTEGER: "integer",
    ValueType.NUMBER: "number",
    ValueType.BOOLEAN: "boolean",
}

METADATA: Final[Rules] = {
    "name": {"type": "string", "required": True, "empty": False, "regex": NAME},
    "labels": {"type": "dict", "valuesrules": {"type": "string"}},
    "annotations": {"type": "dict", "valuesrules": {"type": "string"}},
}
DOCUMENT: Final[Rules] = {
    "apiVersion": {"type": "string", "required": True},
    "kind": {"type": "string", "required": True},
    "metadata": {"type": "dict", "required": True, "schema": METADATA},
    "spec": {"type": "dict"},
}


def spec_rules(kind: Kind) -> Rules:
    """Return the rules of a kind's `spec`; its options are checked by `ConfigRules`."""
    return dict(kind.spec) if kind.flat else {**kind.spec, "config": {"type": "dict"}}


@functools.cache
def document_validator() -> Any:
    """Return the validator of a whole document."""
    return ManifestValidator(DOCUMENT)


@functools.cache
def spec_validator(kind: Kind) -> Any:
    """Return the validator of a kind's `spec`."""
    return ManifestValidator(spec_rules(kind))


def option_errors(options: OptionSet, option: Option, value: Any) -> list[Any]:
    """Check the canonical value of an option; return Cerberus' errors.

    Their paths begin with the option's name without an index: all members of a family share one
    validator, because Cerberus checks a schema at length before using it.
    """
    validator = _option_validator(options.kind, options.version, option.name, option.slots is None)
    return violations(validator, {option.name: value})


@functools.cache
def _option_validator(kind: Kind, version: str | None, name: str, single: bool) -> Any:
    option = options_of(kind, version).options[name if single else f"{name}[n]"]
    return ManifestValidator({name: option_rules(option)})


def option_rules(option: Option) -> Rules:
    """Return the rules of an option's canonical value."""
    if option.shape is Shape.SET:
        return {"type": "list", "schema": {"type": "string", "regex": r"[a-z0-9_][a-z0-9_+.-]*"}}
    if option.shape in (Shape.PROPERTIES, Shape.DISK):
        keys = {key: scalar_rules(known.scalar) for key, known in option.keys.items()}
        if option.shape is Shape.DISK:
            keys["storage"] = {"type": "string", "regex": STORAGE}
            keys["cloudinit"] = {"type": "boolean"}
        return {"type": "dict", "schema": keys}
    return scalar_rules(option.scalar)


def scalar_rules(scalar: Scalar) -> Rules:
    """Return the rules of a single value."""
    rules: Rules = {"type": _TYPES.get(scalar.type, "string")}
    if scalar.enum:
        rules["allowed"] = list(scalar.enum)
    if scalar.type in (ValueType.INTEGER, ValueType.NUMBER):
        _put(rules, "min", scalar.minimum)
        _put(rules, "max", scalar.maximum)
    elif scalar.type is ValueType.TEXT:
        _put(rules, "minlength", scalar.min_length)
        _put(rules, "maxlength", scalar.max_length)
        if scalar.pattern is not None and not scalar.enum:
            rules["regex"] = f"(?:{scalar.pattern.pattern})"
        if scalar.format in FORMATS:
            rules["check_with"] = format_check(scalar.format)
    return rules


@functools.cache
def format_check(name: str) -> Callable[[Any, Any, Any], None]:
    """Return a Cerberus check of a named text format."""
    fits, expected = FORMATS[name]

    def check(field: Any, value: Any, error: Callable[[Any, str], None]) -> None:
        if isinstance(value, str) and not fits(value):
            error(field, f"must be {expected}")

    return check


def _put(rules: Rules, name: str, value: object) -> None:
    if value is not None:
        rules[name] = value
