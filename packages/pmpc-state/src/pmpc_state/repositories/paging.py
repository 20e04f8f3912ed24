"""Cutting lists into pages in the database, by the values the last row was ordered by.

A page that begins after a row, instead of after a number of rows, neither repeats nor leaves out
anything when rows come and go between two pages.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Generic, TypeVar, cast

import attrs
from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    false,
    func,
    literal,
    or_,
    select,
)

from pmpc_state.errors import FilterInvalid
from pmpc_state.filters import FieldTable, Filter, Sort, parse_filter, parse_sort
from pmpc_state.repositories.columns import QueryColumns
from pmpc_state.repositories.selection import Selection, Turn
from pmpc_state.values.page import Choice, Page

T = TypeVar("T")
_MARK: Final = "_order_"
Keep = Callable[[Sequence[T]], Sequence[bool]]
"""Says of some rows which to keep."""


@attrs.frozen
class Wish:
    """A page that is asked for, understood.

    Attributes:
        limit: How many at most; None for all.
        after: The marker of the page before, None to begin with the first.
    """

    where: Filter
    sort: tuple[Sort, ...]
    limit: int | None = None
    offset: int = 0
    after: str | None = None

    @classmethod
    def of(cls, table: FieldTable, limit: int | None, choice: Choice) -> Wish:
        """Understand what was asked for.

        Raises:
            FilterInvalid: The filter or the order is not well formed; says where.
            ValueError: The limit or the offset is negative.
        """
        where, sort = choice.get("where", ""), choice.get("sort", ())
        offset = choice.get("offset", 0)
        if offset < 0 or (limit is not None and limit < 0):
            msg = "a page cannot begin before the first row nor hold less than none"
            raise ValueError(msg)
        return cls(
            parse_filter(where, table, now=choice.get("now")) if isinstance(where, str) else where,
            parse_sort(sort.split(",") if isinstance(sort, str) and sort else sort, table),
            limit,
            offset,
            choice.get("after"),
        )


@attrs.frozen
class Listing(Generic[T]):
    """What a repository lists.

    Attributes:
        table: The fields.
        query: All rows; its columns are called as the fields are.
        usual: The order a list has by itself, by names of fields; no two rows are equal in it.
        make: Makes the value of a row.
    """

    table: FieldTable
    query: Select[*tuple[Any, ...]]
    usual: tuple[str, ...]
    make: Callable[[Mapping[str, Any]], T]

    def page(
        self,
        connection: Connection,
        limit: int | None,
        choice: Choice,
        *,
        keep: Keep[T] | None = None,
    ) -> Page[T]:
        """Return a page.

        Args:
            connection: The connection.
            limit: How many at most; None for all.
            choice: Filter, order and page.
            keep: What the database cannot tell: which of some rows to keep.

        Raises:
            FilterInvalid: The filter, the order or the marker is not well formed.
            ValueError: The limit or the offset is negative.
        """
        wish = Wish.of(self.table, limit, choice)
        rows = self.query.subquery("listed")
        columns = QueryColumns(connection.dialect.name, rows, self.table, self.usual)
        selection = Selection(columns)
        matching = select(*rows.c).where(selection.where(wish.where))
        names = tuple(rows.c.keys())

        def make(row: Row[*tuple[Any, ...]]) -> T:
            return self.make(dict(zip(names, row, strict=False)))

        return page_of(connection, matching, selection.order(wish.sort), wish, make, keep)


def page_of(
    connection: Connection,
    query: Select[*tuple[Any, ...]],
    order: Sequence[Turn],
    wish: Wish,
    make: Callable[[Row[*tuple[Any, ...]]], T],
    keep: Keep[T] | None = None,
) -> Page[T]:
    """Return the rows of a query that a wish asks for: one query, and one more to count the rest.

    Args:
        connection: The connection.
        query: The rows that match.
        order: Their order; no two rows are equal in it.
        wish: Which of them.
        make: Makes the value of a row; behind its columns are those of the order.
        keep: What the database cannot tell; with it all rows that match are looked through.

    Raises:
        FilterInvalid: The marker is of another list or order, or none at all.
    """
    before, marks = (0, None) if wish.after is None else _read(wish.after, wish.sort, len(order))
    labelled = [turn.expression.label(f"{_MARK}{at}") for at, turn in enumerate(order)]
    cut = query.add_columns(*labelled).order_by(*(turn.clause for turn in order))
    if marks is not None:
        cut = cut.where(_behind(order, marks))
    begun = before + wish.offset
    if keep is None:
        end = None if wish.limit is None else wish.limit + 1
        found = connection.execute(cut.offset(wish.offset).limit(end)).all()
        values = [make(row) for row in found]
    else:
        everything = connection.execute(cut).all()
        made = [make(row) for row in everything]
        kept = [at for at, is_kept in enumerate(keep(made)) if is_kept]
        found = [everything[at] for at in kept[wish.offset :]]
        values = [made[at] for at in kept[wish.offset :]]
    shown = len(found) if wish.limit is None else min(len(found), wish.limit)
    is_last = shown == len(found)
    if keep is not None or (is_last and begun == 0):
        total = begun + len(found)
    else:
        total = connection.execute(select(func.count()).select_from(query.subquery())).scalar_one()
    going_on = shown > 0 and not is_last
    last = found[shown - 1][-len(order) :] if going_on else ()
    marker = _written(begun + shown, wish.sort, last) if going_on else None
    return Page(values[:shown], total, begun, marker)


def cut(
    values: Sequence[T],
    places: Sequence[tuple[str | float, ...]],
    limit: int | None,
    after: str | None,
) -> Page[T]:
    """Return a page of what only comparing could tell: of values in the order of their places.

    Raises:
        FilterInvalid: The marker is of another list, or none at all.
        ValueError: The limit is negative.
    """
    if limit is not None and limit < 0:
        msg = "a page cannot hold less than none"
        raise ValueError(msg)
    begun, first = 0, 0
    if after is not None:
        begun, marks = _read(after, (), len(places[0]) if places else None)
        try:
            first = sum(list(place) <= list(marks) for place in places)
        except TypeError as error:
            raise FilterInvalid(after, 1, "this marker is of another list") from error
    end = len(values) if limit is None else min(first + limit, len(values))
    going_on = first < end < len(values)
    marker = _written(begun + end - first, (), places[end - 1]) if going_on else None
    return Page(values[first:end], len(values), begun, marker)


def _behind(order: Sequence[Turn], marks: Sequence[Any]) -> ColumnElement[bool]:
    """Return what comes behind a row: later by the first expression, or equal and later by …."""
    found: ColumnElement[bool] = false()
    for turn, mark in zip(reversed(order), reversed(marks), strict=True):
        if mark is None:
            found = and_(turn.expression.is_(None), found)
            continue
        value = literal(mark, turn.expression.type)
        later = turn.expression < value if turn.descending else turn.expression > value
        if turn.lacks:
            later = or_(later, turn.expression.is_(None))
        found = or_(later, and_(turn.expression == value, found))
    return found


def _written(begun: int, sort: Sequence[Sort], marks: Sequence[Any]) -> str:
    content = [begun, [str(one) for one in sort], list(marks)]
    text = json.dumps(content, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read(marker: str, sort: Sequence[Sort], length: int | None) -> tuple[int, Sequence[Any]]:
    try:
        padded = marker.encode("ascii") + b"=" * (-len(marker) % 4)
        content: object = json.loads(base64.b64decode(padded, b"-_", validate=True))
    except (ValueError, binascii.Error):
        content = None
    parts = _listed(content)
    if len(parts) == 3:
        begun, names, marks = parts[0], parts[1], _listed(parts[2])
        is_whole = length in (None, len(marks)) and all(
            isinstance(one, str | int | float | None) for one in marks
        )
        if isinstance(begun, int) and names == [str(one) for one in sort] and is_whole:
            return begun, marks
        why = "this marker is of a list in another order"
    else:
        why = "this is no marker of a page"
    raise FilterInvalid(marker, 1, why)


def _listed(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []
