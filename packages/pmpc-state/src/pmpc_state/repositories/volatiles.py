"""Volatile facts: overwritten by every look, marked as unknown when a look could not see."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite

from pmpc_state.diff import Recorded, Seen
from pmpc_state.repositories.given import table_of_rows
from pmpc_state.schema import volatile


def overwrite(
    connection: Connection,
    seen: Iterable[tuple[Recorded, Seen]],
    moment: datetime,
    proven_at: datetime,
) -> None:
    """Replace the facts of what was seen; what could only be listed stays unknown.

    Args:
        connection: The transaction.
        seen: What was seen.
        moment: When, as history tells it.
        proven_at: When the look began that read it: it was so then or later.
    """
    rows: list[dict[str, Any]] = [
        {
            "resource_id": known.resource_id,
            "node": entry.item.node,
            "status": entry.item.status,
            "facts": dict(entry.item.facts),
            "known": entry.hash is not None,
            "reason": entry.item.reason,
            "seen_at": moment,
            "proven_at": proven_at if entry.hash is not None else None,
            "summary": entry.item.summary if entry.hash is not None else None,
        }
        for known, entry in seen
    ]
    if not rows:
        return
    statement, parameters = _inserting(connection, rows)
    replaced: dict[str, Any] = {
        column.name: statement.excluded[column.name]
        for column in volatile.columns
        if not column.primary_key
    }
    # What can only be listed now was proven when it was last read.
    replaced["proven_at"] = func.coalesce(statement.excluded.proven_at, volatile.c.proven_at)
    connection.execute(
        statement.on_conflict_do_update(index_elements=[volatile.c.resource_id], set_=replaced),
        parameters,
    )


def _inserting(connection: Connection, rows: list[dict[str, Any]]) -> tuple[Any, Any]:
    """Return what inserts rows, and its parameters: PostgreSQL takes them as one statement."""
    if connection.dialect.name != "postgresql":
        return sqlite.insert(volatile), rows
    given = table_of_rows("given", volatile, rows)
    names = [column.name for column in given.c]
    return postgresql.insert(volatile).from_select(names, select(given)), None


def keep(connection: Connection, kept: Iterable[tuple[Recorded, Seen]], moment: datetime) -> None:
    """Replace the facts of what was listed and not read again; its proof stays as old as it is."""
    rows = [
        {
            "resource_id": known.resource_id,
            "node": entry.item.node,
            "status": entry.item.status,
            "facts": dict(entry.item.facts),
            "seen_at": moment,
        }
        for known, entry in kept
    ]
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        given = table_of_rows("given", volatile, rows)
        new = {name: given.c[name] for name in rows[0] if name != "resource_id"}
        same = volatile.c.resource_id == given.c.resource_id
        connection.execute(volatile.update().where(same).values(new))
        return
    statement = volatile.update().where(volatile.c.resource_id == bindparam("number"))
    new_ones = {
        name: bindparam(f"new_{name}", type_=volatile.c[name].type)
        for name in rows[0]
        if name != "resource_id"
    }
    connection.execute(
        statement.values(new_ones),
        [
            {"number": row["resource_id"], **{f"new_{name}": row[name] for name in new_ones}}
            for row in rows
        ],
    )


def lose_sight(connection: Connection, unseen: Iterable[tuple[Recorded, str]]) -> None:
    """Mark what could not be seen as unknown, keeping the facts as they were last seen."""
    rows = [{"number": known.resource_id, "why": why} for known, why in unseen]
    if rows:
        connection.execute(
            volatile.update()
            .where(volatile.c.resource_id == bindparam("number"))
            .values(known=False, reason=bindparam("why")),
            rows,
        )
