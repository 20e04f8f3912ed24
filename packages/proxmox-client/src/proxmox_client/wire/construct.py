"""Constructors of result classes, compiled on first use as attrs compiles `__init__`.

They are built from `__wire__`, the `name:kind` list of a class. Kinds:

- `s` text, `i` integer, `f` number, `b` boolean, `a` anything;
- `@Class` an object described by a class of the same module;
- `*` before one of these: a list of them;
- a name that ends in `[n]`: an indexed family, gathered in one dict.
"""

from __future__ import annotations

import logging
import operator
import re
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, Self

import attrs

from proxmox_client.wire.coerce import keep, to_boolean, to_integer, to_number, to_text

Build = Callable[[Mapping[str, Any]], Any]
Coercer = Callable[[Any], Any]
Fields = list[tuple[str, str, str]]

_log = logging.getLogger("proxmox_client.drift")
_noted: set[tuple[str, str]] = set()
_builders: dict[type[Any], Build] = {}
_shaped: dict[tuple[type[Any], frozenset[str]], Build] = {}
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
# The class of a fitting value; the rest goes through the coercer.
_FITS = {"s": "str", "i": "int", "f": "float"}
_MANY = 400
_SAMPLES = 64
_SHAPES = 64


def fields_of(cls: type[Any]) -> Fields:
    """List wire name, Python name and kind of each field."""
    names = [name for name in names_of(cls) if name != "extra"]
    tokens = [token.rpartition(":") for token in cls.__wire__.split()]
    return [(wire, name, kind) for (wire, _, kind), name in zip(tokens, names, strict=True)]


def names_of(cls: type[Any]) -> list[str]:
    """List the Python names of a model's fields, `extra` included."""
    return [field.name for field in attrs.fields(cls)]


class Nothing(dict[str, Any]):
    """The empty `extra` which all results without unknown fields share; nothing can be put in."""

    __slots__ = ()

    def __setitem__(self, key: str, value: Any) -> None:
        raise TypeError("results are frozen")

    def __ior__(self, other: object) -> Self:  # type: ignore[override,misc]  # refuses all
        raise TypeError("results are frozen")

    def setdefault(self, *args: object) -> NoReturn:
        """Refuse: results are frozen."""
        raise TypeError("results are frozen")

    def update(self, *args: object, **more: object) -> NoReturn:
        """Refuse: results are frozen."""
        raise TypeError("results are frozen")

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[()]]:
        return dict, ()


NOTHING = Nothing()


def builder(cls: type[Any]) -> Build:
    """Return the constructor of a model class, compiled on first use."""
    known = _builders.get(cls)
    if known is None:
        known = _builders[cls] = _compile(cls)
    return known


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


def build_all(cls: type[Any], rows: list[Any]) -> list[Any]:
    """Build a value of each object in a list; entries that are no objects stay what they are.

    Long lists hold few sets of keys, each many times. For those that a sample finds, a constructor
    is compiled that knows which fields are there: it looks for nothing else. The number of keys
    picks it, and a key that is missing after all leads back to the general one.
    """
    general = builder(cls)
    if len(rows) < _MANY:
        return [general(row) if row.__class__ is dict else row for row in rows]
    pick = _constructors(cls, rows).get
    return [pick(len(row), general)(row) if row.__class__ is dict else row for row in rows]


