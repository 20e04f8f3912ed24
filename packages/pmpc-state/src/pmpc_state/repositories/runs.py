"""Runs of sync and how their sections went."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs
from sqlalchemy import Connection, func, select

from pmpc_state.repositories.clusters import cluster_id, latest_moment
from pmpc_state.schema import sync_run, sync_section
from pmpc_state.schema.types import MICROSECOND
from pmpc_state.values import SyncRun
from pmpc_state.values.report import Figures


def runs(connection: Connection, cluster_name: str, limit: int) -> tuple[SyncRun, ...]:
    """Return the newest runs first.

    Raises:
        NotRecorded: The cluster is not recorded.
    """
    owner = cluster_id(connection, cluster_name)
    newest = connection.execute(
        select(sync_run)
        .where(sync_run.c.cluster_id == owner)
        .order_by(sync_run.c.id.desc())
        .limit(limit)
    ).all()
    sections: dict[int, dict[str, str]] = {row.id: {} for row in newest}
    query = select(sync_section.c.run_id, sync_section.c.section, sync_section.c.status)
    for run_id, section, status in connection.execute(
        query.where(sync_section.c.run_id.in_(sections)).order_by(sync_section.c.finished_at)
    ):
        sections[run_id][section] = status
    return tuple(
        SyncRun(
            id=row.id,
            cluster=cluster_name,
            started_at=row.started_at,
            finished_at=row.finished_at,
            status=row.status,
            sections=sections[row.id],
            mode=row.mode,
            figures=row.figures or {},
        )
        for row in newest
    )


def last_finished(connection: Connection, owner: int) -> datetime | None:
    """Return when the last sync began that saw the tasks; None before the first."""
    return connection.execute(
        select(func.max(sync_run.c.started_at)).where(
            sync_run.c.cluster_id == owner, sync_run.c.status.in_(("ok", "partial"))
        )
    ).scalar()


def begin_run(connection: Connection, owner: int, token: int, moment: datetime, mode: str) -> int:
    """Open a run; one that a crash left open is closed as failed."""
    connection.execute(
        sync_run.update()
        .where(sync_run.c.cluster_id == owner, sync_run.c.status == "running")
        .values(status="failed", finished_at=moment)
    )
    return connection.execute(
        sync_run.insert()
        .values(cluster_id=owner, started_at=moment, status="running", token=token, mode=mode)
        .returning(sync_run.c.id)
    ).scalar_one()


def finish_section(
    connection: Connection,
    run_id: int,
    section: str,
    *,
    status: str,
    moment: datetime,
    counts: Mapping[str, int],
    failures: list[dict[str, Any]],
) -> None:
    """Record how a section went, in the transaction that wrote what it found."""
    connection.execute(
        sync_section.insert().values(
            run_id=run_id,
            section=section,
            status=status,
            finished_at=moment,
            counts=dict(counts),
            failures=failures,
        )
    )


def date_run(connection: Connection, run_id: int, moment: datetime) -> None:
    """Note the moment the sections of a run are recorded under."""
    connection.execute(sync_run.update().where(sync_run.c.id == run_id).values(seen_at=moment))


def finish_run(
    connection: Connection, run_id: int, status: str, moment: datetime, figures: Figures | None
) -> None:
    """Close a run."""
    cost = None if figures is None else attrs.asdict(figures)
    connection.execute(
        sync_run.update()
        .where(sync_run.c.id == run_id)
        .values(status=status, finished_at=moment, figures=cost)
    )


def whole_moment(connection: Connection, owner: int) -> datetime:
    """Return the last moment of which every section is written, also while a sync writes."""
    query = (
        select(sync_run.c.seen_at, sync_run.c.status)
        .where(sync_run.c.cluster_id == owner, sync_run.c.seen_at.is_not(None))
        .order_by(sync_run.c.id.desc())
        .limit(1)
    )
    newest = connection.execute(query).first()
    if newest is None or newest.seen_at is None or newest.status in ("ok", "partial"):
        return latest_moment(connection, owner)
    moment: datetime = newest.seen_at
    return moment - MICROSECOND
