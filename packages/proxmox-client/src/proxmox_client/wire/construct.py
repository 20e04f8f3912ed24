"""Constructors of result classes, compiled on first use as attrs compiles `__init__`.

They are built from `__wire__`, the `name:kind` list of a class. Kinds:

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
from typing import Any, NoReturn, Self

import attrs

from proxmox_client.wire.coerce import keep, to_boolean, to_integer, to_number, to_text

Build = Callable[[Mapping[str, Any]], Any]
Coercer = Callable[[Any], Any]
Fields = list[tuple[str, str, str]]

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
# The class of a fitting value; the rest goes through the coercer.
_FITS = {"s": "str", "i": "int", "f": "float"}


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
        fields = fields_of(cls)
        known = compile_constructor(cls, _general(fields), {"rest": _rest(cls, fields)})
        _builders[cls] = known
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


def compile_constructor(cls: type[Any], lines: list[str], scope: dict[str, Any]) -> Any:
    """Compile the function `build` from source lines that set fields of an object `o`.

    Frozen attrs classes set each field through `object.__setattr__`, which costs more than all the
    rest of decoding. So the fields are set on an instance of a twin `T` with the same slots and no
    guard, whose class is then changed to the real one, `C`.
    """
    slots = cls.__dict__["__slots__"]
    twin = type(cls.__name__, (cls.__mro__[1],), {"__slots__": slots})
    names = {"T": twin, "C": cls, "NOTHING": NOTHING, **scope}
    for number, (_, name, kind) in enumerate(fields_of(cls)):
        names[f"c{number}"] = _watched(cls, name, entry_coercer(cls, kind), kind)
    exec("\n".join(lines), names)  # noqa: S102  # only names from our own generated classes
    return names["build"]


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
            f"  o.{name} = {expression(kind, number)}",
            f" else: o.{name} = None",
        ]
    return [
        *lines,
        " o.extra = NOTHING if n == len(d) else rest(o, d)",
        " o.__class__ = C",
        " return o",
    ]


def expression(kind: str, number: int, value: str = "v") -> str:
    """Write what turns the variable `value` into a field of a kind, field `number` of its class."""
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
