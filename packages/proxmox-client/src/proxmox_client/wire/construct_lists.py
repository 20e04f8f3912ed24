"""Constructors for long lists of objects, compiled for the sets of keys found in them.

Long lists hold few sets of keys, each many times. A constructor that knows which fields are there
need not look for the others, and one loop over all entries needs no call for each. As in
`construct`, the entries are taken over.
"""

from __future__ import annotations

import gc
import operator
from collections import Counter
from collections.abc import Callable
from typing import Any

import attrs

from proxmox_client.wire.construct import (
    ADOPT,
    Build,
    builder,
    coercion,
    compile_constructor,
    fields_of,
)

Shape = frozenset[str]
Pick = Callable[[Any], Any]
BuildList = Callable[[list[Any], list[Pick]], list[Any]]

_MANY = 400
_SAMPLES = 100
_SHARE = 0.05
_MOST = 8


@attrs.frozen
class _Known:
    shapes: tuple[Shape, ...]
    build: BuildList


_known: dict[type[Any], _Known] = {}


def build_all(cls: type[Any], rows: list[Any]) -> list[Any]:
    """Build a value of each object in a list; entries that are no objects stay what they are."""
    if len(rows) < _MANY:
        general = builder(cls)
        return [general(row) if row.__class__ is dict else row for row in rows]
    sample = [row for row in rows[:: len(rows) // _SAMPLES or 1] if row.__class__ is dict]
    known = _list_builder(cls, sample)
    picks = _picks(cls, known.shapes, sample)
    if not gc.isenabled():
        return known.build(rows, picks)
    # Thousands of new objects make the collector run again and again over all of them, and none
    # of them is garbage: a tenth of the time.
    gc.disable()
    try:
        return known.build(rows, picks)
    finally:
        gc.enable()


def _list_builder(cls: type[Any], sample: list[dict[str, Any]]) -> _Known:
    """Return the class's constructor of lists, made anew where it misses a common set of keys."""
    plain = {wire for wire, _, _ in fields_of(cls) if not wire.endswith("[n]")}
    counted = Counter(frozenset(row) for row in sample)
    common = [s for s, n in counted.most_common() if s <= plain and n >= len(sample) * _SHARE]
    known = _known.get(cls)
    if known is None or not set(_by_size(common)) <= set(known.shapes):
        shapes = _by_size([*common, *(known.shapes if known else ())])
        known = _known[cls] = _Known(shapes, _compile(cls, shapes))
    return known


def _picks(cls: type[Any], shapes: tuple[Shape, ...], sample: list[dict[str, Any]]) -> list[Pick]:
    """Make what fetches all values of a set of keys, in the order of the class's fields.

    The parser gives all rows the very same key objects. Looking up those, not equal ones of ours,
    saves comparing the texts: a quarter of the time.
    """
    seen = {frozenset(row): row for row in sample}
    picks: list[Pick] = []
    for shape in shapes:
        own = {key: key for key in seen.get(shape, shape)}
        picks.append(operator.itemgetter(*(own[w] for w, _, _ in fields_of(cls) if w in shape)))
    return picks


def _by_size(shapes: list[Shape]) -> tuple[Shape, ...]:
    """Keep the first, so commonest, set of keys of each size: sizes tell them apart."""
    kept: dict[int, Shape] = {}
    for shape in shapes:
        if len(shape) > 1 and len(kept) < _MOST:
            kept.setdefault(len(shape), shape)
    return tuple(kept.values())


def _compile(cls: type[Any], shapes: tuple[Shape, ...]) -> BuildList:
    scope: dict[str, Any] = {"other": _other(builder(cls))}
    lines = [
        "def build(rows, picks):",
        " out = []",
        " add = out.append",
        " for d in rows:",
        "  size = len(d) if d.__class__ is dict else 0",
    ]
    for number, shape in enumerate(shapes):
        lines.insert(1, f" pick{number} = picks[{number}]")
        lines += _branch(cls, number, shape)
    build: BuildList = compile_constructor(cls, [*lines, "  add(other(d))", " return out"], scope)
    return build


def _branch(cls: type[Any], branch: int, shape: Shape) -> list[str]:
    """Write what builds an entry of one set of keys; a key that is missing leads to the end."""
    fields = [(n, field) for n, field in enumerate(fields_of(cls)) if field[0] in shape]
    values = ", ".join(f"v{number}" for number, _ in fields)
    lines = [
        f"  if size == {len(shape)}:",
        f"   try: ({values},) = pick{branch}(d)",
        "   except KeyError:",
        "    add(other(d))",
        "    continue",
    ]
    for number, (wire, _, kind) in fields:
        if coerced := coercion(wire, kind, number, f"v{number}"):
            lines.append(f"   {coerced}")
    for _, (wire, name, _) in fields:
        if wire != name:
            lines.append(f"   d[{name!r}] = d.pop({wire!r})")
    return [*lines, *(f"   {line}" for line in ADOPT), "   add(o)", "   continue"]


def _other(general: Build) -> Callable[[Any], Any]:
    def build(row: Any) -> Any:
        return general(row) if row.__class__ is dict else row

    return build
