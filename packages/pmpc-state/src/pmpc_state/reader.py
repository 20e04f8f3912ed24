"""Reading the state."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar, Unpack

from pmpc_state.database.transactions import Reading
from pmpc_state.errors import NotRecorded
from pmpc_state.filters import RESOURCES, Filter, parse_filter
from pmpc_state.readmodels import ReadModel
from pmpc_state.repositories import (
    events,
    history,
    readings,
    resources,
    runs,
    snapshots,
    tasks,
    told,
)
from pmpc_state.repositories.audit import AuditReader
from pmpc_state.repositories.clusters import ClusterReader, cluster_id
from pmpc_state.repositories.controls import ControlReader
from pmpc_state.repositories.journal import JournalReader
from pmpc_state.repositories.leases import LeaseReader
from pmpc_state.repositories.modelled import ModelReader
from pmpc_state.repositories.ownership import OwnershipReader
from pmpc_state.repositories.paging import Wish, cut
from pmpc_state.repositories.plans import PlanReader
from pmpc_state.repositories.releases import ReleaseReader
from pmpc_state.repositories.samples import SampleReader
from pmpc_state.repositories.wanted import Wanted
from pmpc_state.values import (
    Choice,
    LogEntry,
    Observation,
    Page,
    RecordedChange,
    Resource,
    ResourceChange,
    Snapshot,
    SyncRun,
    TaskRecord,
)
from pmpc_state.values.freshness import Freshness

ModelT = TypeVar("ModelT", bound=ReadModel)


class StateReader:
    """Reads everything: the observed state by its own methods, the rest by its repositories."""

    def __init__(self, access: Reading) -> None:
        self._access = access

    @property
    def clusters(self) -> ClusterReader:
        """The clusters."""
        return ClusterReader(self._access)

    @property
    def releases(self) -> ReleaseReader:
        """Releases and revisions."""
        return ReleaseReader(self._access)

    @property
    def ownership(self) -> OwnershipReader:
        """Managed objects and the fields they own."""
        return OwnershipReader(self._access)

    @property
    def plans(self) -> PlanReader:
        """Saved plans."""
        return PlanReader(self._access)

    @property
    def controls(self) -> ControlReader:
        """What the reconcile loop was told and what it found."""
        return ControlReader(self._access)

    @property
    def journal(self) -> JournalReader:
        """Runs and their steps."""
        return JournalReader(self._access)

    @property
    def leases(self) -> LeaseReader:
        """Who may work on what."""
        return LeaseReader(self._access)

    @property
    def samples(self) -> SampleReader:
        """Metrics."""
        return SampleReader(self._access)

    @property
    def audit(self) -> AuditReader:
        """Who did what."""
        return AuditReader(self._access)

    def of(self, model: type[ModelT]) -> ModelReader[ModelT]:
        """Return what reads the resources of a kind as typed values.

        `reader.of(VirtualMachine).list("lab", where="cores>4 and tags has prod")`
        """
        return ModelReader(self._access, model)

    def resources(self, cluster: str, kind: str | None = None) -> tuple[Resource, ...]:
        """Return what is there, by kind and key: as of the last sync that ended, if one writes now.

        Raises:
            NotRecorded: The cluster is not recorded.
        """
        with self._access.reading() as connection:
            return resources.present(connection, cluster, kind)

    def resource(self, cluster: str, kind: str, key: str) -> Resource:
        """Return what has a kind and key now: `resource("lab", "qemu", "100")`.

        Raises:
            NotRecorded: The cluster or the resource is not there.
        """
        with self._access.reading() as connection:
            found = resources.one(connection, cluster, kind, key)
        if found is None:
            msg = f"cannot find {kind}/{key} in cluster {cluster}; `pmpc sync` looks again"
            raise NotRecorded(msg)
        return found

    def find(
        self,
        cluster: str,
        wanted: str | Filter = "",
        *,
        sort: str | Sequence[str] = (),
        limit: int | None = None,
        offset: int = 0,
        after: str | None = None,
        at: datetime | None = None,
    ) -> Page[Resource]:
        """Return what a filter matches, sorted, a page at a time.

        Args:
            cluster: Where to look.
            wanted: `kind=qemu and node=pve1 and tags has prod and maxmem>8G`, or a name, a key or
                an address (`web`, `100`, `qemu/100`); blank for everything. See
                `pmpc_state.filters`.
            sort: Field names, `-` before one for descending; by kind and key where they are equal.
            limit: How many at most.
            offset: How many to leave out before.
            after: Go on where a page ended: its `next`.
            at: Look at the cluster as of a moment; node, status and usage are those of now.

        Raises:
            FilterInvalid: The filter, the order or the marker is not well formed; says where.
            NotRecorded: The cluster is not recorded.
            ValueError: The limit or the offset is negative.
        """
        choice = Choice(where=wanted, sort=sort, offset=offset, after=after)
        wish = Wish.of(RESOURCES, limit, choice)
        with self._access.reading() as connection:
            return resources.found(connection, cluster, wish, at)

    def gone(
        self, cluster: str, wanted: str | Filter = "", *, limit: int = 20
    ) -> tuple[Resource, ...]:
        """Return what a filter matches of what is not there any more, the last that went first.

        Args:
            cluster: Where to look.
            wanted: As for `find`; each is looked at as it last was.
            limit: How many at most.

        Raises:
            FilterInvalid: The filter is not well formed; says where.
            NotRecorded: The cluster is not recorded.
        """
        condition = parse_filter(wanted) if isinstance(wanted, str) else wanted
        with self._access.reading() as connection:
            return resources.gone(connection, cluster, condition, limit)

    def by_uid(self, uid: str) -> Resource | None:
        """Return a resource as it last was, also after it vanished; None if it is unknown."""
        with self._access.reading() as connection:
            return resources.by_uid(connection, uid)

    def at(self, cluster: str, moment: datetime, kind: str | None = None) -> tuple[Resource, ...]:
        """Return the cluster as of a moment.

        Raises:
            NotRecorded: The cluster is not recorded.
        """
        with self._access.reading() as connection:
            return resources.past(connection, cluster, moment, kind)

    def diff(
        self,
        cluster: str,
        since: datetime,
        until: datetime | None = None,
        kind: str | None = None,
        *,
        key: str | None = None,
        path: str | None = None,
        actor: str | None = None,
        limit: int | None = None,
        after: str | None = None,
    ) -> Page[ResourceChange]:
        """Return how one moment differs from another, or from now; one entry for each resource.

        Args:
            cluster: The cluster.
            since: The first moment.
            until: The second; now by default.
            kind: Only this kind.
            key: Only of the resource of this key.
            path: Only in this field or below it; `net*` is a pattern.
            actor: Only if the last change was made by this user; see `changes`.
            limit: How many at most; all if left out.
            after: Go on where a page ended: its `next`.

        Raises:
            FilterInvalid: The marker is of another list.
            NotRecorded: The cluster is not recorded.
            ValueError: `since` is later than `until`.
        """
        with self._access.reading() as connection:
            whole = runs.whole_moment(connection, cluster_id(connection, cluster))
            end = max(whole, since) if until is None else until
            wanted = Wanted(kind, key, path, actor)
            found = history.changes(connection, cluster, since, end, wanted)
        return cut(found, [history.place_of(one) for one in found], limit, after)

    def changes(
        self,
        cluster: str,
        since: datetime,
        until: datetime | None = None,
        *,
        kind: str | None = None,
        key: str | None = None,
        path: str | None = None,
        actor: str | None = None,
        limit: int | None = None,
        **choice: Unpack[Choice],
    ) -> Page[RecordedChange]:
        """Return every change after a moment by itself, oldest first.

        Args:
            cluster: The cluster.
            since: After this moment.
            until: Up to this one; now by default.
            kind: Only of this kind.
            key: Only of the resource of this key.
            path: Only in this field or below it: `memory`, `pending.cores`; `net*` is a pattern.
            actor: Only by this user: `alice@pve`, with all tokens of theirs, `alice@pve!ci` for
                one token, a pattern, or `-` for those of which nobody is known.
            limit: How many at most; all if left out.
            choice: Filter, order and page.

        Raises:
            FilterInvalid: The filter, the order or the marker is not well formed.
            NotRecorded: The cluster is not recorded.
            ValueError: `since` is later than `until`.
        """
        with self._access.reading() as connection:
            whole = runs.whole_moment(connection, cluster_id(connection, cluster))
            end = max(whole, since) if until is None else until
            wanted = Wanted(kind, key, path, actor)
            return events.events(connection, cluster, since, end, wanted, limit, choice)

    def log(
        self,
        uid: str,
        *,
        everything: bool = False,
        limit: int | None = None,
        after: str | None = None,
    ) -> Page[LogEntry]:
        """Return what happened to a resource, oldest first; empty if it is unknown.

        Args:
            uid: The resource.
            everything: Also what PVE tells of a guest besides: its tasks, and the lines of the
                cluster's log about it.
            limit: How many at most; all if left out.
            after: Go on where a page ended: its `next`.

        Raises:
            FilterInvalid: The marker is of another list.
            ValueError: The limit is negative.
        """
        with self._access.reading() as connection:
            found = told.whole_log(connection, uid) if everything else history.log(connection, uid)
        return cut(found, told.places_of(found), limit, after)

    def observations(
        self, uid: str, *, limit: int | None = None, **choice: Unpack[Choice]
    ) -> Page[Observation]:
        """Return every interval of a resource, oldest first; empty if it is unknown.

        Raises:
            FilterInvalid: The filter, the order or the marker is not well formed.
        """
        with self._access.reading() as connection:
            return history.observations(connection, uid, limit, choice)

    def snapshots(
        self, cluster: str, *, limit: int | None = None, **choice: Unpack[Choice]
    ) -> Page[Snapshot]:
        """Return the snapshots of a cluster, oldest first.

        Raises:
            FilterInvalid: The filter, the order or the marker is not well formed.
            NotRecorded: The cluster is not recorded.
        """
        with self._access.reading() as connection:
            return snapshots.snapshots(connection, cluster, limit, choice)

    def find_snapshot(self, cluster: str, name: str) -> Snapshot:
        """Return one snapshot.

        Raises:
            NotRecorded: The cluster or the snapshot is not there.
        """
        with self._access.reading() as connection:
            return snapshots.find_snapshot(connection, cluster, name)

    def tasks(
        self,
        cluster: str,
        *,
        since: datetime | None = None,
        object_id: str | None = None,
        limit: int | None = 100,
        **choice: Unpack[Choice],
    ) -> Page[TaskRecord]:
        """Return the tasks of a cluster or of one object (a vmid), newest first.

        Raises:
            FilterInvalid: The filter, the order or the marker is not well formed.
            NotRecorded: The cluster is not recorded.
        """
        with self._access.reading() as connection:
            return tasks.tasks(
                connection, cluster, choice, since=since, object_id=object_id, limit=limit
            )

    def freshness(self, cluster: str) -> tuple[Freshness, ...]:
        """Return how fresh each kind is: when its oldest configuration was last read.

        Raises:
            NotRecorded: The cluster is not recorded.
        """
        with self._access.reading() as connection:
            return readings.freshness(connection, cluster_id(connection, cluster))

    def whole_at(self, cluster: str) -> datetime:
        """Return the last moment of which every section is recorded.

        While a sync writes, some sections are those of its look and some of the one before; as of
        this moment all are of one look: `at(cluster, whole_at(cluster))`.

        Raises:
            NotRecorded: The cluster is not recorded.
        """
        with self._access.reading() as connection:
            return runs.whole_moment(connection, cluster_id(connection, cluster))

    def runs(
        self, cluster: str, *, limit: int | None = 20, **choice: Unpack[Choice]
    ) -> Page[SyncRun]:
        """Return the runs of sync, newest first.

        Raises:
            FilterInvalid: The filter, the order or the marker is not well formed.
            NotRecorded: The cluster is not recorded.
        """
        with self._access.reading() as connection:
            return runs.runs(connection, cluster, limit, choice)
