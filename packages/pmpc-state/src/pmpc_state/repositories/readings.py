"""When lists were last read as a whole, and how fresh everything is."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, and_, case, func, select
from sqlalchemy.dialects import postgresql, sqlite

from pmpc_state.schema import reading, resource, volatile
from pmpc_state.values.freshness import Freshness


def readings(connection: Connection, owner: int) -> dict[tuple[str, str], datetime]:
    """Return section and scope to when that list was last read."""
    query = select(reading.c.section, reading.c.scope, reading.c.read_at)
    rows = connection.execute(query.where(reading.c.cluster_id == owner))
    return {(section, scope): moment for section, scope, moment in rows}


def record_readings(
    connection: Connection, owner: int, section: str, scopes: Iterable[str], moment: datetime
) -> None:
    """Remember that lists were read."""
    rows = [
        {"cluster_id": owner, "section": section, "scope": scope, "read_at": moment}
        for scope in scopes
    ]
    if not rows:
        return
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(reading)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[reading.c.cluster_id, reading.c.section, reading.c.scope],
            set_={"read_at": statement.excluded.read_at},
        ),
        rows,
    )


def freshness(connection: Connection, owner: int) -> tuple[Freshness, ...]:
    """Return how fresh each kind is, in one query."""
    there = and_(resource.c.cluster_id == owner, resource.c.vanished_at.is_(None))
    seen = case((volatile.c.known, volatile.c.proven_at))
    query = (
        select(
            resource.c.kind,
            func.count(),
            func.count() - func.count(seen),
            func.min(seen),
            func.max(seen),
        )
        .outerjoin(volatile, volatile.c.resource_id == resource.c.id)
        .where(there)
        .group_by(resource.c.kind)
        .order_by(resource.c.kind)
    )
    return tuple(Freshness(*row) for row in connection.execute(query))