def _constructors(cls: type[Any], rows: list[Any]) -> dict[int, Build]:
    """Find constructors by number of keys for the commonest sets of keys in a list."""
    sample = rows[:: max(1, len(rows) // _SAMPLES)]
    plain = {wire for wire, _, _ in fields_of(cls) if not wire.endswith("[n]")}
    found: dict[int, Build] = {}
    shapes = Counter(frozenset(row) for row in sample if row.__class__ is dict)
    for shape, times in shapes.most_common():
        if len(shape) in found or times < 2 or not shape or not shape <= plain:
            continue
        known = _shaped.get((cls, shape))
        if known is None and len(_shaped) < _SHAPES:
            known = _shaped[cls, shape] = _compile(cls, shape)
        if known is not None:
            found[len(shape)] = known
    return found


def _compile(cls: type[Any], shape: frozenset[str] | None = None) -> Build:
    """Compile the straight-line constructor of a class, or one for a certain set of keys.

    Frozen attrs classes set each field through `object.__setattr__`, which costs more than all the
    rest of decoding. So the fields are set on an instance of a twin with the same slots and no
    guard, whose class is then changed to the real one.
    """
    fields = fields_of(cls)
    slots = cls.__dict__["__slots__"]
    scope: dict[str, Any] = {
        "T": type(cls.__name__, (cls.__mro__[1],), {"__slots__": slots}),
        "C": cls,
        "NOTHING": NOTHING,
    }
    for number, (_, name, kind) in enumerate(fields):
        scope[f"c{number}"] = _watched(cls, name, entry_coercer(cls, kind), kind)
    if shape is None:
        scope["rest"] = _rest(cls, fields)
        lines = _general(fields)
    else:
        scope["general"] = builder(cls)
        scope["pick"] = _getter([wire for wire, _, _ in fields if wire in shape])
        lines = _for_shape(fields, shape)
    exec("\n".join(lines), scope)  # noqa: S102  # only names from our own generated classes
    build: Build = scope["build"]
    return build


def _getter(keys: list[str]) -> Callable[[Mapping[str, Any]], Any]:
    if len(keys) == 1:
        return lambda row: (row[keys[0]],)
    return operator.itemgetter(*keys)


def _general(fields: Fields) -> list[str]:
    lines = ["def build(d):", " o = T()", " n = 0"]
    for number, (wire, name, kind) in enumerate(fields):
        if wire.endswith("[n]"):
            lines.append(f" o.{name} = {{}}")
            continue
        lines += [
            f" if {wire!r} in d:",
            "  n += 1",
            f"  v = d[{wire!r}]",
            f"  o.{name} = {_expression(kind, number)}",
            f" else: o.{name} = None",
        ]
    return [
        *lines,
        " o.extra = NOTHING if n == len(d) else rest(o, d)",
        " o.__class__ = C",
        " return o",
    ]


def _for_shape(fields: Fields, shape: frozenset[str]) -> list[str]:
    present = [(number, field) for number, field in enumerate(fields) if field[0] in shape]
    values = ", ".join(f"v{number}" for number, _ in present)
    lines = ["def build(d):", f" try: ({values},) = pick(d)", " except KeyError: return general(d)"]
    lines.append(" o = T()")
    for number, (_, name, kind) in present:
        lines.append(f" o.{name} = {_expression(kind, number, f'v{number}')}")
    for wire, name, _ in fields:
        if wire not in shape:
            lines.append(f" o.{name} = {'{}' if wire.endswith('[n]') else None}")
    return [*lines, " o.extra = NOTHING", " o.__class__ = C", " return o"]


def _expression(kind: str, number: int, value: str = "v") -> str:
    coerced = f"c{number}({value})"
    if kind == "a":
        return value
    if kind == "b":
        return f"True if {value} == 1 else False if {value} == 0 else {coerced}"
    if kind in _FITS:
        return f"{value} if {value}.__class__ is {_FITS[kind]} else {coerced}"
    return coerced


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


def _rest(cls: type[Any], fields: Fields) -> Callable[[Any, Mapping[str, Any]], dict[str, Any]]:
    """Return what sorts fields beyond the plain ones into families and unknown ones."""
    known = frozenset(wire for wire, _, _ in fields)
    families = {wire[:-3]: name for wire, name, _ in fields if wire.endswith("[n]")}
    coercers = {
        wire[:-3]: entry_coercer(cls, kind) for wire, _, kind in fields if wire.endswith("[n]")
    }
    member = re.compile(rf"({'|'.join(map(re.escape, families)) or '(?!)'})(0|[1-9][0-9]{{0,5}})")

    def rest(target: Any, data: Mapping[str, Any]) -> dict[str, Any]:
        extra: dict[str, Any] = {}
        for key, value in data.items():
            if key in known:
                continue
            indexed = member.fullmatch(key)
            if indexed:
                stem = indexed[1]
                getattr(target, families[stem])[int(indexed[2])] = coercers[stem](value)
            else:
                extra[key] = value
                note(cls.__name__, key, "unknown field")
        return extra

    return rest
