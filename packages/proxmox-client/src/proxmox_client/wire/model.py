"""Base of the generated result classes, and the constructors compiled for them.

A generated class states its fields once for people and type checkers (attrs) and once for the wire:
`__wire__` lists `name:kind` in the order of the fields. On first use a straight-line constructor is
compiled from it, as attrs does for `__init__`. Kinds:

- `s` text, `i` integer, `f` number, `b` boolean, `a` anything;
- `@Class` an object described by a class of the same module;
- `*` before one of these: a list of them;
- a name that ends in `[n]`: an indexed family, gathered in one dict.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar, cast, dataclass_transform

import attrs

from proxmox_client.wire.coerce import keep, to_boolean, to_integer, to_number, to_text

M = TypeVar("M", bound="Model")
Build = Callable[[Mapping[str, Any]], Any]
Coercer = Callable[[Any], Any]

_log = logging.getLogger("proxmox_client.drift")
_noted: set[tuple[str, str]] = set()
_builders: dict[type[Any], Build] = {}
_COERCERS: dict[str, Coercer] = {
    "s": to_text,
    "i": to_integer,
    "f": to_number,
    "b": to_boolean,
    "a": keep,
}
_WANTED: dict[str, tuple[type[Any], ...]] = {
    "s": (str,),
    "i": (int,),
    "f": (int, float),
    "b": (bool,),
}
# What a fitting value looks like, as an expression over `v`; the rest goes through the coercer.
_FITS = {"s": "v.__class__ is str", "i": "v.__class__ is int", "f": "v.__class__ is float"}


class Model:
    """A typed result.

    Attributes:
        extra: Fields the server sent that the class does not know, as they came. A field that came
            as null counts as absent.
    """

    __slots__ = ()
    __wire__: ClassVar[str] = ""

    extra: dict[str, Any]

    @classmethod
    def from_wire(cls: type[M], data: Mapping[str, Any]) -> M:
        """Build the value from what PVE sent; odd fields stay as they came, unknown ones too."""
        return cast("M", builder(cls)(data))

    def to_dict(self) -> dict[str, Any]:
        """Return the value under PVE's own names, without absent fields, with unknown ones."""
        found: dict[str, Any] = {}
        for wire, python, _ in _fields(type(self)):
            value = getattr(self, python)
            if wire.endswith("[n]"):
                if isinstance(value, dict):
                    entries = cast("dict[int, Any]", value)
                    stem = wire[:-3]
                    found.update({f"{stem}{n}": _plain(entry) for n, entry in entries.items()})
            elif value is not None:
                found[wire] = _plain(value)
        found.update(self.extra)
        return found

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, n) == getattr(other, n) for n in names_of(type(self)))

    __hash__ = None  # type: ignore[assignment]  # results hold dicts and lists

    def __repr__(self) -> str:
        pairs = ((name, getattr(self, name)) for name in names_of(type(self)))
        shown = ", ".join(f"{name}={value!r}" for name, value in pairs if value not in (None, {}))
        return f"{type(self).__name__}({shown})"


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(attrs.field,))
def result(cls: type[M]) -> type[M]:
    """Make a generated class a slotted frozen attrs class with the field `extra`.

    Comparison and `repr` are shared in `Model`: attrs would compile them anew for every class, and
    importing an area with dozens of classes would be slow.
    """
    cls.__annotations__["extra"] = dict[str, Any]
    cls.extra = attrs.field(factory=dict[str, Any])
    build = attrs.frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
    return build(cls)


def _plain(value: Any) -> Any:
    if isinstance(value, Model):
        return value.to_dict()
    if isinstance(value, list):
        entries: list[Any] = value
        return [_plain(entry) for entry in entries]
    return value


def _fields(cls: type[Model]) -> list[tuple[str, str, str]]:
    """List wire name, Python name and kind of each field."""
    names = [name for name in names_of(cls) if name != "extra"]
    tokens = [token.rpartition(":") for token in cls.__wire__.split()]
    return [(wire, name, kind) for (wire, _, kind), name in zip(tokens, names, strict=True)]


def names_of(cls: type[Any]) -> list[str]:
    """List the Python names of a model's fields, `extra` included."""
    return [field.name for field in attrs.fields(cls)]


