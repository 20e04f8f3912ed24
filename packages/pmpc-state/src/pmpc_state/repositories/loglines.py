"""The cluster's log, kept after the cluster has forgotten it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import attrs
from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from pmpc_state.schema import log_line
from pmpc_state.values import LogLine


def record_lines(connection: Connection, owner: int, seen: Iterable[LogLine]) -> None:
    """Add the lines that are new."""
    rows = [{"cluster_id": owner, **attrs.asdict(line)} for line in seen]
    if not rows:
        return
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    connection.execute(dialect.insert(log_line).on_conflict_do_nothing(), rows)


def lines_since(
    connection: Connection, owner: int, since: datetime | None, text: str = ""
) -> tuple[LogLine, ...]:
    """Return the lines since a moment that hold a text, oldest first."""
    query = (
        select(
            log_line.c.node,
            log_line.c.at,
            log_line.c.uid,
            log_line.c.user,
            log_line.c.program,
            log_line.c.priority,
            log_line.c.message,
        )
        .where(log_line.c.cluster_id == owner)
        .order_by(log_line.c.at, log_line.c.node, log_line.c.uid)
    )
    if since is not None:
        query = query.where(log_line.c.at >= since)
    if text:
        query = query.where(log_line.c.message.contains(text, autoescape=True))
    return tuple(LogLine(*row) for row in connection.execute(query))
