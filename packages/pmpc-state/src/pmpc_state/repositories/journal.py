"""The write-ahead journal: what a run was about to do, did, and knows the outcome of.

Every write is fenced: it is refused once another holder took over the run's lease.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Unpack

from sqlalchemy import Connection, Select, select

from pmpc_state.database.transactions import Reading, Writing
from pmpc_state.errors import AlreadyRecorded, NotRecorded, StaleStatus
from pmpc_state.filters import table_of
from pmpc_state.repositories.clock import Clock
from pmpc_state.repositories.clusters import ensure_cluster
from pmpc_state.repositories.leases import require_lease
from pmpc_state.repositories.paging import Listing
from pmpc_state.schema import cluster, journal_run, journal_step
from pmpc_state.values import (
    Choice,
    JournalRun,
    JournalStep,
    Lease,
    Page,
    RunStatus,
    StepPhase,
)

RUNS: Final = table_of(JournalRun, "runs", ("id", "release"))
STEPS: Final = table_of(JournalStep, "steps", ("step", "address"))
_BEFORE: Final[Mapping[StepPhase, frozenset[StepPhase]]] = {
    StepPhase.INTENT: frozenset({StepPhase.INTENT, StepPhase.FAILED}),
    StepPhase.CALLED: frozenset({StepPhase.INTENT}),
    StepPhase.UPID: frozenset({StepPhase.INTENT, StepPhase.CALLED}),
    StepPhase.DONE: frozenset({StepPhase.INTENT, StepPhase.CALLED, StepPhase.UPID}),
    StepPhase.FAILED: frozenset(
        {StepPhase.INTENT, StepPhase.CALLED, StepPhase.UPID, StepPhase.DONE}
    ),
    StepPhase.VERIFIED: frozenset({StepPhase.DONE}),
}


class JournalReader:
    """Reads runs and steps."""

    def __init__(self, access: Reading) -> None:
        self._access = access

    def run(self, run_id: str) -> JournalRun:
        """Return a run.

        Raises:
            NotRecorded: There is no such run.
        """
        with self._access.reading() as connection:
            return _run(connection, run_id)

    def runs(
        self,
        cluster_name: str,
        *,
        release: str | None = None,
        status: RunStatus | None = None,
        limit: int | None = 100,
        **choice: Unpack[Choice],
    ) -> Page[JournalRun]:
        """Return runs, newest first; `status=RunStatus.RUNNING` finds those a crash left open.

        Raises:
            FilterInvalid: The filter, the order or the marker is not well formed.
        """
        query = _runs().where(cluster.c.name == cluster_name)
        if release is not None:
            query = query.where(journal_run.c.release == release)
        if status is not None:
            query = query.where(journal_run.c.status == status.value)
        listing = Listing(RUNS, query, ("-started_at", "id"), _to_run)
        with self._access.reading() as connection:
            return listing.page(connection, limit, choice)

    def steps(
        self, run_id: str, *, limit: int | None = None, **choice: Unpack[Choice]
    ) -> Page[JournalStep]:
        """Return the steps of a run in the order they were begun.

        Raises:
            FilterInvalid: The filter, the order or the marker is not well formed.
        """
        query = select(journal_step).where(journal_step.c.run_id == run_id)
        listing = Listing(STEPS, query, ("position", "step"), _to_step)
        with self._access.reading() as connection:
            return listing.page(connection, limit, choice)


class JournalWriter(JournalReader):
    """Writes runs and steps ahead of what they describe."""

    def __init__(self, access: Writing, clock: Clock) -> None:
        super().__init__(access)
        self._writes = access
        self._clock = clock

    def begin(
        self,
        run_id: str,
        cluster_name: str,
        release: str,
        *,
        lease: Lease,
        actor: str,
        plan_id: str | None = None,
    ) -> JournalRun:
        """Open a run under a lease.

        Raises:
            LeaseLost: Somebody else took over the lease.
            AlreadyRecorded: A run has that id.
        """
        with self._writes.writing() as connection:
            require_lease(connection, lease.name, lease.token)
            known = select(journal_run.c.id).where(journal_run.c.id == run_id)
            if connection.execute(known).first() is not None:
                msg = f"cannot begin run {run_id}: a run has that id already"
                raise AlreadyRecorded(msg)
            connection.execute(
                journal_run.insert().values(
                    id=run_id,
                    cluster_id=ensure_cluster(connection, cluster_name, self._clock),
                    release=release,
                    plan_id=plan_id,
                    actor=actor,
                    lease=lease.name,
                    token=lease.token,
                    status=RunStatus.RUNNING.value,
                    started_at=self._clock(),
                )
            )
            return _run(connection, run_id)

    def resume(self, run_id: str, lease: Lease) -> JournalRun:
        """Continue a run that a crash left open, under a new lease.

        Raises:
            LeaseLost: Somebody else took over the new lease.
            StaleStatus: The run is finished.
        """
        with self._writes.writing() as connection:
            require_lease(connection, lease.name, lease.token)
            _open_run(connection, run_id)
            connection.execute(
                journal_run.update()
                .where(journal_run.c.id == run_id)
                .values(lease=lease.name, token=lease.token)
            )
            return _run(connection, run_id)

    def intend(
        self,
        run_id: str,
        step: str,
        *,
        position: int,
        address: str,
        intent: Mapping[str, Any],
    ) -> None:
        """Say what is about to be called; secrets must be references or fingerprints already.

        A step that failed, or that was never called, may be intended again.

        Raises:
            LeaseLost: Somebody else took over.
            StaleStatus: The step was called already, or the run is finished.
        """
        values = {
            "position": position,
            "address": address,
            "phase": StepPhase.INTENT.value,
            "intent": dict(intent),
            "upid": None,
            "result": None,
            "error": None,
            "intent_at": self._clock(),
            "called_at": None,
            "upid_at": None,
            "done_at": None,
            "failed_at": None,
            "verified_at": None,
        }
        with self._writes.writing() as connection:
            _fence(connection, run_id)
            phase = _phase(connection, run_id, step)
            if phase is None:
                connection.execute(journal_step.insert().values(run_id=run_id, step=step, **values))
                return
            _require_before(run_id, step, phase, StepPhase.INTENT)
            _update_step(connection, run_id, step, values)

    def called(self, run_id: str, step: str) -> None:
        """Say that the call may have left; from here on only its effect tells what happened.

        Raises:
            LeaseLost: Somebody else took over.
            StaleStatus: The step was not just intended.
        """
        self._advance(run_id, step, StepPhase.CALLED, {"called_at": self._clock()})

    def upid(self, run_id: str, step: str, upid: str) -> None:
        """Store the task the call started.

        Raises:
            LeaseLost: Somebody else took over.
            StaleStatus: The step is already past this.
        """
        self._advance(run_id, step, StepPhase.UPID, {"upid": upid, "upid_at": self._clock()})

    def done(self, run_id: str, step: str, result: Mapping[str, Any] | None = None) -> None:
        """Say that the call or its task ended well.

        Raises:
            LeaseLost: Somebody else took over.
            StaleStatus: The step has ended already.
        """
        entry = {"done_at": self._clock(), "result": None if result is None else dict(result)}
        self._advance(run_id, step, StepPhase.DONE, entry)

    def failed(self, run_id: str, step: str, error: str) -> None:
        """Say that the step failed, and why.

        Raises:
            LeaseLost: Somebody else took over.
            StaleStatus: The step is verified or has failed already.
        """
        self._advance(run_id, step, StepPhase.FAILED, {"failed_at": self._clock(), "error": error})

    def verified(self, run_id: str, step: str) -> None:
        """Say that the effect was read back and is as intended.

        Raises:
            LeaseLost: Somebody else took over.
            StaleStatus: The step is not done.
        """
        self._advance(run_id, step, StepPhase.VERIFIED, {"verified_at": self._clock()})

    def finish(self, run_id: str, status: RunStatus) -> None:
        """Close a run.

        Raises:
            LeaseLost: Somebody else took over.
            StaleStatus: The run is finished.
        """
        with self._writes.writing() as connection:
            _fence(connection, run_id)
            connection.execute(
                journal_run.update()
                .where(journal_run.c.id == run_id)
                .values(status=status.value, finished_at=self._clock())
            )

    def _advance(self, run_id: str, step: str, phase: StepPhase, values: Mapping[str, Any]) -> None:
        with self._writes.writing() as connection:
            _fence(connection, run_id)
            current = _phase(connection, run_id, step)
            if current is None:
                msg = f"cannot find step {step} of run {run_id}: it was never intended"
                raise NotRecorded(msg)
            _require_before(run_id, step, current, phase)
            _update_step(connection, run_id, step, {"phase": phase.value, **values})


def _fence(connection: Connection, run_id: str) -> None:
    run = _open_run(connection, run_id)
    require_lease(connection, run.lease, run.token)


def _open_run(connection: Connection, run_id: str) -> JournalRun:
    run = _run(connection, run_id)
    if run.status is not RunStatus.RUNNING:
        msg = f"cannot write to run {run_id}: it is {run.status.value}"
        raise StaleStatus(msg)
    return run


def _require_before(run_id: str, step: str, current: StepPhase, wanted: StepPhase) -> None:
    if current not in _BEFORE[wanted]:
        msg = f"cannot move step {step} of run {run_id} to {wanted.value}: it is {current.value}"
        raise StaleStatus(msg)


def _phase(connection: Connection, run_id: str, step: str) -> StepPhase | None:
    value = connection.execute(
        select(journal_step.c.phase).where(
            journal_step.c.run_id == run_id, journal_step.c.step == step
        )
    ).scalar()
    return None if value is None else StepPhase(value)


def _update_step(connection: Connection, run_id: str, step: str, values: Mapping[str, Any]) -> None:
    connection.execute(
        journal_step.update()
        .where(journal_step.c.run_id == run_id, journal_step.c.step == step)
        .values(**values)
    )


def _runs() -> Select[*tuple[Any, ...]]:
    return select(
        journal_run.c.id,
        cluster.c.name.label("cluster"),
        journal_run.c.release,
        journal_run.c.plan_id,
        journal_run.c.actor,
        journal_run.c.lease,
        journal_run.c.token,
        journal_run.c.status,
        journal_run.c.started_at,
        journal_run.c.finished_at,
    ).join(cluster, cluster.c.id == journal_run.c.cluster_id)


def _run(connection: Connection, run_id: str) -> JournalRun:
    found = connection.execute(_runs().where(journal_run.c.id == run_id))
    row = found.mappings().one_or_none()
    if row is None:
        msg = f"cannot find run {run_id} in the journal"
        raise NotRecorded(msg)
    return _to_run({**row})


def _to_run(row: Mapping[str, Any]) -> JournalRun:
    columns: dict[str, Any] = {**row, "status": RunStatus(row["status"])}
    return JournalRun(**columns)


def _to_step(row: Mapping[str, Any]) -> JournalStep:
    columns: dict[str, Any] = {**row, "phase": StepPhase(row["phase"])}
    return JournalStep(**columns)
