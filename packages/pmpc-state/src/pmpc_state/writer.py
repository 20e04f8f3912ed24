"""Writing the state."""

from __future__ import annotations

from pmpc_state.canonical import SecretKey
from pmpc_state.database.transactions import Writing
from pmpc_state.reader import StateReader
from pmpc_state.repositories import snapshots
from pmpc_state.repositories.audit import AuditWriter
from pmpc_state.repositories.clock import Clock
from pmpc_state.repositories.clusters import ClusterWriter
from pmpc_state.repositories.journal import JournalWriter
from pmpc_state.repositories.leases import LeaseWriter
from pmpc_state.repositories.observed import ObservedWriter
from pmpc_state.repositories.ownership import OwnershipWriter
from pmpc_state.repositories.plans import PlanWriter
from pmpc_state.repositories.releases import ReleaseWriter
from pmpc_state.values import Snapshot


class StateWriter(StateReader):
    """Writes everything, and reads it too.

    Attributes:
        observed: What sync writes.
    """

    clusters: ClusterWriter
    releases: ReleaseWriter
    ownership: OwnershipWriter
    plans: PlanWriter
    journal: JournalWriter
    leases: LeaseWriter
    audit: AuditWriter

    def __init__(self, access: Writing, clock: Clock, key: SecretKey) -> None:
        super().__init__(access)
        self._writes = access
        self._clock = clock
        self.clusters = ClusterWriter(access, clock)
        self.releases = ReleaseWriter(access, clock)
        self.ownership = OwnershipWriter(access, clock, key)
        self.plans = PlanWriter(access, clock)
        self.journal = JournalWriter(access, clock)
        self.leases = LeaseWriter(access, clock)
        self.audit = AuditWriter(access, clock, key)
        self.observed = ObservedWriter(access, clock, key)

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
