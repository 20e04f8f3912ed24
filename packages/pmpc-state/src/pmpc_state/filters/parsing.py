"""From text to a filter or a sort order, with the column of every mistake."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from difflib import get_close_matches
from typing import Final

from pmpc_state.errors import FilterInvalid
from pmpc_state.filters.fields import RESOURCES, Field, FieldTable, FieldType
from pmpc_state.filters.lexing import Token, TokenType, tokens
from pmpc_state.filters.moments import moment_of
from pmpc_state.filters.terms import (
    All,
    And,
    Compare,
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

_NUMBER: Final = re.compile(r"(-?\d+(?:\.\d+)?)(?:([KMGTP])(?:i?B)?)?", re.IGNORECASE)
_UNITS: Final = {unit: 1024**power for power, unit in enumerate("KMGTP", start=1)}
_ORDERED: Final = (Operator.LESS, Operator.AT_MOST, Operator.GREATER, Operator.AT_LEAST)
_WITH_AN_ORDER: Final = (FieldType.NUMBER, FieldType.MOMENT, FieldType.ANY)
_FLAGS: Final = {
    "1": "1", "true": "1", "yes": "1", "on": "1",
    "0": "0", "false": "0", "no": "0", "off": "0",
}  # fmt: skip
_DEPTH: Final = 100


def parse_filter(
    text: str, table: FieldTable = RESOURCES, *, now: datetime | None = None
) -> Filter:
    """Read a filter; blank text matches everything.

    Args:
        text: The filter.
        table: The fields it may name.
        now: The present, for distances back from it such as `-2h`; without it they are mistakes.

    Raises:
        FilterInvalid: With the column of the mistake.
    """
    return _Parser(text, table, now).parse()


def parse_sort(names: Iterable[str], table: FieldTable = RESOURCES) -> tuple[Sort, ...]:
    """Read a sort order: field names, with a `-` before one for descending.

    Raises:
        FilterInvalid: There is no such field.
    """
    return tuple(_sort(name, table) for name in names)


def _sort(text: str, table: FieldTable) -> Sort:
    name = text.removeprefix("-")
    field = table.named(name)
    if field is None:
        raise FilterInvalid(text, len(text) - len(name) + 1, table.suggestion(name))
    return Sort(field, descending=text != name)


class _Parser:
    def __init__(self, text: str, table: FieldTable, now: datetime | None) -> None:
        self._text = text
        self._table = table
        self._now = now
        self._tokens = list(tokens(text))
        self._next = 0
        self._depth = 0

    def parse(self) -> Filter:
        if self._peek().type is TokenType.END:
            return All()
        found = self._either()
        if self._peek().type is not TokenType.END:
            raise self._wrong(self._peek(), "expected `and`, `or` or the end")
        return found

    def _peek(self) -> Token:
        return self._tokens[self._next]

    def _take(self) -> Token:
        token = self._tokens[self._next]
        self._next += 1
        return token

    def _wrong(self, token: Token, expected: str) -> FilterInvalid:
        return FilterInvalid(self._text, token.column, f"{expected}, not {token}")

    def _takes(self, word: str) -> bool:
        token = self._peek()
        if token.type is TokenType.KEYWORD and token.text == word:
            self._next += 1
            return True
        return False

    def _either(self) -> Filter:
        parts = [self._both()]
        while self._takes("or"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _both(self) -> Filter:
        parts = [self._part()]
        while self._takes("and"):
            parts.append(self._part())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _part(self) -> Filter:
        self._depth += 1
        if self._depth > _DEPTH:
            raise FilterInvalid(self._text, self._peek().column, "nested too deeply")
        try:
            if self._takes("not"):
                return Not(self._part())
            if self._peek().type is TokenType.OPEN:
                return self._grouped()
            return self._term()
        finally:
            self._depth -= 1

    def _grouped(self) -> Filter:
        self._take()
        found = self._either()
        token = self._take()
        if token.type is not TokenType.CLOSE:
            raise self._wrong(token, "expected `)`")
        return found

    def _term(self) -> Filter:
        token = self._take()
        if token.type is TokenType.QUOTED:
            return Named(token.text)
        if token.type is not TokenType.WORD:
            raise self._wrong(token, "expected a field or a name")
        after = self._peek()
        if after.type is TokenType.OPERATOR:
            return self._comparison(self._field(token))
        if self._takes("has"):
            return Has(self._field(token), self._value())
        if self._takes("like"):
            return Like(self._field(token), self._value().text)
        if self._takes("in"):
            return self._one_of(self._field(token))
        if self._takes("is"):
            return self._presence(self._field(token))
        return Named(token.text)

    def _field(self, token: Token) -> Field:
        field = self._table.named(token.text)
        if field is None:
            raise FilterInvalid(self._text, token.column, self._table.suggestion(token.text))
        return field

    def _comparison(self, field: Field) -> Filter:
        operator = Operator(self._take().text)
        token = self._peek()
        if operator is Operator.CONTAINS and field.type is FieldType.MOMENT:
            hint = f"{field.name} is a time: compare it with < or >"
            raise FilterInvalid(self._text, token.column, hint)
        if operator is Operator.CONTAINS:
            return Compare(field, operator, self._value())
        value = self._value_for(field)
        if operator in _ORDERED and value.number is None:
            raise self._wrong(token, f"expected a number after {operator.value}")
        if operator in _ORDERED and field.type not in _WITH_AN_ORDER:
            hint = f"{field.name} is no number: use =, != or ~"
            raise FilterInvalid(self._text, token.column, hint)
        return Compare(field, operator, value)

    def _one_of(self, field: Field) -> Filter:
        token = self._take()
        if token.type is not TokenType.OPEN:
            raise self._wrong(token, "expected `(` after `in`")
        values = [self._value_for(field)]
        while self._peek().type is TokenType.COMMA:
            self._take()
            values.append(self._value_for(field))
        token = self._take()
        if token.type is not TokenType.CLOSE:
            raise self._wrong(token, "expected `,` or `)`")
        return In(field, tuple(values))

    def _presence(self, field: Field) -> Filter:
        token = self._take()
        if token.type is not TokenType.WORD or token.text.lower() not in ("set", "unset"):
            raise self._wrong(token, "expected `set` or `unset`")
        return IsSet(field, token.text.lower() == "set")

    def _value_for(self, field: Field) -> Value:
        token = self._peek()
        value = self._value()
        if field.type is FieldType.NUMBER and value.number is None:
            raise self._wrong(token, f"{field.name} is a number: expected one like 8 or 8G")
        if field.type is FieldType.FLAG:
            flag = _FLAGS.get(value.text.lower())
            if flag is None:
                raise self._wrong(token, f"{field.name} is yes or no: expected one of them")
            return Value(flag, float(flag))
        if field.type is FieldType.MOMENT:
            number = moment_of(value.text, self._now)
            if number is None:
                raise self._wrong(token, f"{field.name} is a time: expected 2026-11-22T14:00")
            return Value(value.text, number)
        if field.choices and value.text not in field.choices:
            close = get_close_matches(value.text, field.choices, n=1)
            known = f"did you mean {close[0]}?" if close else f"one of {', '.join(field.choices)}"
            raise FilterInvalid(self._text, token.column, f"{field.name} is never {token}; {known}")
        return value

    def _value(self) -> Value:
        token = self._take()
        if token.type is TokenType.QUOTED:
            return Value(token.text, _number(token.text))
        if token.type is not TokenType.WORD:
            raise self._wrong(token, "expected a value (quote one that is a keyword)")
        return Value(token.text, _number(token.text))


def _number(text: str) -> float | None:
    found = _NUMBER.fullmatch(text)
    if found is None:
        return None
    unit = found.group(2)
    return float(found.group(1)) * (_UNITS[unit.upper()] if unit else 1)
