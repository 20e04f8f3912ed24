"""What a sync has to remember of those before it: what it heard, and how the clocks differed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, select

from pmpc_state.repositories.tasks import running_tasks
from pmpc_state.schema import log_line, sync_run, task
from pmpc_state.values.inventory import Past, Remembered

_TASKS: Final = 2000
"""Tasks that are told from news by their names; older ones by their time."""
_LINES: Final = 1000
"""The cluster's log holds little more."""


def past(connection: Connection, owner: int, before: datetime | None) -> Past:
    """Return what is known of tasks and log, with our moments told by the cluster's clock.

    Args:
        connection: The transaction.
        owner: The cluster.
        before: When the last look began, by our clock; None before the first.
    """
    if before is None:
        return Past()
    before += clock_differences(connection, owner, (before,))[before]
    running = running_tasks(connection, owner)
    return Past(
        since=min((before, *(started for _, _, started in running))),
        before=before,
        running={upid: node for upid, node, _ in running},
        ended=_ended_tasks(connection, owner),
        lines=_last_lines(connection, owner),
    )


def note_clocks(connection: Connection, run_id: int, ahead: float) -> None:
    """Note how far the cluster's clock is ahead, before anything of a run is written."""
    noted = sync_run.update().where(sync_run.c.id == run_id)
    connection.execute(noted.values(figures={"ahead": ahead}))


def clock_differences(
    connection: Connection, owner: int, moments: Iterable[datetime | None]
) -> dict[datetime, timedelta]:
    """Return how far the cluster's clock was ahead in the runs that began at some moments."""
    wanted = {moment for moment in moments if moment is not None}
    query = select(sync_run.c.started_at, sync_run.c.figures).where(
        sync_run.c.cluster_id == owner, sync_run.c.started_at.in_(wanted)
    )
    found = dict.fromkeys(wanted, timedelta(0))
    for row in connection.execute(query):
        figures: Mapping[str, float] = row.figures or {}
        if "ahead" in figures:
            found[row.started_at] = timedelta(seconds=figures["ahead"])
    return found


def _ended_tasks(connection: Connection, owner: int) -> Remembered:
    query = (
        select(task.c.upid, task.c.started_at)
        .where(task.c.cluster_id == owner, task.c.ended_at.is_not(None))
        .order_by(task.c.started_at.desc())
        .limit(_TASKS)
    )
    rows = connection.execute(query).all()
    oldest = rows[-1].started_at if len(rows) == _TASKS else None
    return Remembered(frozenset((row.upid,) for row in rows), oldest)


def _last_lines(connection: Connection, owner: int) -> Remembered:
    query = (
        select(log_line.c.node, log_line.c.uid, log_line.c.at)
        .where(log_line.c.cluster_id == owner)
        .order_by(log_line.c.at.desc())
        .limit(_LINES)
    )
    rows = connection.execute(query).all()
    oldest = rows[-1].at if len(rows) == _LINES else None
    return Remembered(frozenset((row.node, row.uid, row.at) for row in rows), oldest)
