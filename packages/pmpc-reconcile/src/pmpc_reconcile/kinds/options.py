"""The options of a kind in a version of PVE: the API's facts plus what `meaning` knows."""

from __future__ import annotations

import enum
import functools
import re
from collections.abc import Mapping
from types import MappingProxyType

import attrs

from pmpc_reconcile.kinds import meaning
from pmpc_reconcile.kinds.definition import Kind
from proxmox_client import schema
from proxmox_client.schema import ParameterFacts, PropertyFormat

Plain = str | int | float | bool


class ValueType(enum.Enum):
    """What one value is, once it is read."""

    TEXT = "text"
    INTEGER = "a whole number"
    NUMBER = "a number"
    BOOLEAN = "a boolean"
    SIZE = "a size"
    MAC = "a MAC address"


class Shape(enum.Enum):
    """How an option's value is built, and so which fields it has."""

    SCALAR = "scalar"
    PROPERTIES = "properties"
    DISK = "disk"
    SET = "set"
    LIST = "list"
    TEXT = "text"
    ENCODED = "encoded"
    SECRET = "secret"  # noqa: S105  # the name of a shape


@attrs.frozen(kw_only=True)
class Scalar:
    """What a single value accepts.

    Attributes:
        type: Its type.
        enum: The words allowed; empty for any.
        minimum: Lowest number.
        maximum: Highest number.
        min_length: Shortest text.
        max_length: Longest text.
        pattern: What the whole text has to match.
        format: PVE's name of the text's format, if any.
        default: What PVE takes when nothing is written; None when unknown or nothing.
        separator: Separator of entries, where the text has several.
        unordered: The order of the entries says nothing.
    """

    type: ValueType
    enum: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: re.Pattern[str] | None = None
    format: str | None = None
    default: Plain | None = None
    separator: str | None = None
    unordered: bool = False


@attrs.frozen(kw_only=True)
class PropertyKey:
    """One key of a property string."""

    name: str
    scalar: Scalar
    required: bool


@attrs.frozen(kw_only=True)
class Option:
    """One option, or one indexed family of options.

    Attributes:
        name: Without an index: `cores`, `net`.
        slots: Members of the family; None for a single option.
        shape: How the value is built.
        scalar: What the value accepts (its text for property strings).
        keys: Keys of a property string, aliases left out.
        default_key: The key whose name may be left out.
        only_key: The one key of a property string that counts as a single value.
        aliases: Other names of keys.
        models: Keys whose name is itself the value of another key: `virtio` → (`model`, `macaddr`).
    """

    name: str
    slots: int | None
    shape: Shape
    scalar: Scalar
    keys: Mapping[str, PropertyKey] = attrs.field(factory=dict[str, PropertyKey])
    default_key: str | None = None
    only_key: str | None = None
    aliases: Mapping[str, str] = attrs.field(factory=dict[str, str])
    models: Mapping[str, tuple[str, str]] = attrs.field(factory=dict[str, tuple[str, str]])


_INDEXED = re.compile(r"(?P<stem>.*?[A-Za-z_-])(?P<index>0|[1-9]\d*)")


@attrs.frozen
class OptionSet:
    """The options of one kind in one version.

    Attributes:
        kind: The kind they belong to.
        version: The PVE version whose API facts they come from; None for all versions merged.
        options: By the facts' name; that of a family ends in `[n]`.
    """

    kind: Kind
    version: str | None
    options: Mapping[str, Option]
    _found: dict[str, Option | None] = attrs.field(factory=dict[str, Option | None], eq=False)

    def find(self, name: str) -> Option | None:
        """Find the option a name such as `net0` stands for; None when there is none."""
        if name not in self._found:
            self._found[name] = self._search(name)
        return self._found[name]

    def _search(self, name: str) -> Option | None:
        option = self.options.get(name)
        if option is not None:
            return None if option.slots is not None else option
        match = _INDEXED.fullmatch(name)
        option = self.options.get(f"{match['stem']}[n]") if match else None
        if match and option and option.slots is not None and int(match["index"]) < option.slots:
            return option
        return None

    def names(self) -> list[str]:
        """List names for suggestions: every single option and the first slots of families."""
        found: list[str] = []
        for option in self.options.values():
            if option.slots is None:
                found.append(option.name)
            else:
                found.extend(f"{option.name}{index}" for index in range(min(option.slots, 10)))
        return found


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
    disk = facts.stem in meaning.DISKS[guest]
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
