"""Releases and their revisions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Unpack

from sqlalchemy import Connection, RowMapping, Select, func, select

from pmpc_state.database.transactions import Reading, Writing
from pmpc_state.errors import NotRecorded
from pmpc_state.filters import table_of
from pmpc_state.repositories.clock import Clock
from pmpc_state.repositories.clusters import cluster_id, ensure_cluster
from pmpc_state.repositories.paging import Listing
from pmpc_state.schema import cluster, release, revision
from pmpc_state.values import Choice, Page, Release, Revision, RevisionStatus

RELEASES: Final = table_of(Release, "releases", ("name",))
REVISIONS: Final = table_of(Revision, "revisions", ("release", "action", "actor"))


def find_release_id(connection: Connection, cluster_name: str, name: str) -> int | None:
    """Return the number of a release, None if it is not recorded."""
    return connection.execute(
        select(release.c.id)
        .join(cluster, cluster.c.id == release.c.cluster_id)
        .where(cluster.c.name == cluster_name, release.c.name == name)
    ).scalar()


def release_id(connection: Connection, cluster_name: str, name: str) -> int:
    """Return the number of a release.

    Raises:
        NotRecorded: The cluster or the release is not there.
    """
    found = find_release_id(connection, cluster_name, name)
    if found is None:
        cluster_id(connection, cluster_name)
        msg = f"cannot find release {name} of cluster {cluster_name}: it was never applied"
        raise NotRecorded(msg)
    return found


class ReleaseReader:
    """Reads releases and revisions."""

    def __init__(self, access: Reading) -> None:
        self._access = access

    def list(
        self,
        cluster_name: str,
        *,
        deleted: bool = False,
        limit: int | None = None,
        **choice: Unpack[Choice],
    ) -> Page[Release]:
        """Return the releases of a cluster by name, with the deleted ones if asked.

        Raises:
            FilterInvalid: The filter, the order or the marker is not well formed.
        """
        query = _releases().where(cluster.c.name == cluster_name)
        if not deleted:
            query = query.where(release.c.deleted_at.is_(None))
        listing = Listing(RELEASES, query, ("name",), _to_release)
        with self._access.reading() as connection:
            return listing.page(connection, limit, choice)

    def find(self, cluster_name: str, name: str) -> Release | None:
        """Return a release, deleted or not, None if it was never recorded."""
        query = _releases().where(cluster.c.name == cluster_name, release.c.name == name)
        with self._access.reading() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else _to_release(row)

    def get(self, cluster_name: str, name: str) -> Release:
        """Return a release.

        Raises:
            NotRecorded: The cluster or the release is not there.
        """
        with self._access.reading() as connection:
            number = release_id(connection, cluster_name, name)
            row = connection.execute(_releases().where(release.c.id == number)).mappings().one()
        return _to_release(row)

    def revisions(
        self,
        cluster_name: str,
        name: str | None = None,
        *,
        newest: bool = False,
        limit: int | None = None,
        **choice: Unpack[Choice],
    ) -> Page[Revision]:
        """Return the revisions of a release, newest first; empty if it was never recorded.

        Args:
            cluster_name: The cluster.
            name: The release; every release of the cluster if left out, by name.
            newest: Only the newest revision of each release.
            limit: How many at most; all if left out.
            choice: Filter, order and page.

        Raises:
            FilterInvalid: The filter, the order or the marker is not well formed.
        """
        query = _revisions().where(cluster.c.name == cluster_name)
        if name is not None:
            query = query.where(release.c.name == name)
        if newest:
            last = (
                select(revision.c.release_id, func.max(revision.c.number).label("number"))
                .group_by(revision.c.release_id)
                .subquery()
            )
            query = query.join(
                last,
                (last.c.release_id == revision.c.release_id) & (last.c.number == revision.c.number),
            )
        listing = Listing(REVISIONS, query, ("release", "-number"), _to_revision)
        with self._access.reading() as connection:
            return listing.page(connection, limit, choice)

    def revision(self, cluster_name: str, name: str, number: int | None = None) -> Revision:
        """Return one revision, the newest if no number is given.

        Raises:
            NotRecorded: The release or the revision is not there.
        """
        with self._access.reading() as connection:
            query = select(revision).where(
                revision.c.release_id == release_id(connection, cluster_name, name)
            )
            if number is not None:
                query = query.where(revision.c.number == number)
            rows = connection.execute(query.order_by(revision.c.number.desc()))
            row = rows.mappings().first()
        if row is None:
            which = "any revision" if number is None else f"revision {number}"
            msg = f"cannot find {which} of release {name} in cluster {cluster_name}"
            raise NotRecorded(msg)
        return _revision(cluster_name, name, row)


class ReleaseWriter(ReleaseReader):
    """Records releases and revisions."""

    def __init__(self, access: Writing, clock: Clock) -> None:
        super().__init__(access)
        self._writes = access
        self._clock = clock

    def add_revision(
        self,
        cluster_name: str,
        name: str,
        manifests: Iterable[Mapping[str, Any]],
        *,
        actor: str,
        action: str = "apply",
        plan_id: str | None = None,
        status: RevisionStatus = RevisionStatus.PENDING,
        note: str = "",
    ) -> Revision:
        """Record the next revision of a release, making the cluster and the release if new.

        A revision of a deleted release brings it back to life.
        """
        documents = tuple(dict(document) for document in manifests)
        with self._writes.writing() as connection:
            owner = self._ensure(connection, cluster_name, name)
            last = connection.execute(
                select(func.max(revision.c.number)).where(revision.c.release_id == owner)
            ).scalar()
            row = {
                "number": (last or 0) + 1,
                "created_at": self._clock(),
                "actor": actor,
                "action": action,
                "status": status.value,
                "plan_id": plan_id,
                "manifests": documents,
                "note": note,
            }
            connection.execute(revision.insert().values(release_id=owner, **row))
        return _revision(cluster_name, name, row)

    def set_status(self, cluster_name: str, name: str, number: int, status: RevisionStatus) -> None:
        """Say how far applying a revision got.

        Raises:
            NotRecorded: The release or the revision is not there.
        """
        with self._writes.writing() as connection:
            owner = release_id(connection, cluster_name, name)
            done = connection.execute(
                revision.update()
                .where(revision.c.release_id == owner, revision.c.number == number)
                .values(status=status.value)
            )
            if done.rowcount == 0:
                msg = f"cannot find revision {number} of release {name} in cluster {cluster_name}"
                raise NotRecorded(msg)

    def mark_deleted(self, cluster_name: str, name: str) -> None:
        """Say that a release's objects are gone; its history stays.

        Raises:
            NotRecorded: The release is not there.
        """
        with self._writes.writing() as connection:
            owner = release_id(connection, cluster_name, name)
            connection.execute(
                release.update().where(release.c.id == owner).values(deleted_at=self._clock())
            )

    def _ensure(self, connection: Connection, cluster_name: str, name: str) -> int:
        owner = ensure_cluster(connection, cluster_name, self._clock)
        found = connection.execute(
            select(release.c.id)
            .where(release.c.cluster_id == owner, release.c.name == name)
            .with_for_update()
        ).scalar()
        if found is not None:
            connection.execute(
                release.update().where(release.c.id == found).values(deleted_at=None)
            )
            return found
        return connection.execute(
            release.insert()
            .values(cluster_id=owner, name=name, created_at=self._clock())
            .returning(release.c.id)
        ).scalar_one()


def _releases() -> Select[*tuple[Any, ...]]:
    newest = (
        select(func.max(revision.c.number))
        .where(revision.c.release_id == release.c.id)
        .scalar_subquery()
    )
    return select(
        cluster.c.name.label("cluster"),
        release.c.name,
        release.c.created_at,
        release.c.deleted_at,
        func.coalesce(newest, 0).label("revision"),
    ).join(cluster, cluster.c.id == release.c.cluster_id)


def _revisions() -> Select[*tuple[Any, ...]]:
    return (
        select(
            cluster.c.name.label("cluster"),
            release.c.name.label("release"),
            revision.c.number,
            revision.c.created_at,
            revision.c.actor,
            revision.c.action,
            revision.c.status,
            revision.c.plan_id,
            revision.c.manifests,
            revision.c.note,
        )
        .join(release, release.c.id == revision.c.release_id)
        .join(cluster, cluster.c.id == release.c.cluster_id)
    )


def _to_release(row: Mapping[str, Any] | RowMapping) -> Release:
    return Release(**row)


def _to_revision(row: Mapping[str, Any] | RowMapping) -> Revision:
    return _revision(row["cluster"], row["release"], row)


def _revision(cluster_name: str, name: str, row: Mapping[str, Any] | RowMapping) -> Revision:
    return Revision(
        cluster=cluster_name,
        release=name,
        number=row["number"],
        created_at=row["created_at"],
        actor=row["actor"],
        action=row["action"],
        status=RevisionStatus(row["status"]),
        plan_id=row["plan_id"],
        manifests=tuple(row["manifests"]),
        note=row["note"],
    )
