"""Writing what was seen: one section of a look becomes history rows only where it differs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TypedDict

import attrs
from sqlalchemy import Connection

from pmpc_state.canonical import SecretKey
from pmpc_state.database.transactions import Writing
from pmpc_state.diff import Delta, compare, store_form
from pmpc_state.logtext import without_secrets
from pmpc_state.repositories import intervals, readings, remembering, runs, volatiles
from pmpc_state.repositories.clock import Clock
from pmpc_state.repositories.clusters import cluster_id, ensure_cluster, next_moment, shared_moment
from pmpc_state.repositories.credits import Credits
from pmpc_state.repositories.leases import require_lease
from pmpc_state.repositories.loglines import record_lines
from pmpc_state.repositories.tasks import record_tasks
from pmpc_state.values import Lease
from pmpc_state.values.inventory import Cost, Known, Past, Section, TaskSection
from pmpc_state.values.report import Figures, SectionReport, SyncMode


@attrs.frozen
class Run:
    """A sync that may write: its rows' owner and the lease it writes under.

    Attributes:
        looked_before: When the last sync that saw the tasks began, None before the first.
        past: What is known of tasks and of the cluster's log, by the cluster's clock.
        read: Section and scope to when that list was last read as a whole.
        seen_at: The moment its sections are recorded under; None while the look goes on.
        ahead: Seconds by which the cluster's clock is ahead of ours.
    """

    id: int
    cluster: str
    lease: Lease
    started_at: datetime
    looked_before: datetime | None
    past: Past
    read: Mapping[tuple[str, str], datetime] = attrs.field(factory=dict[tuple[str, str], datetime])
    seen_at: datetime | None = None
    ahead: float = 0.0


class _Costs(TypedDict):
    requests: int
    received: int
    seconds: float


class ObservedWriter:
    """Writes what a sync saw, section by section, each in one transaction, under a lease."""

    def __init__(self, access: Writing, clock: Clock, key: SecretKey) -> None:
        self._writes = access
        self._clock = clock
        self._key = key

    def begin(self, cluster: str, lease: Lease, mode: SyncMode = SyncMode.FULL) -> Run:
        """Open a run, recording the cluster if it is new.

        Raises:
            LeaseLost: Somebody else took over the lease.
        """
        with self._writes.writing() as connection:
            require_lease(connection, lease.name, lease.token)
            owner = ensure_cluster(connection, cluster, self._clock)
            before = runs.last_finished(connection, owner)
            moment = self._clock()
            number = runs.begin_run(connection, owner, lease.token, moment, mode.value)
            past = remembering.past(connection, owner, before)
            read = readings.readings(connection, owner)
        return Run(number, cluster, lease, moment, before, past, read)

    def date(self, run: Run, ahead: float = 0.0) -> Run:
        """Say that the look is over: what it saw is recorded as of now.

        Args:
            run: The run.
            ahead: Seconds by which the cluster's clock is ahead of ours.

        Raises:
            LeaseLost: Somebody else took over the lease.
        """
        with self._writes.writing() as connection:
            require_lease(connection, run.lease.name, run.lease.token)
            owner = cluster_id(connection, run.cluster)
            moment = next_moment(connection, owner, self._clock())
            runs.date_run(connection, run.id, moment)
            remembering.note_clocks(connection, run.id, ahead)
        return attrs.evolve(run, seen_at=moment, ahead=ahead)

    def recorded(self, cluster: str) -> dict[str, dict[str, Known]]:
        """Return what is believed to be there, by kind and key."""
        with self._writes.reading() as connection:
            return intervals.knowledge(connection, cluster_id(connection, cluster))

    def write_tasks(self, run: Run, section: TaskSection) -> SectionReport:
        """Record tasks and the ends of tasks.

        Raises:
            LeaseLost: Somebody else took over the lease.
        """
        lines = [attrs.evolve(line, message=self._cleaned(line.message)) for line in section.lines]
        tasks = [
            one if one.status is None else attrs.evolve(one, status=self._cleaned(one.status))
            for one in section.tasks
        ]
        with self._writes.writing() as connection:
            require_lease(connection, run.lease.name, run.lease.token)
            owner = cluster_id(connection, run.cluster)
            new, ended = record_tasks(connection, owner, tasks)
            record_lines(connection, owner, lines)
            report = SectionReport(
                name="task",
                status=section.status,
                created=new,
                changed=ended,
                unchanged=len(section.tasks) - new - ended,
                failures=section.failures,
                **_cost(section.cost),
            )
            self._finish(connection, run, report)
        return report

    def write_section(self, run: Run, section: Section) -> SectionReport:
        """Record one section; writes no history where nothing changed.

        Raises:
            LeaseLost: Somebody else took over the lease.
        """
        if section.is_unread:
            report = SectionReport(section.name, section.status, kept=len(section.untouched))
            with self._writes.writing() as connection:
                require_lease(connection, run.lease.name, run.lease.token)
                self._finish(connection, run, report)
            return report
        seen = store_form(section.items, self._key)
        with self._writes.writing() as connection:
            require_lease(connection, run.lease.name, run.lease.token)
            owner = cluster_id(connection, run.cluster)
            delta = compare(intervals.recorded(connection, owner, section.name), seen, section)
            moment = shared_moment(connection, owner, run.seen_at or run.started_at, self._clock())
            if delta.appeared or delta.changed or delta.vanished:
                _write_history(connection, run, owner, delta, moment)
            for seen_again in (delta.changed, delta.unchanged, delta.listed):
                volatiles.overwrite(connection, seen_again, moment, run.started_at)
            volatiles.keep(connection, delta.kept, moment)
            volatiles.lose_sight(connection, delta.unseen)
            readings.record_readings(connection, owner, section.name, section.read, run.started_at)
            report = _report(section, delta)
            self._finish(connection, run, report)
        return report

    def finish(self, run: Run, status: str, figures: Figures | None = None) -> datetime:
        """Close a run and return when.

        Raises:
            LeaseLost: Somebody else took over the lease.
        """
        with self._writes.writing() as connection:
            require_lease(connection, run.lease.name, run.lease.token)
            moment = self._clock()
            cost = figures or Figures(ahead=run.ahead)
            runs.finish_run(connection, run.id, status, moment, cost)
        return moment

    def _cleaned(self, sentence: str) -> str:
        """Return what a server said with every secret in it replaced."""
        return without_secrets(sentence, self._key)

    def _finish(self, connection: Connection, run: Run, report: SectionReport) -> None:
        counts = attrs.asdict(report, filter=attrs.filters.exclude("name", "status", "failures"))
        runs.finish_section(
            connection,
            run.id,
            report.name,
            status=report.status,
            moment=self._clock(),
            counts=counts,
            failures=[
                {
                    "scope": failure.scope,
                    "cause": failure.cause.value,
                    "message": self._cleaned(failure.message),
                }
                for failure in report.failures
            ],
        )


def _write_history(
    connection: Connection, run: Run, owner: int, delta: Delta, moment: datetime
) -> None:
    credited_to = Credits.load(connection, owner, delta, run.looked_before)
    intervals.vanish(
        connection, [(known, credited_to.removal(known)) for known in delta.vanished], moment
    )
    intervals.close(connection, [known for known, _ in delta.changed], moment)
    intervals.identify(connection, delta.changed)
    blobs = intervals.store_blobs(
        connection, [*delta.appeared, *(seen for _, seen in delta.changed)]
    )
    placed = intervals.place(connection, owner, delta.appeared, moment)
    opened = [(known, seen, credited_to.change(known, seen)) for known, seen in delta.changed]
    opened += [(known, seen, credited_to.creation(seen)) for known, seen in placed if seen.hash]
    intervals.open_all(connection, opened, blobs, moment)
    volatiles.overwrite(connection, placed, moment, run.started_at)


def _report(section: Section, delta: Delta) -> SectionReport:
    readable = [seen for seen in delta.appeared if seen.hash is not None]
    unreadable = len(delta.appeared) - len(readable)
    return SectionReport(
        name=section.name,
        status=section.status,
        created=len(readable),
        changed=len(delta.changed),
        vanished=len(delta.vanished),
        unchanged=len(delta.unchanged),
        unknown=len(delta.listed) + len(delta.unseen) + unreadable,
        kept=len(delta.kept) + len(section.untouched),
        failures=section.failures,
        **_cost(section.cost),
    )


def _cost(cost: Cost) -> _Costs:
    return _Costs(requests=cost.requests, received=cost.received, seconds=round(cost.seconds, 3))
