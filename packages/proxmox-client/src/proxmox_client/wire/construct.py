"""Constructors of result classes, compiled on first use as attrs compiles `__init__`.

They are built from `__wire__`, the `name:kind` list of a class. Kinds:

- `s` text, `i` integer, `f` number, `b` boolean, `a` anything;
- `@Class` an object described by a class of the same module;
- `*` before one of these: a list of them;
- a name that ends in `[n]`: an indexed family, gathered in one dict.

The parsed object becomes the value's own attribute dict: what fits stays where it is, the rest is
coerced, renamed or moved to `extra` in place. So a constructor takes over the dict it is given.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable
from typing import Any, NoReturn, Self

import attrs

from proxmox_client.wire.coerce import keep, to_boolean, to_integer, to_number, to_text

Build = Callable[[dict[str, Any]], Any]
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
# Whether a value needs no coercer, by kind; whole numbers come where the schema says number.
_FITS = {
    "s": "{0}.__class__ is str",
    "i": "{0}.__class__ is int",
    "f": "{0}.__class__ is float or {0}.__class__ is int",
}


def fields_of(cls: type[Any]) -> Fields:
    """List wire name, Python name and kind of each field."""
    names = [name for name in names_of(cls) if name != "extra"]
    tokens = [token.rpartition(":") for token in cls.__wire__.split()]
    return [(wire, name, kind) for (wire, _, kind), name in zip(tokens, names, strict=True)]


def names_of(cls: type[Any]) -> list[str]:
    """List the Python names of a model's fields, `extra` included."""
    return [field.name for field in attrs.fields(cls)]


class Nothing(dict[str, Any]):
    """The empty `extra` or family which results share; nothing can be put in."""

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
    """Compile the function `build` from source lines that adopt a dict `d` as an object `o`.

    A frozen class guards its attributes, and going around the guard costs more than all the rest.
    So the dict is given to an instance of a twin `T` without guard, whose class is then changed to
    the real one, `C`.
    """
    names = {"T": type(cls.__name__, (cls.__mro__[1],), {}), "C": cls, **scope}
    for number, (_, name, kind) in enumerate(fields_of(cls)):
        names[f"c{number}"] = _watched(cls, name, entry_coercer(cls, kind), kind)
    exec("\n".join(lines), names)  # noqa: S102  # only names from our own generated classes
    return names["build"]


ADOPT = ("o = T()", "o.__dict__ = d", "o.__class__ = C")


def _general(fields: Fields) -> list[str]:
    lines = ["def build(d):", " n = 0"]
    renamed: list[str] = []
    for number, (wire, name, kind) in enumerate(fields):
        if wire.endswith("[n]"):
            continue
        lines += [f" if {wire!r} in d:", "  n += 1"]
        coerced = coercion(wire, kind, number, "v")
        if coerced:
            lines += [f"  v = d[{wire!r}]", f"  {coerced}"]
        if wire != name:
            renamed.append(f" if {wire!r} in d: d[{name!r}] = d.pop({wire!r})")
    return [*lines, " if n != len(d): rest(d)", *renamed, *(f" {x}" for x in ADOPT), " return o"]


def coercion(wire: str, kind: str, number: int, value: str) -> str:
    """Write what coerces a field in place: field `number` of its class, its value in `value`."""
    if kind == "a":
        return ""
    coerced = f"d[{wire!r}] = c{number}({value})"
    if kind == "b":
        return (
            f"d[{wire!r}] = True if {value} == 1 else False if {value} == 0 else c{number}({value})"
        )
    if kind in _FITS:
        return f"if not ({_FITS[kind].format(value)}): {coerced}"
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


def _rest(cls: type[Any], fields: Fields) -> Callable[[dict[str, Any]], None]:
    """Return what moves fields beyond the plain ones into families and `extra`."""
    known = frozenset(wire for wire, _, _ in fields)
    families = {wire[:-3]: name for wire, name, _ in fields if wire.endswith("[n]")}
    coercers = {
        wire[:-3]: entry_coercer(cls, kind) for wire, _, kind in fields if wire.endswith("[n]")
    }
    member = re.compile(rf"({'|'.join(map(re.escape, families)) or '(?!)'})(0|[1-9][0-9]{{0,5}})")

    def rest(data: dict[str, Any]) -> None:
        moved: dict[str, dict[Any, Any]] = {}
        for key in [key for key in data if key not in known]:
            value = data.pop(key)
            indexed = member.fullmatch(key)
            if indexed:
                stem = indexed[1]
                moved.setdefault(families[stem], {})[int(indexed[2])] = coercers[stem](value)
            else:
                moved.setdefault("extra", {})[key] = value
                note(cls.__name__, key, "unknown field")
        data.update(moved)

    return rest
