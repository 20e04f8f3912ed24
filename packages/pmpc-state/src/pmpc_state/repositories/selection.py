"""Filters and sort orders as SQL, for both databases."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Protocol

import attrs
from sqlalchemy import ColumnElement, Text, and_, func, literal, not_, or_, true

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
from pmpc_state.repositories.expressions import certainly

_SEPARATORS: Final = ("[", "]", '"', ";", " ")
_NUMERIC: Final = (FieldType.NUMBER, FieldType.MOMENT)


@attrs.frozen
class Turn:
    """One expression of an order.

    Attributes:
        lacks: Whether it may be missing; what lacks it comes last, whichever way it is turned.
    """

    expression: ColumnElement[Any]
    descending: bool = False
    lacks: bool = True

    @property
    def clause(self) -> ColumnElement[Any]:
        """As the database is told."""
        turned = self.expression.desc() if self.descending else self.expression.asc()
        return turned.nulls_last() if self.lacks else turned


class Columns(Protocol):
    """Where the fields of a list are, as SQL."""

    def text(self, field: Field) -> ColumnElement[Any]:
        """Return a field as text."""
        ...

    def number(self, field: Field) -> ColumnElement[Any]:
        """Return a field as a number, NULL if it is none."""
        ...

    def flag(self, field: Field) -> ColumnElement[bool]:
        """Return a field as certainly true or false."""
        ...

    def patterned(self, field: Field) -> list[ColumnElement[Any]]:
        """Return the texts of which one must match a pattern."""
        ...

    def named(self, word: str) -> ColumnElement[bool]:
        """Return whether a single word means a row."""
        ...

    def sortable(self, field: Field) -> list[ColumnElement[Any]]:
        """Return what a field is sorted by."""
        ...

    def usual(self) -> list[Turn]:
        """Return the order of what is equal otherwise; no two rows are equal in it."""
        ...


@attrs.frozen
class Selection:
    """Compiles filters over some columns.

    Every condition is true or false, never unknown, so that `not` means what it says for objects
    that lack a field.
    """

    columns: Columns

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
                return self.columns.named(word)
            case IsSet(field, is_wanted):
                text = self.columns.text(field)
                found = certainly(text.is_not(None) & (text != ""))
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

    def order(self, sort: Iterable[Sort]) -> list[Turn]:
        """Return the order; what lacks a field comes last, and equals stay in the usual order."""
        asked = [
            Turn(expression, one.descending)
            for one in sort
            for expression in self.columns.sortable(one.field)
        ]
        return [*asked, *self.columns.usual()]

    def _compare(self, field: Field, operator: Operator, value: Value) -> ColumnElement[bool]:
        if operator is Operator.CONTAINS:
            lowered = func.lower(self.columns.text(field), type_=Text)
            return certainly(lowered.contains(value.text.lower(), autoescape=True))
        if field.type is FieldType.FLAG:
            found = self.columns.flag(field)
            return found if value.text == "1" else not_(found)
        if operator is Operator.EQUAL:
            return self._equal(field, value)
        number, bound = self.columns.number(field), value.number
        compared: dict[Operator, ColumnElement[bool]] = {
            Operator.LESS: number < bound,
            Operator.AT_MOST: number <= bound,
            Operator.GREATER: number > bound,
            Operator.AT_LEAST: number >= bound,
        }
        return certainly(compared[operator])

    def _equal(self, field: Field, value: Value) -> ColumnElement[bool]:
        if field.type in _NUMERIC:
            return certainly(self.columns.number(field) == value.number)
        same = certainly(self.columns.text(field) == value.text)
        if field.type is FieldType.ANY and value.number is not None:
            return or_(same, certainly(self.columns.number(field) == value.number))
        return same

    def _like(self, field: Field, pattern: str) -> ColumnElement[bool]:
        shape = pattern.lower()
        for sign, meant in (("\\", "\\\\"), ("%", "\\%"), ("_", "\\_"), ("*", "%"), ("?", "_")):
            shape = shape.replace(sign, meant)
        lowered = (func.lower(text, type_=Text) for text in self.columns.patterned(field))
        return or_(*(certainly(text.like(shape, escape="\\")) for text in lowered))

    def _has(self, field: Field, value: Value) -> ColumnElement[bool]:
        """Look for a member in `a;b`, `a,b` or a JSON list."""
        listed: ColumnElement[Any] = func.lower(self.columns.text(field), type_=Text)
        for separator in _SEPARATORS:
            listed = func.replace(listed, separator, ",", type_=Text)
        framed = literal(",") + listed + literal(",")
        return certainly(framed.contains(f",{value.text.lower()},", autoescape=True))
