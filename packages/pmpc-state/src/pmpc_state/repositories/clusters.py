"""Clusters, by the name their owner gave them."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Unpack

from sqlalchemy import Connection, func, select

from pmpc_state.database.transactions import Reading, Writing
from pmpc_state.errors import NotRecorded
from pmpc_state.filters import table_of
from pmpc_state.repositories.clock import Clock
from pmpc_state.repositories.paging import Listing
from pmpc_state.schema import cluster, sync_run
from pmpc_state.schema.types import MICROSECOND
from pmpc_state.values import Choice, Cluster, Page

CLUSTERS: Final = table_of(Cluster, "clusters", ("name",))


def find_cluster_id(connection: Connection, name: str) -> int | None:
    """Return the number of a cluster, None if it is not recorded."""
    return connection.execute(select(cluster.c.id).where(cluster.c.name == name)).scalar()


def cluster_id(connection: Connection, name: str) -> int:
    """Return the number of a cluster.

    Raises:
        NotRecorded: No cluster has that name.
    """
    found = find_cluster_id(connection, name)
    if found is None:
        known = connection.execute(select(cluster.c.name).order_by(cluster.c.name)).scalars().all()
        there = f"recorded: {', '.join(known)}" if known else "none is recorded"
        msg = f"cannot find cluster {name} in the state: {there}; `pmpc sync` records one"
        raise NotRecorded(msg)
    return found


def ensure_cluster(connection: Connection, name: str, clock: Clock) -> int:
    """Return the number of a cluster, recording it if it is new."""
    found = find_cluster_id(connection, name)
    if found is not None:
        return found
    stamp = clock()
    return connection.execute(
        cluster.insert()
        .values(name=name, created_at=stamp, latest_at=stamp - MICROSECOND)
        .returning(cluster.c.id)
    ).scalar_one()


def next_moment(connection: Connection, owner: int, now: datetime) -> datetime:
    """Return a moment later than every other of the cluster's history: now, if the clock is sane.

    A clock that stands still or was set back must not make two states share a moment. Locks the
    cluster's row, so that writers of one history queue up.
    """
    latest = connection.execute(
        select(cluster.c.latest_at).where(cluster.c.id == owner).with_for_update()
    ).scalar_one()
    moment = max(now, latest + MICROSECOND)
    connection.execute(cluster.update().where(cluster.c.id == owner).values(latest_at=moment))
    return moment


def latest_moment(connection: Connection, owner: int) -> datetime:
    """Return the last moment of a cluster's history."""
    query = select(cluster.c.latest_at).where(cluster.c.id == owner)
    return connection.execute(query).scalar_one()


def shared_moment(connection: Connection, owner: int, moment: datetime, now: datetime) -> datetime:
    """Return the moment of a run for one more of its sections, or a later one.

    The sections of a run share a moment, unless something else was dated since: then history up
    to there is fixed, and the section gets a moment of its own.
    """
    latest = connection.execute(
        select(cluster.c.latest_at).where(cluster.c.id == owner).with_for_update()
    ).scalar_one()
    return moment if latest == moment else next_moment(connection, owner, now)


class ClusterReader:
    """Reads clusters."""

    def __init__(self, access: Reading) -> None:
        self._access = access

    def list(self, *, limit: int | None = None, **choice: Unpack[Choice]) -> Page[Cluster]:
        """Return every cluster, by name.

        Raises:
            FilterInvalid: The filter, the order or the marker is not well formed.
        """
        synced = (
            select(sync_run.c.cluster_id, func.max(sync_run.c.finished_at).label("synced_at"))
            .where(sync_run.c.status.in_(("ok", "partial")))
            .group_by(sync_run.c.cluster_id)
            .subquery()
        )
        query = select(cluster.c.name, cluster.c.created_at, synced.c.synced_at).outerjoin(
            synced, synced.c.cluster_id == cluster.c.id
        )
        listing = Listing(CLUSTERS, query, ("name",), lambda row: Cluster(**row))
        with self._access.reading() as connection:
            return listing.page(connection, limit, choice)


class ClusterWriter(ClusterReader):
    """Records clusters."""

    def __init__(self, access: Writing, clock: Clock) -> None:
        super().__init__(access)
        self._writes = access
        self._clock = clock

    def ensure(self, name: str) -> None:
        """Record a cluster unless it is recorded already."""
        with self._writes.writing() as connection:
            ensure_cluster(connection, name, self._clock)
