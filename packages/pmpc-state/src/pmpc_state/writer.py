"""Writing the state."""

from __future__ import annotations

from pmpc_state.canonical import SecretKey
from pmpc_state.database.transactions import Writing
from pmpc_state.reader import StateReader
from pmpc_state.repositories import snapshots
from pmpc_state.repositories.audit import AuditWriter
from pmpc_state.repositories.clock import Clock
from pmpc_state.repositories.clusters import ClusterWriter
from pmpc_state.repositories.controls import ControlWriter
from pmpc_state.repositories.journal import JournalWriter
from pmpc_state.repositories.leases import LeaseWriter
from pmpc_state.repositories.observed import ObservedWriter
from pmpc_state.repositories.ownership import OwnershipWriter
from pmpc_state.repositories.plans import PlanWriter
from pmpc_state.repositories.releases import ReleaseWriter
from pmpc_state.repositories.samples import SampleWriter
from pmpc_state.values import Snapshot


class StateWriter(StateReader):
    """Writes everything, and reads it too."""

    def __init__(self, access: Writing, clock: Clock, key: SecretKey) -> None:
        super().__init__(access)
        self._writes = access
        self._clock = clock
        self._key = key

    @property
    def clusters(self) -> ClusterWriter:
        """The clusters."""
        return ClusterWriter(self._writes, self._clock)

    @property
    def releases(self) -> ReleaseWriter:
        """Releases and revisions."""
        return ReleaseWriter(self._writes, self._clock)

    @property
    def ownership(self) -> OwnershipWriter:
        """Managed objects and the fields they own."""
        return OwnershipWriter(self._writes, self._clock, self._key)

    @property
    def plans(self) -> PlanWriter:
        """Saved plans."""
        return PlanWriter(self._writes, self._clock)

    @property
    def journal(self) -> JournalWriter:
        """Runs and their steps."""
        return JournalWriter(self._writes, self._clock)

    @property
    def controls(self) -> ControlWriter:
        """What the reconcile loop was told and what it found."""
        return ControlWriter(self._writes, self._clock)

    @property
    def leases(self) -> LeaseWriter:
        """Who may work on what."""
        return LeaseWriter(self._writes, self._clock)

    @property
    def samples(self) -> SampleWriter:
        """Metrics."""
        return SampleWriter(self._writes, self._clock)

    @property
    def audit(self) -> AuditWriter:
        """Who did what."""
        return AuditWriter(self._writes, self._clock, self._key)

    @property
    def observed(self) -> ObservedWriter:
        """What sync writes."""
        return ObservedWriter(self._writes, self._clock, self._key)

    def snapshot(self, cluster: str, name: str, *, pinned: bool = False) -> Snapshot:
        """Name the present moment of a cluster.

        Raises:
            NotRecorded: The cluster is not recorded.
            AlreadyRecorded: A snapshot has that name.
        """
        with self._writes.writing() as connection:
            return snapshots.take_snapshot(
                connection, cluster, name, pinned=pinned, clock=self._clock
            )

    def pin(self, cluster: str, name: str, *, pinned: bool = True) -> Snapshot:
        """Keep what a snapshot shows from retention, or stop doing so.

        Raises:
            NotRecorded: The cluster or the snapshot is not there.
        """
        with self._writes.writing() as connection:
            return snapshots.pin_snapshot(connection, cluster, name, pinned=pinned)
