"""Removing what a policy does not keep, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby

import attrs
from sqlalchemy import Connection, bindparam, delete, func, select

from pmpc_state.repositories.clusters import cluster_id
from pmpc_state.retention.policy import Interval, Retention, Thinning, thin
from pmpc_state.schema import (
    blob,
    cluster,
    log_line,
    observation,
    resource,
    sample,
    series,
    snapshot,
    sync_run,
    sync_section,
    task,
    volatile,
)
from pmpc_state.state import State

_AT_ONCE = 500


@attrs.frozen
class Forgotten:
    """How many rows went: of history, whole resources, snapshots, tasks and documents."""

    intervals: int
    resources: int
    snapshots: int
    tasks: int
    documents: int


def forget_old(state: State, cluster_name: str, policy: Retention) -> Forgotten:
    """Forget what a policy does not keep of one cluster.

    Snapshots stay exact as long as they are there: until the policy's horizon, pinned ones for
    ever. What is there now is never touched. How syncs went is forgotten with the changes they saw.
    Safe while a sync runs.

    Raises:
        NotRecorded: The cluster is not recorded.
    """
    now = state.clock()
    horizon = now - policy.horizon
    with state.writing_connection() as connection:
        owner = cluster_id(connection, cluster_name)
        connection.execute(select(cluster.c.id).where(cluster.c.id == owner).with_for_update())
        snapshots = connection.execute(
            delete(snapshot).where(
                snapshot.c.cluster_id == owner,
                snapshot.c.pinned.is_(False),
                snapshot.c.taken_at < horizon,
            )
        ).rowcount
        kept = sorted({*policy.moments(now), *_taken(connection, owner)})
        since = now - policy.everything
        lives = list(_lives(connection, owner, since))
        thinned = [(number, thin(life, kept, since)) for number, life in lives]
        intervals = _apply(connection, [one for _, one in thinned])
        resources = _forget_resources(connection, owner, [number for number, _ in thinned])
        tasks = connection.execute(
            delete(task).where(task.c.cluster_id == owner, task.c.ended_at < horizon)
        ).rowcount
        connection.execute(
            delete(log_line).where(log_line.c.cluster_id == owner, log_line.c.at < horizon)
        )
        _forget_runs(connection, owner, since)
        used = select(observation.c.id).where(observation.c.blob_id == blob.c.id)
        documents = connection.execute(delete(blob).where(~used.exists())).rowcount
    return Forgotten(intervals, resources, snapshots, tasks, documents)


def _forget_runs(connection: Connection, owner: int, since: datetime) -> None:
    """Remove how the syncs went of which every change may go; never the last that went well."""
    last = select(func.max(sync_run.c.id)).where(
        sync_run.c.cluster_id == owner, sync_run.c.status.in_(("ok", "partial"))
    )
    old = select(sync_run.c.id).where(
        sync_run.c.cluster_id == owner,
        sync_run.c.started_at < since,
        sync_run.c.id < last.scalar_subquery(),
    )
    numbers = connection.execute(old).scalars().all()
    for start in range(0, len(numbers), _AT_ONCE):
        batch = numbers[start : start + _AT_ONCE]
        connection.execute(delete(sync_section).where(sync_section.c.run_id.in_(batch)))
        connection.execute(delete(sync_run).where(sync_run.c.id.in_(batch)))


def _taken(connection: Connection, owner: int) -> Iterable[datetime]:
    query = select(snapshot.c.taken_at).where(snapshot.c.cluster_id == owner)
    return connection.execute(query).scalars().all()


def _lives(
    connection: Connection, owner: int, since: datetime
) -> Iterator[tuple[int, list[Interval]]]:
    """Give the intervals of every resource of which some ended long ago."""
    old = select(observation.c.resource_id).where(observation.c.valid_to <= since)
    query = (
        select(
            observation.c.resource_id,
            observation.c.id,
            observation.c.valid_from,
            observation.c.valid_to,
            observation.c.blob_id,
            observation.c.end_task,
            observation.c.end_user,
        )
        .join(resource, resource.c.id == observation.c.resource_id)
        .where(resource.c.cluster_id == owner, observation.c.resource_id.in_(old))
        .order_by(observation.c.resource_id, observation.c.valid_from)
    )
    for number, rows in groupby(connection.execute(query), key=lambda row: row[0]):
        yield number, [Interval(*row[1:5], ending=(row[5], row[6])) for row in rows]


def _apply(connection: Connection, thinned: Iterable[Thinning]) -> int:
    plans = list(thinned)
    removed = [number for plan in plans for number in plan.removed]
    for start in range(0, len(removed), _AT_ONCE):
        batch = removed[start : start + _AT_ONCE]
        connection.execute(delete(observation).where(observation.c.id.in_(batch)))
    rows = [
        {"row": one.id, "until": one.valid_to, "by_task": one.ending[0], "by_user": one.ending[1]}
        for plan in plans
        for one in plan.extended.values()
    ]
    if rows:
        connection.execute(
            observation.update()
            .where(observation.c.id == bindparam("row"))
            .values(
                valid_to=bindparam("until", type_=observation.c.valid_to.type),
                end_task=bindparam("by_task"),
                end_user=bindparam("by_user"),
            ),
            rows,
        )
    return len(removed)


def _forget_resources(connection: Connection, owner: int, touched: list[int]) -> int:
    """Remove what vanished and of which no history is left."""
    left = select(observation.c.id).where(observation.c.resource_id == resource.c.id)
    forgotten = 0
    for start in range(0, len(touched), _AT_ONCE):
        query = select(resource.c.id).where(
            resource.c.cluster_id == owner,
            resource.c.id.in_(touched[start : start + _AT_ONCE]),
            resource.c.vanished_at.is_not(None),
            ~left.exists(),
        )
        numbers = connection.execute(query).scalars().all()
        theirs = select(series.c.id).where(series.c.resource_id.in_(numbers))
        connection.execute(delete(sample).where(sample.c.series_id.in_(theirs)))
        connection.execute(delete(series).where(series.c.resource_id.in_(numbers)))
        connection.execute(delete(volatile).where(volatile.c.resource_id.in_(numbers)))
        connection.execute(delete(resource).where(resource.c.id.in_(numbers)))
        forgotten += len(numbers)
    return forgotten
