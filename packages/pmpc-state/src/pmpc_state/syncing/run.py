"""One sync: look, then write section by section under a lease."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

from pmpc_state.discovery import Collection, discover
from pmpc_state.errors import LeaseLost, StateUnreachable
from pmpc_state.repositories.holders import this_process
from pmpc_state.state import State
from pmpc_state.values import Lease
from pmpc_state.values.inventory import Inventory
from pmpc_state.values.report import (
    EventSink,
    SectionReport,
    SectionWritten,
    SyncFinished,
    SyncReport,
    SyncStarted,
    ignore,
)
from pmpc_state.writer import StateWriter

if TYPE_CHECKING:
    from pmpc_state.repositories.observed import Run
    from proxmox_client import AsyncClient

LEASE_SECONDS: Final = 60.0
CONCURRENCY: Final = 16


async def sync(
    state: State,
    client: AsyncClient,
    cluster: str,
    *,
    on_event: EventSink = ignore,
    concurrency: int = CONCURRENCY,
    collections: Iterable[Collection] = (),
) -> SyncReport:
    """Look at a cluster and record what changed since the last look.

    What could not be read (a node that is down, a permission that is missing) is in the report's
    failures; the objects it hides become unknown and stay recorded. Every section is written in
    one transaction, so a crash leaves whole sections of the old or the new look.

    Args:
        state: Where to record.
        client: How to reach the cluster; a read-only token suffices.
        cluster: The name to record under.
        on_event: Hears of progress.
        concurrency: How many requests may be on their way at once.
        collections: What else to record: `COLLECTIONS` for everything PVE has settings for.

    Raises:
        LeaseHeld: Another sync of this cluster runs.
        LeaseLost: Another sync took over; nothing was written after that.
        StateUnreachable: The database went away, is locked, full or read-only; the sections
            written before are whole, and the next sync goes on from them.
        proxmox_client.PveError: The cluster could not be reached at all, or refused the token.
    """
    writer = state.writer()
    held = await asyncio.to_thread(
        lambda: writer.leases.acquire(
            f"sync/{cluster}", holder=this_process(), seconds=LEASE_SECONDS
        )
    )
    try:
        async with _kept(writer, held):
            return await _sync(
                writer, client, cluster, held, on_event, concurrency, tuple(collections)
            )
    finally:
        # A database that is gone is told by what was cut short; the lease then ends by itself.
        with suppress(StateUnreachable):
            await asyncio.to_thread(writer.leases.release, held)


async def _sync(
    writer: StateWriter,
    client: AsyncClient,
    cluster: str,
    held: Lease,
    on_event: EventSink,
    concurrency: int,
    collections: tuple[Collection, ...],
) -> SyncReport:
    on_event(SyncStarted(cluster))
    run = await asyncio.to_thread(writer.observed.begin, cluster, held)
    try:
        inventory = await discover(
            client,
            cluster,
            started_at=run.started_at,
            recorded=await asyncio.to_thread(writer.observed.recorded, cluster),
            tasks_since=run.tasks_since,
            on_event=on_event,
            concurrency=concurrency,
            collections=collections,
        )
        run = await asyncio.to_thread(writer.observed.date, run)
        sections = await _write(writer, run, inventory, on_event)
    except BaseException:
        with suppress(LeaseLost, StateUnreachable):
            writer.observed.finish(run, "failed")
        raise
    draft = SyncReport(cluster, run.started_at, run.started_at, sections)
    finished = await asyncio.to_thread(writer.observed.finish, run, draft.status)
    report = SyncReport(cluster, run.started_at, finished, sections)
    on_event(SyncFinished(report))
    return report


async def _write(
    writer: StateWriter, run: Run, inventory: Inventory, on_event: EventSink
) -> tuple[SectionReport, ...]:
    reports: list[SectionReport] = []

    def wrote(report: SectionReport) -> None:
        reports.append(report)
        on_event(SectionWritten(report))

    # Tasks first: they tell who made the changes that the other sections show.
    wrote(await asyncio.to_thread(writer.observed.write_tasks, run, inventory.tasks))
    for section in inventory.sections:
        wrote(await asyncio.to_thread(writer.observed.write_section, run, section))
    return tuple(reports)


@asynccontextmanager
async def _kept(writer: StateWriter, held: Lease) -> AsyncGenerator[None, None]:
    """Renew a lease while the block runs."""

    async def renew() -> None:
        while True:
            await asyncio.sleep(LEASE_SECONDS / 3)
            # Whatever is wrong, the next write of the block says so.
            with suppress(LeaseLost, StateUnreachable):
                await asyncio.to_thread(lambda: writer.leases.renew(held, seconds=LEASE_SECONDS))

    keeper = asyncio.create_task(renew())
    try:
        yield
    finally:
        keeper.cancel()
        with suppress(asyncio.CancelledError):
            await keeper
