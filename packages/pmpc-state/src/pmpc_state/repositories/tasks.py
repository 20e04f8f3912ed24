"""PVE's tasks, kept after PVE has forgotten them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

import attrs
from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from pmpc_state.filters import table_of
from pmpc_state.repositories.clusters import cluster_id
from pmpc_state.repositories.paging import Listing
from pmpc_state.schema import cluster, task
from pmpc_state.values import Choice, Page, TaskRecord

TASKS: Final = table_of(TaskRecord, "tasks", ("upid", "type", "object_id"))


def tasks(
    connection: Connection,
    cluster_name: str,
    choice: Choice,
    *,
    since: datetime | None = None,
    object_id: str | None = None,
    limit: int | None = 100,
) -> Page[TaskRecord]:
    """Return the newest tasks first.

    Raises:
        FilterInvalid: The filter, the order or the marker is not well formed.
        NotRecorded: The cluster is not recorded.
    """
    owner = cluster_id(connection, cluster_name)
    query = (
        select(
            cluster.c.name.label("cluster"),
            task.c.upid,
            task.c.node,
            task.c.type,
            task.c.object_id,
            task.c.user,
            task.c.started_at,
            task.c.ended_at,
            task.c.status,
        )
        .join(cluster, cluster.c.id == task.c.cluster_id)
        .where(task.c.cluster_id == owner)
    )
    if since is not None:
        query = query.where(task.c.started_at >= since)
    if object_id is not None:
        query = query.where(task.c.object_id == object_id)
    listing = Listing(TASKS, query, ("-started_at", "upid"), lambda row: TaskRecord(**row))
    return listing.page(connection, limit, choice)


def running_tasks(connection: Connection, owner: int) -> tuple[tuple[str, str, datetime], ...]:
    """Return name, node and start of the tasks of which the end was never seen."""
    query = select(task.c.upid, task.c.node, task.c.started_at).where(
        task.c.cluster_id == owner, task.c.ended_at.is_(None)
    )
    return tuple((upid, node, started) for upid, node, started in connection.execute(query))


def record_tasks(connection: Connection, owner: int, seen: Iterable[TaskRecord]) -> tuple[int, int]:
    """Add new tasks and the ends of known ones; return how many were new and how many ended."""
    entries = tuple(seen)
    recorded = select(task.c.upid, task.c.ended_at).where(task.c.cluster_id == owner)
    if entries:
        recorded = recorded.where(task.c.started_at >= min(one.started_at for one in entries))
    known = dict(connection.execute(recorded).all())
    fresh: dict[str, dict[str, Any]] = {}
    ended = 0
    for entry in entries:
        if entry.upid in known and (known[entry.upid] is not None or entry.ended_at is None):
            continue
        ended += entry.upid in known
        row = attrs.asdict(entry)
        del row["cluster"]
        fresh[entry.upid] = {"cluster_id": owner, **row}
    if fresh:
        _upsert(connection, list(fresh.values()))
    return len(fresh) - ended, ended


def _upsert(connection: Connection, rows: list[dict[str, Any]]) -> None:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(task)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[task.c.cluster_id, task.c.upid],
            set_={
                "ended_at": statement.excluded.ended_at,
                "status": statement.excluded.status,
            },
        ),
        rows,
    )
