"""Resources as they are now and as they were at a moment."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, or_, select

from pmpc_state.filters import Filter
from pmpc_state.kinds import display_name, sort_key
from pmpc_state.repositories.clusters import cluster_id
from pmpc_state.repositories.columns import ResourceColumns
from pmpc_state.repositories.paging import Wish, page_of
from pmpc_state.repositories.runs import unfinished_since
from pmpc_state.repositories.selection import Selection
from pmpc_state.schema import blob, cluster, observation, resource, volatile
from pmpc_state.values import Resource
from pmpc_state.values.page import Page


def valid_at(moment: datetime) -> ColumnElement[bool]:
    """Say which observations held at a moment: intervals are [valid_from, valid_to)."""
    return and_(
        observation.c.valid_from <= moment,
        or_(observation.c.valid_to.is_(None), observation.c.valid_to > moment),
    )


def present(connection: Connection, cluster_name: str, kind: str | None) -> tuple[Resource, ...]:
    """Return what is there, also what was never readable; of one look while a sync writes.

    Raises:
        NotRecorded: The cluster is not recorded.
    """
    owner = cluster_id(connection, cluster_name)
    query = _shown(connection, owner).where(resource.c.cluster_id == owner)
    return _fetch(connection, _of_kind(query, kind))


def past(
    connection: Connection, cluster_name: str, moment: datetime, kind: str | None
) -> tuple[Resource, ...]:
    """Return what was there at a moment.

    Raises:
        NotRecorded: The cluster is not recorded.
    """
    owner = cluster_id(connection, cluster_name)
    query = _resources(valid_at(moment)).where(
        resource.c.cluster_id == owner, observation.c.id.is_not(None)
    )
    return _fetch(connection, _of_kind(query, kind))


def one(connection: Connection, cluster_name: str, kind: str, key: str) -> Resource | None:
    """Return what has a key now, None if nothing has.

    Raises:
        NotRecorded: The cluster is not recorded.
    """
    owner = cluster_id(connection, cluster_name)
    query = _shown(connection, owner).where(
        resource.c.cluster_id == owner, resource.c.kind == kind, resource.c.key == key
    )
    return next(iter(_fetch(connection, query)), None)


def found(
    connection: Connection, cluster_name: str, wish: Wish, moment: datetime | None
) -> Page[Resource]:
    """Return a page of what a filter matches, now or at a moment, and how much it matches in all.

    Raises:
        FilterInvalid: The marker is of another list or order.
        NotRecorded: The cluster is not recorded.
    """
    owner = cluster_id(connection, cluster_name)
    selection = Selection(ResourceColumns(connection.dialect.name))
    if moment is None:
        query = _shown(connection, owner)
    else:
        query = _resources(valid_at(moment)).where(observation.c.id.is_not(None))
    query = query.where(resource.c.cluster_id == owner, selection.where(wish.where))
    return page_of(connection, query, selection.order(wish.sort), wish, _resource)


def gone(
    connection: Connection, cluster_name: str, where: Filter, limit: int
) -> tuple[Resource, ...]:
    """Return what a filter matches of what vanished, as it last was, the last that went first.

    Raises:
        NotRecorded: The cluster is not recorded.
    """
    owner = cluster_id(connection, cluster_name)
    selection = Selection(ResourceColumns(connection.dialect.name))
    query = (
        _resources(observation.c.valid_to == resource.c.vanished_at)
        .where(
            resource.c.cluster_id == owner,
            resource.c.vanished_at.is_not(None),
            selection.where(where),
        )
        .order_by(resource.c.vanished_at.desc(), resource.c.id.desc())
        .limit(limit)
    )
    return tuple(_resource(row) for row in connection.execute(query))


def by_uid(connection: Connection, uid: str) -> Resource | None:
    """Return a resource as it last was, also after it vanished; None if the uid is unknown."""
    query = (
        _resources(None)
        .where(resource.c.uid == uid)
        .order_by(observation.c.valid_from.desc())
        .limit(1)
    )
    return next(iter(_fetch(connection, query)), None)


def _shown(connection: Connection, owner: int) -> Select[*tuple[Any, ...]]:
    """Choose what is there as of the last sync that ended; the newest unless one writes now."""
    whole = unfinished_since(connection, owner)
    if whole is None:
        query = _resources(observation.c.valid_to.is_(None))
        return query.where(resource.c.vanished_at.is_(None))
    earlier = observation.alias()
    seen = select(earlier.c.id).where(
        earlier.c.resource_id == resource.c.id, earlier.c.valid_from <= whole
    )
    # Where a guest is told to be is of now: so a node that it may be on by now is there as well.
    joined = and_(
        resource.c.kind == "node",
        observation.c.valid_from > whole,
        observation.c.valid_to.is_(None),
        ~seen.where(or_(earlier.c.valid_to.is_(None), earlier.c.valid_to > whole)).exists(),
    )
    never_readable = and_(
        ~seen.exists(),
        resource.c.created_at <= whole,
        or_(resource.c.vanished_at.is_(None), resource.c.vanished_at > whole),
    )
    query = _resources(or_(valid_at(whole), joined))
    return query.where(or_(observation.c.id.is_not(None), never_readable))


def _resources(held: ColumnElement[bool] | None) -> Select[*tuple[Any, ...]]:
    seen = observation.c.resource_id == resource.c.id
    return (
        select(
            resource.c.uid,
            cluster.c.name.label("cluster"),
            resource.c.kind,
            resource.c.key,
            resource.c.identity,
            blob.c.body,
            observation.c.valid_from,
            observation.c.valid_to,
            volatile.c.node,
            volatile.c.status,
            volatile.c.facts,
            volatile.c.known,
            volatile.c.reason,
            volatile.c.seen_at,
            volatile.c.proven_at,
        )
        .select_from(resource)
        .join(cluster, cluster.c.id == resource.c.cluster_id)
        .outerjoin(observation, seen if held is None else and_(seen, held))
        .outerjoin(blob, blob.c.id == observation.c.blob_id)
        .outerjoin(volatile, volatile.c.resource_id == resource.c.id)
    )


def _of_kind(query: Select[*tuple[Any, ...]], kind: str | None) -> Select[*tuple[Any, ...]]:
    return query if kind is None else query.where(resource.c.kind == kind)


def _fetch(connection: Connection, query: Select[*tuple[Any, ...]]) -> tuple[Resource, ...]:
    found = (_resource(row) for row in connection.execute(query))
    return tuple(sorted(found, key=lambda entry: sort_key(entry.kind, entry.key)))


def _resource(row: Iterable[Any]) -> Resource:
    (
        uid,
        owner,
        kind,
        key,
        identity,
        body,
        since,
        until,
        node,
        status,
        facts,
        known,
        why,
        seen,
        proven,
        *_,
    ) = row
    document: dict[str, Any] = {} if body is None else json.loads(body)
    config: dict[str, Any] = document.get("config", {})
    return Resource(
        uid=uid,
        cluster=owner,
        kind=kind,
        key=key,
        identity=identity,
        name=display_name(kind, key, config),
        config=config,
        pending=document.get("pending", {}),
        valid_from=since,
        valid_to=until,
        node=node,
        status=status,
        volatile=facts or {},
        known=bool(known),
        reason=why,
        seen_at=seen,
        proven_at=proven,
    )
