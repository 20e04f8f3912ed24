"""JSON Schema of manifests, for editors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pmpc_reconcile.kinds import Kind, Option, Shape, kinds, options_of
from pmpc_reconcile.manifests.document import API_VERSION
from pmpc_reconcile.manifests.rules import METADATA, option_rules, spec_rules

_BOOLEAN = {"enum": [True, False, "on", "off", "yes", "no", 0, 1]}


def json_schema(version: str | None = None) -> dict[str, Any]:
    """Return a JSON Schema (draft 2020-12) of every kind, by the options of a PVE version."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"pmpc manifests ({API_VERSION})",
        "oneOf": [_kind_schema(kind, version) for kind in kinds()],
    }


def _kind_schema(kind: Kind, version: str | None) -> dict[str, Any]:
    spec = _object(spec_rules(kind))
    if not kind.flat:
        spec["properties"]["config"] = _config_schema(kind, version)
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["apiVersion", "kind", "metadata"],
        "properties": {
            "apiVersion": {"const": API_VERSION},
            "kind": {"const": kind.name},
            "metadata": _object(METADATA),
            "spec": spec,
        },
    }


def _config_schema(kind: Kind, version: str | None) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    families: dict[str, Any] = {}
    for option in options_of(kind, version).options.values():
        if option.slots is None:
            plain[option.name] = _option(option)
        else:
            families[rf"^{option.name}\d+$"] = _option(option)
    return {
        "type": "object",
        "properties": plain,
        "patternProperties": families,
        "additionalProperties": False,
    }


def _option(option: Option) -> dict[str, Any]:
    rules = _rules(option_rules(option))
    if option.shape in (Shape.PROPERTIES, Shape.DISK):
        return {"anyOf": [{"type": ["string", "integer", "boolean"]}, rules]}
    if option.shape in (Shape.SET, Shape.LIST, Shape.ENCODED):
        return {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
    return rules


def _object(schema: Mapping[str, Any]) -> dict[str, Any]:
    required = [name for name, rules in schema.items() if rules.get("required")]
    result: dict[str, Any] = {
        "type": "object",
        "properties": {name: _rules(rules) for name, rules in schema.items()},
        "additionalProperties": False,
    }
    if required:
        result["required"] = required
    return result


_NAMES = {
    "min": "minimum",
    "max": "maximum",
    "minlength": "minLength",
    "maxlength": "maxLength",
    "allowed": "enum",
}


def _rules(rules: Mapping[str, Any]) -> dict[str, Any]:
    """Translate Cerberus rules; patterns are left to the loader, which explains them."""
    wanted = rules.get("type")
    if wanted == "boolean":
        return dict(_BOOLEAN)
    if wanted == "dict" and "schema" in rules:
        return _object(rules["schema"])
    if wanted == "dict":
        return {"type": "object", "additionalProperties": _rules(rules.get("valuesrules", {}))}
    if wanted == "list":
        return {"type": "array", "items": _rules(rules.get("schema", {}))}
    types: list[str] = [] if wanted is None else [wanted] if isinstance(wanted, str) else wanted
    if types in (["integer"], ["number"]):
        types = [*types, "string"]
    result: dict[str, Any] = {"type": types} if types else {}
    result.update({new: rules[old] for old, new in _NAMES.items() if old in rules})
    return result
