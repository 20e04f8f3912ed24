"""Loading what is needed to say who made the changes of one section."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta

import attrs
from sqlalchemy import Connection, select

from pmpc_state.attribution import (
    NOBODY,
    Credit,
    credit_change,
    credit_creation,
    credit_edit,
    credit_removal,
)
from pmpc_state.diff import Delta, Recorded, Seen, compare_documents
from pmpc_state.repositories.loglines import lines_since
from pmpc_state.repositories.remembering import clock_differences
from pmpc_state.schema import blob, observation, task, volatile
from pmpc_state.values import LogLine, TaskRecord

GUESTS = ("qemu", "lxc")
_TICK = timedelta(seconds=1)


@attrs.frozen
class Credits:
    """Answers who made a change, from the tasks of the guests that changed.

    Attributes:
        tasks: Tasks that may have had a part.
        looked_before: When the last sync began, by the cluster's clock as tasks and lines are.
        seen: When each changed resource was last read, by the same clock.
        credited: Tasks that made earlier changes, by resource.
        bodies: Configurations before the change, by observation.
        lines: Lines of the cluster's log that tell of edits.
    """

    tasks: tuple[TaskRecord, ...]
    looked_before: datetime | None
    seen: Mapping[int, datetime | None]
    credited: Mapping[int, frozenset[str]]
    bodies: Mapping[int, str]
    lines: tuple[LogLine, ...] = ()

    @classmethod
    def load(
        cls, connection: Connection, owner: int, delta: Delta, looked_before: datetime | None
    ) -> Credits:
        """Load what the changes of a section need."""
        touched = [known for known, _ in delta.changed if known.kind in GUESTS]
        gone = [known for known in delta.vanished if known.kind in GUESTS]
        appeared = [seen for seen in delta.appeared if seen.item.kind in GUESTS]
        if not (touched or gone or appeared):
            return cls((), looked_before, {}, {}, {})
        numbers = [known.resource_id for known in (*touched, *gone)]
        seen = _seen(connection, numbers)
        ahead = clock_differences(connection, owner, (looked_before, *seen.values()))
        seen = {number: _told(moment, ahead) for number, moment in seen.items()}
        looked_before = _told(looked_before, ahead)
        moments = [looked_before, *seen.values()]
        since = min((moment for moment in moments if moment is not None), default=None)
        floor = None if since is None else since - _TICK
        return cls(
            tasks=_tasks(connection, owner, since),
            lines=lines_since(connection, owner, floor, "update ") if touched else (),
            looked_before=looked_before,
            seen=seen,
            credited=_credited(connection, numbers),
            bodies=_bodies(connection, [known.observation_id for known in touched]),
        )

    def creation(self, seen: Seen) -> Credit:
        """Say who created what appeared."""
        if seen.item.kind not in GUESTS:
            return NOBODY
        return credit_creation(seen.item.kind, seen.item.key, self.tasks, self.looked_before)

    def change(self, known: Recorded, seen: Seen) -> Credit:
        """Say who changed what is recorded."""
        if known.kind not in GUESTS or known.observation_id is None or seen.text is None:
            return NOBODY
        before = json.loads(self.bodies[known.observation_id])
        paths = [field.path for field in compare_documents(before, json.loads(seen.text))]
        seen_before = self.seen.get(known.resource_id)
        by_task = credit_change(
            known.key,
            paths,
            self.tasks,
            seen_before=seen_before,
            credited=self.credited.get(known.resource_id, frozenset()),
        )
        if by_task != NOBODY:
            return by_task
        return credit_edit(known.kind, known.key, paths, self.lines, seen_before=seen_before)

    def removal(self, known: Recorded) -> Credit:
        """Say who removed what vanished."""
        if known.kind not in GUESTS:
            return NOBODY
        return credit_removal(known.key, self.tasks, self.seen.get(known.resource_id))


def _told(moment: datetime | None, ahead: Mapping[datetime, timedelta]) -> datetime | None:
    """Return what the cluster's clock said at a moment of ours."""
    return None if moment is None else moment + ahead[moment]


def _tasks(connection: Connection, owner: int, since: datetime | None) -> tuple[TaskRecord, ...]:
    """Return the tasks that ran at a moment or later: only they can have had a part since."""
    query = select(
        task.c.upid,
        task.c.node,
        task.c.type,
        task.c.object_id,
        task.c.user,
        task.c.started_at,
        task.c.ended_at,
        task.c.status,
    ).where(task.c.cluster_id == owner)
    if since is not None:
        floor = since - _TICK
        query = query.where(task.c.ended_at.is_(None) | (task.c.ended_at >= floor))
    return tuple(TaskRecord("", *row) for row in connection.execute(query))


def _seen(connection: Connection, numbers: list[int]) -> dict[int, datetime | None]:
    query = select(volatile.c.resource_id, volatile.c.proven_at)
    rows = connection.execute(query.where(volatile.c.resource_id.in_(numbers)))
    return dict(rows.all())


def _credited(connection: Connection, numbers: list[int]) -> dict[int, frozenset[str]]:
    query = select(observation.c.resource_id, observation.c.task).where(
        observation.c.resource_id.in_(numbers), observation.c.task.is_not(None)
    )
    found: dict[int, set[str]] = {}
    for number, upid in connection.execute(query):
        found.setdefault(number, set()).add(upid or "")
    return {number: frozenset(upids) for number, upids in found.items()}


def _bodies(connection: Connection, numbers: list[int | None]) -> dict[int, str]:
    query = (
        select(observation.c.id, blob.c.body)
        .join(blob, blob.c.id == observation.c.blob_id)
        .where(observation.c.id.in_(numbers))
    )
    return dict(connection.execute(query).all())
