"""Where the fields of lists are: of resources, and of any other query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Text,
    case,
    cast,
    func,
    literal,
    or_,
    type_coerce,
)

from pmpc_state.filters import Field, FieldTable, FieldType
from pmpc_state.filters.fields import Place
from pmpc_state.kinds import KINDS, NAME_OPTION
from pmpc_state.repositories.expressions import as_number, certainly, collated, inside
from pmpc_state.repositories.selection import Turn
from pmpc_state.schema import blob, cluster, observation, resource, volatile

_TEXTS: Final[Mapping[Place, ColumnElement[Any]]] = {
    Place.KIND: resource.c.kind,
    Place.KEY: resource.c.key,
    Place.UID: resource.c.uid,
    Place.CLUSTER: cluster.c.name,
    Place.NODE: volatile.c.node,
    Place.STATUS: volatile.c.status,
    Place.REASON: volatile.c.reason,
}
_MOMENTS: Final[Mapping[Place, ColumnElement[Any]]] = {
    Place.SEEN_AT: volatile.c.seen_at,
    Place.PROVEN_AT: volatile.c.proven_at,
    Place.VALID_FROM: observation.c.valid_from,
    Place.VALID_TO: observation.c.valid_to,
}


@attrs.frozen
class ResourceColumns:
    """The fields of resources, as the query of `resources` joins them."""

    dialect: str

    def text(self, field: Field) -> ColumnElement[Any]:
        """Return a field as text."""
        if field.place is Place.NAME:
            return self._name()
        if field.place in (Place.KNOWN, Place.SHARED):
            return case((self.flag(field), "1"), else_="0")
        if field.place in _MOMENTS:
            return cast(_micros(_MOMENTS[field.place]), Text)
        if field.place in _TEXTS:
            return _TEXTS[field.place]
        ways = [self._inside(field.place, path) for path in (field.path, *field.also)]
        return ways[0] if len(ways) == 1 else func.coalesce(*ways, type_=Text)

    def number(self, field: Field) -> ColumnElement[Any]:
        """Return a field as a number, NULL if it is none."""
        if field.place in _MOMENTS:
            return _micros(_MOMENTS[field.place])
        return as_number(self.dialect, self.text(field))

    def flag(self, field: Field) -> ColumnElement[bool]:
        """Return a field as certainly true or false."""
        if field.place is Place.KNOWN:
            return certainly(volatile.c.known.is_(True))
        if field.place is Place.SHARED:  # network storages are, without an option that says so
            facts = type_coerce(volatile.c.facts, Text)
            return certainly(or_(*(facts.contains(f'"shared":{yes}') for yes in ("1", "true"))))
        return certainly(self.text(field).in_(("1", "true")))

    def patterned(self, field: Field) -> list[ColumnElement[Any]]:
        """Return the texts of which one must match; a name also by its key."""
        text = self.text(field)
        return [text, resource.c.key] if field.place is Place.NAME else [text]

    def named(self, word: str) -> ColumnElement[bool]:
        """Return whether name, key or address is a word."""
        address = resource.c.kind + literal("/") + resource.c.key
        return or_(resource.c.key == word, self._name() == word, address == word)

    def sortable(self, field: Field) -> list[ColumnElement[Any]]:
        """Return what a field is sorted by."""
        if field.type in (FieldType.NUMBER, FieldType.MOMENT):
            return [self.number(field)]
        if field.type is FieldType.FLAG:
            return [case((self.flag(field), 1), else_=0)]
        if field.place is Place.KEY:
            return self._by_key()
        text = collated(self.dialect, self.text(field))
        return [self.number(field), text] if field.type is FieldType.ANY else [text]

    def usual(self) -> list[Turn]:
        """Return the order by kind and key."""
        rank = case({kind: at for at, kind in enumerate(KINDS)}, value=resource.c.kind, else_=99)
        kind = collated(self.dialect, resource.c.kind)
        certain = [rank, kind, *self._by_key(), resource.c.id]
        return [Turn(one, lacks=False) for one in certain]

    def _by_key(self) -> list[ColumnElement[Any]]:
        return [
            func.coalesce(as_number(self.dialect, resource.c.key), 0),
            collated(self.dialect, resource.c.key),
        ]

    def _name(self) -> ColumnElement[Any]:
        return name_in(self.dialect, blob.c.body)

    def _inside(self, place: Place, path: tuple[str, ...]) -> ColumnElement[Any]:
        document = volatile.c.facts if place is Place.FACTS else blob.c.body
        return inside(self.dialect, document, path)


@attrs.frozen
class QueryColumns:
    """The fields of any query whose columns are called as the fields are."""

    dialect: str
    source: FromClause
    table: FieldTable
    order: Sequence[str]

    def text(self, field: Field) -> ColumnElement[Any]:
        """Return a field as text."""
        found = self.source.c[field.name]
        if field.type is FieldType.TEXT:
            return found
        if field.type is FieldType.FLAG:
            return case((found.is_(True), "1"), (found.is_(False), "0"), else_=None)
        return cast(self.number(field), Text)

    def number(self, field: Field) -> ColumnElement[Any]:
        """Return a field as a number."""
        found = self.source.c[field.name]
        return _micros(found) if field.type is FieldType.MOMENT else found

    def flag(self, field: Field) -> ColumnElement[bool]:
        """Return a field as certainly true or false."""
        return certainly(self.source.c[field.name].is_(True))

    def patterned(self, field: Field) -> list[ColumnElement[Any]]:
        """Return the text that must match."""
        return [self.text(field)]

    def named(self, word: str) -> ColumnElement[bool]:
        """Return whether one of the table's words is a word."""
        texts = (self.text(self.table.fields[name]) for name in self.table.words)
        return or_(*(certainly(text == word) for text in texts))

    def sortable(self, field: Field) -> list[ColumnElement[Any]]:
        """Return what a field is sorted by."""
        if field.type in (FieldType.NUMBER, FieldType.MOMENT):
            return [self.number(field)]
        if field.type is FieldType.FLAG:
            return [case((self.flag(field), 1), else_=0)]
        return [collated(self.dialect, self.text(field))]

    def usual(self) -> list[Turn]:
        """Return the order the list has by itself."""
        found: list[Turn] = []
        for name in self.order:
            called = name.removeprefix("-")
            field = self.table.fields.get(called)
            by = [self.source.c[called]] if field is None else self.sortable(field)
            found.extend(Turn(one, name[0] == "-", lacks=False) for one in by)
        return found


def name_in(dialect: str, body: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return what a resource is called in a document of it; its key where PVE has no name."""
    named: list[tuple[ColumnElement[bool], ColumnElement[Any]]] = [
        (resource.c.kind == kind, inside(dialect, body, ("config", option)))
        for kind, option in NAME_OPTION.items()
    ]
    return func.coalesce(func.nullif(case(*named, else_=None), ""), resource.c.key, type_=Text)


def _micros(moment: ColumnElement[Any]) -> ColumnElement[Any]:
    return type_coerce(moment, BigInteger)
