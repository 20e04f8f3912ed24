"""JSON Schema of manifests, for editors.

It accepts whatever the loader accepts and may accept more: patterns, formats and what depends on
several fields are left to the loader, which explains them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pmpc_reconcile.kinds import Kind, Option, Scalar, Shape, ValueType, kinds, options_of
from pmpc_reconcile.manifests.document import API_VERSION
from pmpc_reconcile.manifests.rules import METADATA, spec_rules

Schema = dict[str, Any]

_YES: Final = ("on", "yes", "1", "true")
_NO: Final = ("off", "no", "0", "false")
_CASES: Final = (str, str.capitalize, str.upper)
_BOOLEAN: Final[Schema] = {
    "enum": [
        *(True, False, 1, 0),
        *dict.fromkeys(case(word) for case in _CASES for word in (*_YES, *_NO)),
    ]
}
# YAML takes `007` and `1.10` for numbers, and some editors `on` for a boolean.
_TEXT: Final[Schema] = {"type": ["string", "number", "boolean"]}
_LISTED: Final = frozenset({Shape.SET, Shape.LIST, Shape.ENCODED})


def json_schema(version: str | None = None) -> Schema:
    """Return a JSON Schema (draft 2020-12) of every kind.

    Args:
        version: PVE version whose options are allowed; None for every option any version has.

    Raises:
        ValueError: There are no facts about that version.
    """
    names = [kind.name for kind in kinds()]
    known = [{"$ref": f"#/$defs/{name}"} for name in names]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"pmpc manifests ({API_VERSION})",
        "$defs": {
            **{kind.name: _kind_schema(kind, version) for kind in kinds()},
            "List": {
                "type": "object",
                "required": ["kind", "items"],
                "properties": {
                    "kind": {"const": "List"},
                    "items": {"type": "array", "items": {"oneOf": known}},
                },
            },
        },
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": {"enum": [*names, "List"]}},
        # One branch per kind, so that an editor speaks of the kind that is meant.
        "allOf": [
            {
                "if": {"properties": {"kind": {"const": name}}, "required": ["kind"]},
                "then": {"$ref": f"#/$defs/{name}"},
            }
            for name in [*names, "List"]
        ],
    }


def _kind_schema(kind: Kind, version: str | None) -> Schema:
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


def _config_schema(kind: Kind, version: str | None) -> Schema:
    plain: Schema = {}
    families: Schema = {}
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


def _option(option: Option) -> Schema:
    if option.shape in (Shape.PROPERTIES, Shape.DISK):
        return {"anyOf": [_TEXT, _keys(option), *_bare_list(option)]}
    if option.shape in _LISTED:
        return {"anyOf": [_TEXT, _texts()]}
    value = _scalar(option.scalar)
    if option.only_key is None:
        return value
    return {"anyOf": [value, {"type": "object", "properties": {option.only_key: value}}]}


def _keys(option: Option) -> Schema:
    keys = {name: _scalar(key.scalar) for name, key in option.keys.items()}
    keys |= {alias: keys.get(name, _TEXT) for alias, name in option.aliases.items()}
    keys |= dict.fromkeys(option.models, _TEXT)
    if option.shape is Shape.DISK:
        keys |= {"storage": _TEXT, "cloudinit": _BOOLEAN}
    return {"type": "object", "properties": keys, "additionalProperties": False}


def _bare_list(option: Option) -> list[Schema]:
    """Return the form of `boot: [scsi0, net0]`, where the list can only mean one key."""
    listed = [key for key in option.keys.values() if key.scalar.separator == ";"]
    return [_texts()] if len(listed) == 1 else []


def _scalar(scalar: Scalar) -> Schema:
    if scalar.type is ValueType.BOOLEAN:
        return _BOOLEAN
    if scalar.enum:
        return {"enum": _words(scalar.enum)}
    if scalar.type in (ValueType.INTEGER, ValueType.NUMBER):
        return _bounded({"type": ["integer", "string"]}, scalar)
    if scalar.separator is not None:
        return {"anyOf": [_TEXT, _texts()]}
    return _TEXT if scalar.type is ValueType.TEXT else {"type": "string"}


def _bounded(schema: Schema, scalar: Scalar) -> Schema:
    if scalar.type is ValueType.NUMBER:
        schema["type"] = ["number", "string"]
    bounds = {"minimum": scalar.minimum, "maximum": scalar.maximum}
    return schema | {name: bound for name, bound in bounds.items() if bound is not None}


def _words(words: tuple[str, ...]) -> list[Any]:
    """Return the words of an enumeration and what YAML makes of them unquoted."""
    found: list[Any] = list(words)
    found.extend(int(word) for word in words if word.isdigit())
    for meaning, synonyms in ((True, _YES), (False, _NO)):
        if any(word in words for word in synonyms):
            found.append(meaning)
    return found


def _texts() -> Schema:
    return {"type": "array", "items": _TEXT}


def _object(schema: Mapping[str, Any]) -> Schema:
    required = [name for name, rules in schema.items() if rules.get("required")]
    result: Schema = {
        "type": "object",
        "properties": {name: _rules(rules) for name, rules in schema.items()},
        "additionalProperties": False,
    }
    if required:
        result["required"] = required
    return result


_NAMES: Final = {"min": "minimum", "max": "maximum", "allowed": "enum"}


def _rules(rules: Mapping[str, Any]) -> Schema:
    """Translate the Cerberus rules of `spec` and `metadata`."""
    wanted = rules.get("type")
    if wanted == "boolean":
        return _BOOLEAN
    if wanted == "dict" and "schema" in rules:
        return _object(rules["schema"])
    if wanted == "dict":
        return {"type": "object", "additionalProperties": _rules(rules.get("valuesrules", {}))}
    if wanted == "list":
        return {"type": "array", "items": _rules(rules.get("schema", {}))}
    if wanted == "string" and "allowed" not in rules:
        return _TEXT
    types: list[str] = [wanted] if isinstance(wanted, str) else list(wanted or ())
    types = [{"list": "array", "dict": "object"}.get(name, name) for name in types]
    if types == ["integer"]:
        types = ["integer", "string"]
    result: Schema = {"type": types} if types else {}
    return result | {new: rules[old] for old, new in _NAMES.items() if old in rules}
