"""Runs of sync and how their sections went."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import attrs
from sqlalchemy import Connection, ScalarSelect, and_, func, literal, select

from pmpc_state.filters import table_of
from pmpc_state.repositories.clusters import cluster_id
from pmpc_state.repositories.paging import Listing
from pmpc_state.schema import cluster, sync_run, sync_section
from pmpc_state.schema.types import MICROSECOND
from pmpc_state.values import Choice, Page, SyncRun
from pmpc_state.values.report import Figures

SYNCS: Final = table_of(SyncRun, "syncs", ("status", "mode"))


def runs(
    connection: Connection, cluster_name: str, limit: int | None, choice: Choice
) -> Page[SyncRun]:
    """Return the newest runs first.

    Raises:
        FilterInvalid: The filter, the order or the marker is not well formed.
        NotRecorded: The cluster is not recorded.
    """
    owner = cluster_id(connection, cluster_name)
    query = select(
        sync_run.c.id,
        literal(cluster_name).label("cluster"),
        sync_run.c.started_at,
        sync_run.c.finished_at,
        sync_run.c.status,
        sync_run.c.mode,
        sync_run.c.figures,
    ).where(sync_run.c.cluster_id == owner)
    listing = Listing(SYNCS, query, ("-id",), _to_run)
    page = listing.page(connection, limit, choice)
    sections: dict[int, dict[str, str]] = {one.id: {} for one in page}
    for run_id, section, status in connection.execute(
        select(sync_section.c.run_id, sync_section.c.section, sync_section.c.status)
        .where(sync_section.c.run_id.in_(sections))
        .order_by(sync_section.c.finished_at)
    ):
        sections[run_id][section] = status
    whole = (attrs.evolve(one, sections=sections[one.id]) for one in page)
    return Page(whole, page.total, page.offset, page.next)


def _to_run(row: Mapping[str, Any]) -> SyncRun:
    columns: dict[str, Any] = {**row, "figures": row["figures"] or {}, "sections": {}}
    return SyncRun(**columns)


def last_finished(connection: Connection, owner: int) -> datetime | None:
    """Return when the last sync began that saw the tasks; None before the first."""
    seen = and_(sync_run.c.cluster_id == owner, sync_run.c.status.in_(("ok", "partial")))
    # By number and not by time: our clock may have been set back in between.
    newest = select(sync_run.c.started_at).where(seen).order_by(sync_run.c.id.desc()).limit(1)
    return connection.execute(newest).scalar()


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
    query = select(cluster.c.latest_at, _first_unfinished(owner)).where(cluster.c.id == owner)
    latest, first = connection.execute(query).one()
    moment: datetime = latest if first is None else first - MICROSECOND
    return moment


def unfinished_since(connection: Connection, owner: int) -> datetime | None:
    """Return the last whole moment if sections of a later look are written, None if none are."""
    first = connection.execute(select(_first_unfinished(owner))).scalar_one()
    return None if first is None else first - MICROSECOND


def _first_unfinished(owner: int) -> ScalarSelect[datetime | None]:
    """Select the moment of the first look after the last one that ended.

    A sync that was cut short leaves sections of two looks, and so does the one that repairs them
    until it ends.
    """
    ended = select(func.max(sync_run.c.id)).where(
        sync_run.c.cluster_id == owner, sync_run.c.status.in_(("ok", "partial"))
    )
    query = (
        select(sync_run.c.seen_at)
        .where(
            sync_run.c.cluster_id == owner,
            sync_run.c.id > func.coalesce(ended.scalar_subquery(), 0),
            sync_run.c.seen_at.is_not(None),
        )
        .order_by(sync_run.c.id)
        .limit(1)
    )
    return query.scalar_subquery()
