"""The options of a kind in a version of PVE: the API's facts plus what `meaning` knows."""

from __future__ import annotations

import functools
import re
from types import MappingProxyType

import attrs

from pmpc_reconcile.kinds import meaning
from pmpc_reconcile.kinds.definition import Kind
from pmpc_reconcile.kinds.option import (
    Option,
    OptionSet,
    Plain,
    PropertyKey,
    Scalar,
    Shape,
    ValueType,
)
from proxmox_client import schema
from proxmox_client.schema import ParameterFacts, PropertyFormat


@functools.cache
def options_of(kind: Kind, version: str | None = None) -> OptionSet:
    """Return the options of a kind, by the API facts of a version (None: newest word of all).

    Raises:
        ValueError: There are no facts for that version.
    """
    if kind.flat:
        return OptionSet(kind, version, MappingProxyType({}))
    assert kind.config_path is not None
    write = schema.operation(kind.config_method, kind.config_path, version)
    parameters = dict(write.parameters)
    create = schema.operation("POST", kind.collection_path, version)
    parameters.update(
        (name, facts) for name, facts in create.parameters.items() if name in kind.create_only
    )
    options = {
        name: _option(kind.family, facts)
        for name, facts in parameters.items()
        if name not in kind.control and facts.stem not in kind.reserved
    }
    return OptionSet(kind, version, MappingProxyType(options))


def _option(guest: str, facts: ParameterFacts) -> Option:
    key = (guest, facts.stem)
    slots = meaning.SLOTS.get(key, 256) if facts.is_family else None
    if isinstance(facts.format, PropertyFormat):
        if key in meaning.COLLAPSED:
            only = meaning.COLLAPSED[key]
            scalar = _scalar(key, facts.format.keys[only])
            return Option(
                name=facts.stem, slots=slots, shape=Shape.SCALAR, scalar=scalar, only_key=only
            )
        return _properties(guest, facts, facts.format, slots)
    return Option(
        name=facts.stem, slots=slots, shape=_shape(key, facts), scalar=_scalar(key, facts)
    )


def _shape(key: tuple[str, str], facts: ParameterFacts) -> Shape:
    if key in meaning.WRITE_ONLY:
        return Shape.SECRET
    if key in meaning.ENCODED:
        return Shape.ENCODED
    if facts.stem == "description":
        return Shape.TEXT
    if facts.format == "pve-tag-list":
        return Shape.SET
    if key in meaning.ORDERED_OPTIONS:
        return Shape.LIST
    return Shape.SCALAR


def _properties(
    guest: str, facts: ParameterFacts, form: PropertyFormat, slots: int | None
) -> Option:
    key = (guest, facts.stem)
    disk = facts.stem in meaning.DISKS.get(guest, frozenset())
    rename = dict(meaning.RENAMED.get(key, {}))
    if disk:
        rename.update(dict.fromkeys(meaning.VOLUME_KEYS, "volume"))
    keys: dict[str, PropertyKey] = {}
    aliases: dict[str, str] = {old: new for old, new in rename.items() if old != new}
    models: dict[str, tuple[str, str]] = {}
    for name, entry in form.keys.items():
        if entry.key_alias is not None and entry.alias is not None:
            models[name] = (entry.key_alias, entry.alias)
        elif entry.alias is not None:
            target = rename.get(entry.alias, entry.alias)
            if target != name:
                aliases[name] = target
        else:
            shown = rename.get(name, name)
            keys[shown] = PropertyKey(
                name=shown, scalar=_scalar((*key, name), entry), required=not entry.optional
            )
    default = form.default_key
    return Option(
        name=facts.stem,
        slots=slots,
        shape=Shape.DISK if disk else Shape.PROPERTIES,
        scalar=_scalar(key, facts),
        keys=MappingProxyType(keys),
        default_key=None if default is None else rename.get(default, default),
        aliases=MappingProxyType(aliases),
        models=MappingProxyType(models),
    )


_TYPES = {
    "integer": ValueType.INTEGER,
    "number": ValueType.NUMBER,
    "boolean": ValueType.BOOLEAN,
}
_FORMATS = {"disk-size": ValueType.SIZE, "mac-addr": ValueType.MAC}


def _scalar(key: tuple[str, ...], facts: ParameterFacts) -> Scalar:
    form = facts.format if isinstance(facts.format, str) else None
    kind_of_value = _FORMATS.get(form or "", _TYPES.get(facts.type, ValueType.TEXT))
    ordered = key in meaning.ORDERED_KEYS
    unordered = key in meaning.UNORDERED_KEYS or key in meaning.UNORDERED_OPTIONS
    scalar = Scalar(
        type=kind_of_value,
        enum=tuple(str(word) for word in facts.enum),
        minimum=_number(facts.minimum),
        maximum=_number(facts.maximum),
        min_length=facts.min_length,
        max_length=facts.max_length,
        pattern=_pattern(facts.pattern),
        format=form,
        separator=(";" if len(key) == 3 else ",") if ordered or unordered else None,
        unordered=unordered,
    )
    return attrs.evolve(scalar, default=_default(key, facts, scalar))


def _default(key: tuple[str, ...], facts: ParameterFacts, scalar: Scalar) -> Plain | None:
    if key in meaning.NO_DEFAULT:
        return None
    value = facts.default
    if len(key) == 3:
        value = meaning.IMPLIED_KEYS.get((key[0], key[1]), {}).get(key[2], value)
    else:
        value = meaning.IMPLIED_OPTIONS.get((key[0], key[1]), value)
    return typed_default(value, scalar)


def typed_default(value: object, scalar: Scalar) -> Plain | None:
    """Type a default of the facts; None where it is prose rather than a value.

    The facts hold entries such as `cgroup v1: 1024, cgroup v2: 100`.
    """
    if value is None:
        return None
    text = str(int(value)) if isinstance(value, bool) else str(value)
    result: Plain | None = None
    if scalar.type is ValueType.BOOLEAN:
        result = {"0": False, "1": True}.get(text)
    elif scalar.type is ValueType.INTEGER:
        result = int(text) if re.fullmatch(r"-?\d+", text) else None
    elif scalar.type is ValueType.NUMBER:
        result = _number(text) if re.fullmatch(r"-?\d+(\.\d+)?", text) else None
    elif scalar.separator is not None and scalar.unordered:
        result = scalar.separator.join(sorted(text.split(scalar.separator)))
    elif not scalar.enum or text in scalar.enum:
        fits = scalar.pattern is None or scalar.pattern.fullmatch(text)
        result = text if fits else None
    return result


def _number(value: object) -> int | float | None:
    """Type a bound; the facts write some as text (`"0"`)."""
    if value is None:
        return None
    number = float(str(value))
    return int(number) if number.is_integer() else number


def _pattern(perl: str | None) -> re.Pattern[str] | None:
    """Translate a Perl pattern; None (nothing is checked here) where Python has no such form."""
    if perl is None:
        return None
    try:
        return re.compile(perl.replace("(?^:", "(?:").replace(r"\z", r"\Z"))
    except re.error:
        return None