def builder(cls: type[Any]) -> Build:
    """Return the constructor of a model class, compiled on first use."""
    return _builders.get(cls) or _compile(cls)


def note(owner: str, field: str, found: str) -> None:
    """Report a field that is not what the schema says, once."""
    if (owner, field) not in _noted:
        _noted.add((owner, field))
        _log.info("%s.%s: %s", owner, field, found)


def entry_coercer(cls: type[Any], kind: str) -> Coercer:
    """Return what turns one value of a kind into its typed form."""
    if kind.startswith("*"):
        inner = entry_coercer(cls, kind[1:])
        return lambda v: [inner(entry) for entry in v] if v.__class__ is list else v
    if kind.startswith("@"):
        return _nested(getattr(sys.modules[cls.__module__], kind[1:]))
    return _COERCERS[kind]


def _nested(target: type[Any]) -> Coercer:
    def decode(value: Any) -> Any:
        return builder(target)(value) if value.__class__ is dict else value

    return decode


def _compile(cls: type[Any]) -> Build:
    """Compile the straight-line constructor of a class.

    Frozen attrs classes set each field through `object.__setattr__`, which costs more than all the
    rest of decoding. So the fields are set on an instance of a twin with the same slots and no
    guard, whose class is then changed to the real one.
    """
    fields = _fields(cls)
    base = cls.__mro__[1]
    slots = cls.__dict__["__slots__"]
    twin = type(cls.__name__, (base,), {"__slots__": slots})
    families = {wire[:-3]: (name, kind) for wire, name, kind in fields if wire.endswith("[n]")}
    scope: dict[str, Any] = {
        "T": twin,
        "C": cls,
        "new": object.__new__,
        "rest": _rest(cls, families),
    }
    lines = ["def build(d):", " o = new(T)", " n = 0"]
    for number, (wire, name, kind) in enumerate(fields):
        if wire.endswith("[n]"):
            lines.append(f" o.{name} = {{}}")
            continue
        scope[f"c{number}"] = _watched(cls, name, entry_coercer(cls, kind), kind)
        lines += [
            f" if {wire!r} in d:",
            "  n += 1",
            f"  v = d[{wire!r}]",
            f"  o.{name} = {_expression(kind, number)}",
            f" else: o.{name} = None",
        ]
    lines += [" o.extra = {} if n == len(d) else rest(o, d)", " o.__class__ = C", " return o"]
    exec("\n".join(lines), scope)  # noqa: S102 - only names from our own generated classes
    build: Build = scope["build"]
    _builders[cls] = build
    return build


def _expression(kind: str, number: int) -> str:
    if kind == "a":
        return "v"
    if kind == "b":
        return f"True if v == 1 else False if v == 0 else c{number}(v)"
    return f"v if {_FITS[kind]} else c{number}(v)" if kind in _FITS else f"c{number}(v)"


def _watched(cls: type[Any], name: str, coerce: Coercer, kind: str) -> Coercer:
    """Wrap a coercer so that a value it cannot read is reported."""
    wanted = _WANTED.get(kind)
    if wanted is None:
        return coerce

    def watched(value: Any) -> Any:
        result = coerce(value)
        if result is not None and not isinstance(result, wanted):
            note(cls.__name__, name, f"unexpected {type(value).__name__}")
        return result

    return watched


def _rest(
    cls: type[Any], families: Mapping[str, tuple[str, str]]
) -> Callable[[Any, Mapping[str, Any]], dict[str, Any]]:
    """Return what sorts fields beyond the plain ones into families and unknown ones."""
    known = frozenset(wire for wire, _, _ in _fields(cls))
    member = re.compile(rf"({'|'.join(map(re.escape, families)) or '(?!)'})(0|[1-9][0-9]*)")
    coercers = {stem: entry_coercer(cls, kind) for stem, (_, kind) in families.items()}

    def rest(target: Any, data: Mapping[str, Any]) -> dict[str, Any]:
        extra: dict[str, Any] = {}
        for key, value in data.items():
            if key in known:
                continue
            indexed = member.fullmatch(key)
            if indexed:
                stem = indexed[1]
                getattr(target, families[stem][0])[int(indexed[2])] = coercers[stem](value)
            else:
                extra[key] = value
                note(cls.__name__, key, "unknown field")
        return extra

    return rest
