"""Filters and sort orders as SQL, for both databases."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import attrs
from sqlalchemy import (
    Column,
    ColumnElement,
    Float,
    Text,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    not_,
    or_,
    true,
)
from sqlalchemy.dialects.postgresql import JSON

from pmpc_state.filters import (
    All,
    And,
    Compare,
    Field,
    FieldType,
    Filter,
    Has,
    In,
    IsSet,
    Like,
    Named,
    Not,
    Operator,
    Or,
    Sort,
    Value,
)
from pmpc_state.filters.fields import Place
from pmpc_state.kinds import KINDS, NAME_OPTION
from pmpc_state.schema import blob, resource, volatile

_SEPARATORS: Final = ("[", "]", '"', ";", " ")
_COLUMNS: Final[dict[Place, ColumnElement[Any]]] = {
    Place.KIND: resource.c.kind,
    Place.KEY: resource.c.key,
    Place.UID: resource.c.uid,
    Place.NODE: volatile.c.node,
    Place.STATUS: volatile.c.status,
    Place.REASON: volatile.c.reason,
}


@attrs.frozen
class Selection:
    """Compiles for one database.

    Every condition is true or false, never unknown, so that `not` means what it says for objects
    that lack a field.
    """

    dialect: str

    def where(self, wanted: Filter) -> ColumnElement[bool]:
        """Return the condition of a filter."""
        match wanted:
            case All():
                return true()
            case And(parts):
                return and_(*(self.where(part) for part in parts))
            case Or(parts):
                return or_(*(self.where(part) for part in parts))
            case Not(part):
                return not_(self.where(part))
            case Named(word):
                address = resource.c.kind + literal("/") + resource.c.key
                return or_(resource.c.key == word, self._name() == word, address == word)
            case IsSet(field, is_wanted):
                text = self._text(field)
                found = _certainly(text.is_not(None) & (text != ""))
                return found if is_wanted else not_(found)
            case Has(field, value):
                return self._has(field, value)
            case Like(field, pattern):
                return self._like(field, pattern)
            case In(field, values):
                return or_(*(self._compare(field, Operator.EQUAL, value) for value in values))
            case Compare(field, Operator.UNEQUAL, value):
                return not_(self._compare(field, Operator.EQUAL, value))
            case Compare(field, operator, value):
                return self._compare(field, operator, value)

    def order(self, sort: Iterable[Sort]) -> list[ColumnElement[Any]]:
        """Return the order; what lacks a field comes last, and equals stay in the usual order."""
        found: list[ColumnElement[Any]] = []
        for one in sort:
            for expression in self._sortable(one.field):
                turned = expression.desc() if one.descending else expression.asc()
                found.append(turned.nulls_last())
        rank = case({kind: at for at, kind in enumerate(KINDS)}, value=resource.c.kind, else_=99)
        return [*found, rank, self._collated(resource.c.kind), *self._by_key(), resource.c.id]

    def _sortable(self, field: Field) -> list[ColumnElement[Any]]:
        if field.type is FieldType.NUMBER:
            return [self._number(field)]
        if field.type is FieldType.FLAG:
            return [case((self._flag(field), 1), else_=0)]
        if field.place is Place.KEY:
            return self._by_key()
        text = self._collated(self._text(field))
        return [self._number(field), text] if field.type is FieldType.ANY else [text]

    def _by_key(self) -> list[ColumnElement[Any]]:
        return [
            func.coalesce(self._as_number(resource.c.key), 0),
            self._collated(resource.c.key),
        ]

    def _collated(self, text: ColumnElement[Any]) -> ColumnElement[Any]:
        # By code point on both databases, whatever the locale of the server is.
        return text.collate("C") if self.dialect == "postgresql" else text

    def _compare(self, field: Field, operator: Operator, value: Value) -> ColumnElement[bool]:
        if operator is Operator.CONTAINS:
            lowered = func.lower(self._text(field), type_=Text)
            return _certainly(lowered.contains(value.text.lower(), autoescape=True))
        if field.type is FieldType.FLAG:
            found = self._flag(field)
            return found if value.text == "1" else not_(found)
        if operator is Operator.EQUAL:
            return self._equal(field, value)
        number, bound = self._number(field), value.number
        compared: dict[Operator, ColumnElement[bool]] = {
            Operator.LESS: number < bound,
            Operator.AT_MOST: number <= bound,
            Operator.GREATER: number > bound,
            Operator.AT_LEAST: number >= bound,
        }
        return _certainly(compared[operator])

    def _equal(self, field: Field, value: Value) -> ColumnElement[bool]:
        if field.type is FieldType.NUMBER:
            return _certainly(self._number(field) == value.number)
        same = _certainly(self._text(field) == value.text)
        if field.type is FieldType.ANY and value.number is not None:
            return or_(same, _certainly(self._number(field) == value.number))
        return same

    def _like(self, field: Field, pattern: str) -> ColumnElement[bool]:
        shape = pattern.lower()
        for sign, meant in (("\\", "\\\\"), ("%", "\\%"), ("_", "\\_"), ("*", "%"), ("?", "_")):
            shape = shape.replace(sign, meant)
        texts = [self._text(field)]
        if field.place is Place.NAME:
            texts.append(resource.c.key)
        lowered = (func.lower(text, type_=Text) for text in texts)
        return or_(*(_certainly(text.like(shape, escape="\\")) for text in lowered))

    def _has(self, field: Field, value: Value) -> ColumnElement[bool]:
        """Look for a member in `a;b`, `a,b` or a JSON list."""
        listed: ColumnElement[Any] = func.lower(self._text(field), type_=Text)
        for separator in _SEPARATORS:
            listed = func.replace(listed, separator, ",", type_=Text)
        framed = literal(",") + listed + literal(",")
        return _certainly(framed.contains(f",{value.text.lower()},", autoescape=True))

    def _flag(self, field: Field) -> ColumnElement[bool]:
        if field.place is Place.KNOWN:
            return _certainly(volatile.c.known.is_(True))
        return _certainly(self._text(field).in_(("1", "true")))

    def _text(self, field: Field) -> ColumnElement[Any]:
        if field.place is Place.NAME:
            return self._name()
        if field.place is Place.KNOWN:
            return case((volatile.c.known.is_(True), "1"), else_="0")
        if field.place in _COLUMNS:
            return _COLUMNS[field.place]
        return self._inside(field.place, field.path)

    def _number(self, field: Field) -> ColumnElement[Any]:
        return self._as_number(self._text(field))

    def _as_number(self, text: ColumnElement[Any]) -> ColumnElement[Any]:
        if self.dialect == "postgresql":
            shaped = text.regexp_match(r"^-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$")
        else:
            shaped = and_(
                text.bool_op("GLOB")("*[0-9]*"), not_(text.bool_op("GLOB")("*[^0-9.eE+-]*")),
                text.bool_op("GLOB")("[-0-9]*"),
            )  # fmt: skip
        return case((shaped, cast(text, Float(53))), else_=None)

    def _name(self) -> ColumnElement[Any]:
        named: list[tuple[ColumnElement[bool], ColumnElement[Any]]] = [
            (resource.c.kind == kind, self._inside(Place.DOCUMENT, ("config", option)))
            for kind, option in NAME_OPTION.items()
        ]
        return func.coalesce(func.nullif(case(*named, else_=None), ""), resource.c.key, type_=Text)

    def _inside(self, place: Place, path: tuple[str, ...]) -> ColumnElement[Any]:
        document: Column[Any] = volatile.c.facts if place is Place.FACTS else blob.c.body
        if self.dialect == "postgresql":
            return func.json_extract_path_text(cast(document, JSON), *path, type_=Text)
        quoted = "".join(f'."{name}"' for name in path)
        found = func.json_extract(document, f"${quoted}", type_=Text)
        kind = func.json_type(document, f"${quoted}", type_=Text)
        return case((kind == "true", "true"), (kind == "false", "false"), else_=cast(found, Text))


def _certainly(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return func.coalesce(condition, false())
