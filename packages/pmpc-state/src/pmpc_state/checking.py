"""The integrity check: what must hold in every state database, and where it does not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import attrs
from sqlalchemy import Connection, Select, and_, func, or_, select

from pmpc_state.canonical import content_hash
from pmpc_state.repositories.audit import AuditReader
from pmpc_state.repositories.snapshots import root_hash
from pmpc_state.schema import (
    blob,
    cluster,
    observation,
    resource,
    snapshot,
    sync_run,
    sync_section,
)
from pmpc_state.state import State

_AT_ONCE = 1000


@attrs.frozen
class Problem:
    """Something that does not hold.

    Attributes:
        area: file, blob, interval, resource, snapshot or audit.
        subject: What is concerned.
        message: What is wrong.
    """

    area: str
    subject: str
    message: str


def check(state: State) -> tuple[Problem, ...]:
    """Look for damage; an empty answer means that everything holds.

    Checks the file itself (SQLite), that each document has the hash it is known by, that the
    intervals of a resource do not overlap, that one is open exactly while it is there and that none
    goes on after it vanished, that
    each snapshot still shows what its root hash stands for, and the chain of the audit log. Sees
    one moment of the database; a sync may go on meanwhile.

    Raises:
        StateUnreachable: The database is too damaged to be read, or gone.
    """
    with state.reading_connection() as (connection, access):
        found = [
            *_file(connection),
            *_blobs(connection),
            *_intervals(connection),
            *_gaps(connection),
            *_presence(connection),
            *_snapshots(connection),
        ]
        broken = AuditReader(access).first_broken()
    if broken is not None:
        found.append(Problem("audit", str(broken), "this line was changed or is missing"))
    return tuple(found)


def _file(connection: Connection) -> Iterator[Problem]:
    if connection.dialect.name != "sqlite":
        return
    for pragma in ("quick_check", "foreign_key_check"):
        for row in connection.exec_driver_sql(f"PRAGMA {pragma}"):
            if tuple(row) != ("ok",):
                yield Problem("file", pragma, " ".join(map(str, row)))


def _blobs(connection: Connection) -> Iterator[Problem]:
    query = select(blob.c.id, blob.c.hash, blob.c.body).order_by(blob.c.id)
    options = connection.execution_options(yield_per=_AT_ONCE)
    for number, digest, body in options.execute(query):
        if not body.isascii() or content_hash(body) != digest:
            yield Problem("blob", str(number), f"its text is not the one of hash {digest}")


def _intervals(connection: Connection) -> Iterator[Problem]:
    following = func.lead(observation.c.valid_from).over(
        partition_by=observation.c.resource_id, order_by=observation.c.valid_from
    )
    intervals = (
        select(observation.c.resource_id, observation.c.valid_to, following.label("next"))
    ).subquery()
    query = (
        select(resource.c.kind, resource.c.key, intervals.c.valid_to)
        .join(resource, resource.c.id == intervals.c.resource_id)
        .where(
            intervals.c.next.is_not(None),
            or_(intervals.c.valid_to.is_(None), intervals.c.valid_to > intervals.c.next),
        )
    )
    for kind, key, until in connection.execute(query):
        end = "never ends" if until is None else "ends late"
        message = f"an interval {end}: another begins before"
        yield Problem("interval", f"{kind}/{key}", message)


def _gaps(connection: Connection) -> Iterator[Problem]:
    """Tell gaps in a life that no sync explains, and ends after the resource was gone."""
    following = func.lead(observation.c.valid_from).over(
        partition_by=observation.c.resource_id, order_by=observation.c.valid_from
    )
    lives = (
        select(observation.c.resource_id, observation.c.valid_to, following.label("next"))
    ).subquery()
    query = (
        select(
            resource.c.cluster_id, resource.c.kind, resource.c.key, lives.c.valid_to,
            lives.c.next, resource.c.vanished_at,
        )
        .join(resource, resource.c.id == lives.c.resource_id)
        .where(
            or_(
                lives.c.valid_to < lives.c.next,
                and_(lives.c.next.is_(None), lives.c.valid_to > resource.c.vanished_at),
            )
        )
    )  # fmt: skip
    for owner, kind, key, until, following_one, vanished_at in connection.execute(query).all():
        if following_one is None:
            message = f"its last interval ends {until}, but it vanished {vanished_at}"
            yield Problem("interval", f"{kind}/{key}", message)
        elif not _saw_it_go(connection, owner, kind, until):
            message = f"there is a gap from {until}, though no sync saw it gone"
            yield Problem("interval", f"{kind}/{key}", message)


def _saw_it_go(connection: Connection, owner: int, kind: str, moment: datetime) -> bool:
    """Say whether the sync of a moment recorded that something of a kind was gone.

    Of syncs that were forgotten, nobody knows.
    """
    query = (
        select(sync_section.c.counts)
        .join_from(sync_run, sync_section, sync_section.c.run_id == sync_run.c.id)
        .where(
            sync_run.c.cluster_id == owner,
            sync_run.c.seen_at <= moment,
            sync_section.c.section == kind,
        )
        .order_by(sync_run.c.seen_at.desc(), sync_run.c.id.desc())
        .limit(1)
    )
    counts = connection.execute(query).scalar()
    return counts is None or counts.get("vanished", 0) > 0


def _presence(connection: Connection) -> Iterator[Problem]:
    opened = and_(observation.c.resource_id == resource.c.id, observation.c.valid_to.is_(None))
    ghosts: Select[str, str] = (
        select(resource.c.kind, resource.c.key)
        .join(observation, opened)
        .where(resource.c.vanished_at.is_not(None))
    )
    for kind, key in connection.execute(ghosts):
        yield Problem("resource", f"{kind}/{key}", "it vanished, yet its last interval is open")
    ended = (
        select(observation.c.resource_id, func.max(observation.c.valid_to).label("last"))
        .group_by(observation.c.resource_id)
        .subquery()
    )
    torn: Select[str, str] = (
        select(resource.c.kind, resource.c.key)
        .join(ended, ended.c.resource_id == resource.c.id)
        .where(resource.c.vanished_at.is_not(None), ended.c.last > resource.c.vanished_at)
    )
    for kind, key in connection.execute(torn):
        yield Problem("interval", f"{kind}/{key}", "its last interval goes on after it vanished")
    seen = select(observation.c.id).where(observation.c.resource_id == resource.c.id)
    is_open = select(observation.c.id).where(opened)
    gaps: Select[str, str] = select(resource.c.kind, resource.c.key).where(
        resource.c.vanished_at.is_(None), seen.exists(), ~is_open.exists()
    )
    for kind, key in connection.execute(gaps):
        yield Problem("resource", f"{kind}/{key}", "it is there, yet its last interval has ended")


def _snapshots(connection: Connection) -> Iterator[Problem]:
    query = select(
        cluster.c.id, cluster.c.name, snapshot.c.name, snapshot.c.taken_at, snapshot.c.root_hash
    ).join(cluster, cluster.c.id == snapshot.c.cluster_id)
    for owner, of, name, moment, digest in connection.execute(query).all():
        if root_hash(connection, owner, moment)[0] != digest:
            yield Problem("snapshot", f"{of}/{name}", "it does not show any more what it showed")
