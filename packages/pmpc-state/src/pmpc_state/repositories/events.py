"""Every change by itself, between two moments."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)

from pmpc_state.diff import compare_documents
from pmpc_state.filters import table_of
from pmpc_state.kinds import KINDS, display_name
from pmpc_state.repositories.clusters import cluster_id
from pmpc_state.repositories.columns import name_in
from pmpc_state.repositories.expressions import as_number, matches
from pmpc_state.repositories.history import moved, require_order
from pmpc_state.repositories.paging import Listing
from pmpc_state.repositories.wanted import Wanted
from pmpc_state.schema import blob, observation, resource
from pmpc_state.values import Choice, Page, RecordedChange

CHANGES: Final = table_of(RecordedChange, "changes", ("key", "action", "user"))
_AT_ONCE: Final = 500
# Where another took over a vmid at the same moment, the one that went comes first.
_USUAL: Final = ("at", "is_begun", "rank", "resource_kind", "number", "key", "uid")


def events(
    connection: Connection,
    cluster_name: str,
    since: datetime,
    until: datetime,
    wanted: Wanted,
    limit: int | None,
    choice: Choice,
) -> Page[RecordedChange]:
    """Return the changes after `since` up to `until`, each by itself, oldest first.

    The database chooses, orders and cuts them; documents are read for those of the page only,
    unless a path must be looked for in them.

    Raises:
        FilterInvalid: The filter, the order or the marker is not well formed.
        NotRecorded: The cluster is not recorded.
        ValueError: `since` is later than `until`, or the limit is negative.
    """
    require_order(since, until)
    owner = cluster_id(connection, cluster_name)
    listing = Listing(CHANGES, _told(connection, owner, since, until, wanted), _USUAL, dict)

    def keep(rows: Sequence[dict[str, Any]]) -> list[bool]:
        return [wanted.touches(change) for change in _whole(connection, rows)]

    page = listing.page(connection, limit, choice, keep=None if wanted.path is None else keep)
    return Page(_whole(connection, page), page.total, page.offset, page.next)


def _told(
    connection: Connection, owner: int, since: datetime, until: datetime, wanted: Wanted
) -> Select[*tuple[Any, ...]]:
    """Tell every beginning of an interval, and every end that is not the beginning of the next."""
    life = _life(owner, since, until, wanted)
    is_changed = life.c.ended_before == life.c.valid_from
    begins = select(
        life.c.resource_id,
        life.c.valid_from.label("at"),
        case(
            (life.c.blob_before.is_(None), "created"), (is_changed, "changed"), else_="returned"
        ).label("action"),
        life.c.task,
        life.c.user,
        life.c.blob_before.label("old_id"),
        life.c.blob_id.label("new_id"),
        literal(1).label("is_begun"),
    ).where(life.c.valid_from > since, life.c.valid_from <= until)
    ends = select(
        life.c.resource_id,
        life.c.valid_to,
        literal("vanished"),
        life.c.end_task,
        life.c.end_user,
        life.c.blob_id,
        null(),
        literal(0),
    ).where(
        life.c.valid_to > since,
        life.c.valid_to <= until,
        or_(life.c.begins_next.is_(None), life.c.begins_next != life.c.valid_to),
    )
    told = union_all(begins, ends).subquery("told")
    name = blob.alias("named")
    dialect = connection.dialect.name
    query = (
        select(
            told.c.at,
            told.c.action,
            resource.c.uid,
            resource.c.kind.label("resource_kind"),
            resource.c.key,
            told.c.task,
            told.c.user,
            told.c.old_id,
            told.c.new_id,
            told.c.is_begun,
            name_in(dialect, name.c.body).label("name"),
            case(
                {kind: at for at, kind in enumerate(KINDS)}, value=resource.c.kind, else_=99
            ).label("rank"),
            func.coalesce(as_number(dialect, resource.c.key), 0).label("number"),
        )
        .join(resource, resource.c.id == told.c.resource_id)
        .join(name, name.c.id == func.coalesce(told.c.new_id, told.c.old_id))
    )
    return (
        query if wanted.actor is None else query.where(_is_by(dialect, told.c.user, wanted.actor))
    )


def _life(owner: int, since: datetime, until: datetime, wanted: Wanted) -> Any:
    """Return the intervals of what moved in between, each with those before and after it."""
    over: dict[str, Any] = {
        "partition_by": observation.c.resource_id,
        "order_by": observation.c.valid_from,
    }
    query = (
        select(
            observation.c.resource_id,
            observation.c.valid_from,
            observation.c.valid_to,
            observation.c.blob_id,
            observation.c.task,
            observation.c.user,
            observation.c.end_task,
            observation.c.end_user,
            func.lag(observation.c.valid_to).over(**over).label("ended_before"),
            func.lag(observation.c.blob_id).over(**over).label("blob_before"),
            func.lead(observation.c.valid_from).over(**over).label("begins_next"),
        )
        .join(resource, resource.c.id == observation.c.resource_id)
        .where(resource.c.cluster_id == owner, observation.c.resource_id.in_(moved(since, until)))
    )
    if wanted.kind is not None:
        query = query.where(resource.c.kind == wanted.kind)
    if wanted.key is not None:
        query = query.where(resource.c.key == wanted.key)
    return query.cte("life")


def _is_by(dialect: str, user: ColumnElement[Any], actor: str) -> ColumnElement[bool]:
    """Say whether a change is by a user, by any token of theirs, or by nobody known (`-`)."""
    if actor == "-":
        return user.is_(None)
    if dialect == "postgresql":
        owner = func.split_part(user, "!", 1)
    else:
        owner = func.substr(user, 1, func.instr(user + "!", "!") - 1)
    return and_(
        user.is_not(None), or_(matches(dialect, user, actor), matches(dialect, owner, actor))
    )


def _whole(connection: Connection, rows: Collection[Mapping[str, Any]]) -> list[RecordedChange]:
    numbers = {row[name] for row in rows for name in ("old_id", "new_id")} - {None}
    bodies: dict[int | None, dict[str, Any]] = {}
    wanted = sorted(numbers)
    for start in range(0, len(wanted), _AT_ONCE):
        query = select(blob.c.id, blob.c.body).where(
            blob.c.id.in_(wanted[start : start + _AT_ONCE])
        )
        bodies.update((number, json.loads(body)) for number, body in connection.execute(query))
    return [_change(row, bodies) for row in rows]


def _change(row: Mapping[str, Any], bodies: Mapping[int | None, dict[str, Any]]) -> RecordedChange:
    old, new = bodies.get(row["old_id"], {}), bodies.get(row["new_id"], {})
    document = new or old
    is_gone = row["action"] == "vanished"
    return RecordedChange(
        at=row["at"],
        action=row["action"],
        uid=row["uid"],
        resource_kind=row["resource_kind"],
        key=row["key"],
        name=display_name(row["resource_kind"], row["key"], document.get("config", {})),
        fields=() if is_gone else compare_documents(old, new),
        task=row["task"],
        user=row["user"],
    )
