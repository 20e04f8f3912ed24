"""Snapshots: names for moments, with a hash over everything that was there."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, select

from pmpc_state.errors import AlreadyRecorded, NotRecorded
from pmpc_state.filters import table_of
from pmpc_state.repositories.clock import Clock
from pmpc_state.repositories.clusters import cluster_id, latest_moment, next_moment
from pmpc_state.repositories.paging import Listing
from pmpc_state.repositories.resources import valid_at
from pmpc_state.repositories.runs import whole_moment
from pmpc_state.schema import blob, cluster, observation, resource, snapshot
from pmpc_state.values import Choice, Page, Snapshot

SNAPSHOTS: Final = table_of(Snapshot, "snapshots", ("name",))


def snapshots(
    connection: Connection, cluster_name: str, limit: int | None, choice: Choice
) -> Page[Snapshot]:
    """Return the snapshots of a cluster, oldest first.

    Raises:
        FilterInvalid: The filter, the order or the marker is not well formed.
        NotRecorded: The cluster is not recorded.
    """
    cluster_id(connection, cluster_name)
    query = _snapshots().where(cluster.c.name == cluster_name)
    listing = Listing(SNAPSHOTS, query, ("taken_at", "name"), lambda row: Snapshot(**row))
    return listing.page(connection, limit, choice)


def find_snapshot(connection: Connection, cluster_name: str, name: str) -> Snapshot:
    """Return one snapshot.

    Raises:
        NotRecorded: The cluster or the snapshot is not there.
    """
    cluster_id(connection, cluster_name)
    query = _snapshots().where(cluster.c.name == cluster_name, snapshot.c.name == name)
    row = connection.execute(query).one_or_none()
    if row is None:
        msg = f"cannot find snapshot {name} of cluster {cluster_name}"
        raise NotRecorded(msg)
    return _snapshot(row)


def take_snapshot(
    connection: Connection, cluster_name: str, name: str, *, pinned: bool, clock: Clock
) -> Snapshot:
    """Name the present moment; costs one row, whatever the size of the cluster.

    While a sync writes, and after one that was cut short, it is the last moment of which every
    section is whole.

    Raises:
        NotRecorded: The cluster is not recorded.
        AlreadyRecorded: A snapshot has that name.
    """
    owner = cluster_id(connection, cluster_name)
    taken = select(snapshot.c.id).where(snapshot.c.cluster_id == owner, snapshot.c.name == name)
    if connection.execute(taken).first() is not None:
        msg = f"cannot take snapshot {name} of {cluster_name}: there is one of that name already"
        raise AlreadyRecorded(msg)
    moment = whole_moment(connection, owner)
    if moment == latest_moment(connection, owner):
        moment = next_moment(connection, owner, clock())
    root, count = root_hash(connection, owner, moment)
    connection.execute(
        snapshot.insert().values(
            cluster_id=owner,
            taken_at=moment,
            root_hash=root,
            resources=count,
            name=name,
            pinned=pinned,
        )
    )
    return Snapshot(cluster_name, name, moment, root, count, pinned)


def pin_snapshot(connection: Connection, cluster_name: str, name: str, *, pinned: bool) -> Snapshot:
    """Keep what a snapshot shows from retention, or stop doing so.

    Raises:
        NotRecorded: The cluster or the snapshot is not there.
    """
    owner = cluster_id(connection, cluster_name)
    connection.execute(
        snapshot.update()
        .where(snapshot.c.cluster_id == owner, snapshot.c.name == name)
        .values(pinned=pinned)
    )
    return find_snapshot(connection, cluster_name, name)


def root_hash(connection: Connection, owner: int, moment: datetime) -> tuple[str, int]:
    """Return the hash over everything that was there at a moment, and how much it was."""
    query = (
        select(resource.c.kind, resource.c.key, blob.c.hash)
        .join(observation, observation.c.resource_id == resource.c.id)
        .join(blob, blob.c.id == observation.c.blob_id)
        .where(resource.c.cluster_id == owner, valid_at(moment))
    )
    lines = sorted(f"{kind}\0{key}\0{digest}\n" for kind, key, digest in connection.execute(query))
    return hashlib.sha256("".join(lines).encode()).hexdigest(), len(lines)


def _snapshots() -> Select[*tuple[Any, ...]]:
    return select(
        cluster.c.name.label("cluster"),
        snapshot.c.name,
        snapshot.c.taken_at,
        snapshot.c.root_hash,
        snapshot.c.resources,
        snapshot.c.pinned,
    ).join(cluster, cluster.c.id == snapshot.c.cluster_id)


def _snapshot(row: Row[*tuple[Any, ...]]) -> Snapshot:
    return Snapshot(*row)
