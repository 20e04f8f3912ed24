"""The log of one resource with what PVE tells besides: tasks, and lines of the cluster's log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from sqlalchemy import Connection, select

from pmpc_state.logtext import guest_told
from pmpc_state.repositories import history
from pmpc_state.repositories.loglines import lines_since
from pmpc_state.schema import resource, task
from pmpc_state.values import LogEntry


def whole_log(connection: Connection, uid: str) -> tuple[LogEntry, ...]:
    """Return what happened to a resource and what PVE tells of it, oldest first."""
    found = list(history.log(connection, uid))
    query = select(
        resource.c.cluster_id,
        resource.c.kind,
        resource.c.key,
        resource.c.created_at,
        resource.c.vanished_at,
    ).where(resource.c.uid == uid)
    row = connection.execute(query).first()
    if row is not None and row.kind in ("qemu", "lxc"):
        # What PVE tells of a vmid is of this guest unless another had it before.
        since = _gone_before(connection, row.cluster_id, row.key, row.created_at)
        until = row.vanished_at
        found.extend(_tasks(connection, row.cluster_id, row.key, since, until))
        found.extend(_lines(connection, row.cluster_id, (row.kind, row.key), since, until))
    return tuple(sorted(found, key=lambda entry: entry.at))


def places_of(entries: Iterable[LogEntry]) -> list[tuple[float, ...]]:
    """Return where each entry of a log stands: its moment, and its number in that moment."""
    seen: Counter[datetime] = Counter()
    places: list[tuple[float, ...]] = []
    for entry in entries:
        seen[entry.at] += 1
        places.append((entry.at.timestamp(), seen[entry.at]))
    return places


def _gone_before(
    connection: Connection, owner: int, key: str, created: datetime
) -> datetime | None:
    """Return when the last guest of the same vmid before this one went, None if there was none."""
    query = (
        select(resource.c.vanished_at)
        .where(
            resource.c.cluster_id == owner,
            resource.c.kind.in_(("qemu", "lxc")),
            resource.c.key == key,
            resource.c.vanished_at <= created,
        )
        .order_by(resource.c.vanished_at.desc())
        .limit(1)
    )
    return connection.execute(query).scalar()


def _tasks(
    connection: Connection, owner: int, key: str, since: datetime | None, until: datetime | None
) -> Iterator[LogEntry]:
    query = select(task.c.upid, task.c.type, task.c.user, task.c.started_at, task.c.status).where(
        task.c.cluster_id == owner, task.c.object_id == key
    )
    if since is not None:
        query = query.where(task.c.started_at >= since)
    if until is not None:
        query = query.where(task.c.started_at <= until)
    for upid, kind, user, started, status in connection.execute(query):
        yield LogEntry(started, "task", (), upid, user, f"{kind}: {status or 'running'}")


def _lines(
    connection: Connection,
    owner: int,
    guest: tuple[str, str],
    since: datetime | None,
    until: datetime | None,
) -> Iterator[LogEntry]:
    for line in lines_since(connection, owner, since, f" {guest[1]}"):
        if guest_told(line.message) == guest and (until is None or line.at <= until):
            yield LogEntry(line.at, "line", (), None, line.user or None, line.message)
