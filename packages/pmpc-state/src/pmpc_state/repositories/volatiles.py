"""Volatile facts: overwritten by every look, marked as unknown when a look could not see."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam
from sqlalchemy.dialects import postgresql, sqlite

from pmpc_state.diff import Recorded, Seen
from pmpc_state.schema import volatile


def overwrite(
    connection: Connection, seen: Iterable[tuple[Recorded, Seen]], moment: datetime
) -> None:
    """Replace the facts of what was seen; what could only be listed stays unknown."""
    rows: list[dict[str, Any]] = [
        {
            "resource_id": known.resource_id,
            "node": entry.item.node,
            "status": entry.item.status,
            "facts": dict(entry.item.facts),
            "known": entry.hash is not None,
            "reason": entry.item.reason,
            "seen_at": moment,
        }
        for known, entry in seen
    ]
    if not rows:
        return
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(volatile)
    replaced = {
        column.name: statement.excluded[column.name]
        for column in volatile.columns
        if not column.primary_key
    }
    connection.execute(
        statement.on_conflict_do_update(index_elements=[volatile.c.resource_id], set_=replaced),
        rows,
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
