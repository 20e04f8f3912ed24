"""One sync: look, then write section by section under a lease."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager, suppress
from time import perf_counter
from typing import TYPE_CHECKING, Final

import attrs

from pmpc_state.discovery import COLLECTIONS, Collection, Memory, discover
from pmpc_state.discovery.clocks import ClockWatch
from pmpc_state.discovery.leaving_out import VOLUMES, left_out, sync_problem
from pmpc_state.errors import LeaseLost, StateUnreachable
from pmpc_state.freshness import Sweep
from pmpc_state.metrics import listed_samples
from pmpc_state.repositories.clock import Clock
from pmpc_state.repositories.holders import this_process
from pmpc_state.state import State
from pmpc_state.values import Lease
from pmpc_state.values.inventory import Inventory
from pmpc_state.values.report import (
    EventSink,
    Figures,
    SectionReport,
    SectionWritten,
    SyncFinished,
    SyncMode,
    SyncReport,
    SyncStarted,
    ignore,
)
from pmpc_state.values.samples import SampleRetention
from pmpc_state.writer import StateWriter
from proxmox_client.observing import Traffic

if TYPE_CHECKING:
    from pmpc_state.repositories.observed import Run
    from proxmox_client import AsyncClient

_LOG: Final = logging.getLogger("pmpc_state.sync")
LEASE_SECONDS: Final = 30.0
CONCURRENCY: Final = 16


@attrs.frozen
class _Order:
    """What was asked for."""

    client: AsyncClient
    cluster: str
    mode: SyncMode
    sweep: Sweep
    collections: tuple[Collection, ...]
    without: frozenset[str]
    on_event: EventSink
    concurrency: int
    rate: float | None
    metrics: bool


async def sync(
    state: State,
    client: AsyncClient,
    cluster: str,
    *,
    mode: SyncMode = SyncMode.FULL,
    sweep: Sweep = Sweep(),  # noqa: B008  # a frozen value
    on_event: EventSink = ignore,
    concurrency: int = CONCURRENCY,
    rate: float | None = None,
    collections: Iterable[Collection] = COLLECTIONS,
    without: Iterable[str] = (),
    metrics: bool = False,
) -> SyncReport:
    """Look at a cluster and record what changed since the last look.

    What could not be read (a node that is down, a permission that is missing) is in the report's
    failures; the objects it hides become unknown and stay recorded. Every section is written in
    one transaction, so a crash leaves whole sections of the old or the new look.

    A full sync reads everything. An incremental one reads what the cluster's lists and tasks say
    may have changed, and sweeps through the rest, so that everything is read again within the
    time the sweep gives; edits that leave no trace are found by then. The first sync is full.

    Args:
        state: Where to record.
        client: How to reach the cluster; a read-only token suffices.
        cluster: The name to record under.
        mode: Whether to read everything.
        sweep: How fresh an incremental sync keeps everything.
        on_event: Hears of progress.
        concurrency: How many requests may be on their way at once.
        rate: How many may be made in a second, evenly spread; None for no bound.
        collections: What PVE lists settings at.
        without: Sections to leave out, by name or shell pattern: any of `SETTINGS`, or `content`
            for volumes. What is recorded of them stays as it is.
        metrics: Whether to keep samples of the use the lists tell.

    Raises:
        ValueError: There is no such section to leave out, or so few requests are allowed that
            none is.
        LeaseHeld: Another sync of this cluster runs.
        LeaseLost: Another sync took over; nothing was written after that.
        StateUnreachable: The database went away, is locked, full or read-only; the sections
            written before are whole, and the next sync goes on from them.
        proxmox_client.PveError: The cluster could not be reached at all, or refused the token.
    """
    writer = state.writer()
    everything = tuple(collections)
    wanted = tuple(without)
    problem = sync_problem(wanted, concurrency, rate, collections=everything)
    if problem is not None:
        raise ValueError(problem)
    out = left_out(everything, wanted)
    kept = tuple(one for one in everything if one.kind not in out)
    order = _Order(client, cluster, mode, sweep, kept, out, on_event, concurrency, rate, metrics)
    held = await asyncio.to_thread(
        lambda: writer.leases.acquire(
            f"sync/{cluster}",
            holder=this_process(),
            seconds=LEASE_SECONDS,
            given_up=state.given_up(f"sync/{cluster}"),
        )
    )
    try:
        async with _kept(writer, held):
            return await _sync(writer, state.clock, order, held)
    finally:
        # A database that is gone is told by what was cut short.
        await asyncio.to_thread(state.give_up, held)


async def _sync(writer: StateWriter, clock: Clock, order: _Order, held: Lease) -> SyncReport:
    order.on_event(SyncStarted(order.cluster))
    began = perf_counter()
    run = await asyncio.to_thread(writer.observed.begin, order.cluster, held, order.mode)
    try:
        watch = ClockWatch(clock)
        with order.client.observing(Traffic()) as traffic, order.client.observing(watch):
            inventory = await _look(writer, order, run)
        run = await asyncio.to_thread(writer.observed.date, run, watch.ahead)
        looked = perf_counter()
        sections = await _write(writer, run, inventory, order.on_event)
        if order.metrics:
            await asyncio.to_thread(_sample, writer, run, inventory)
    except BaseException:
        with suppress(LeaseLost, StateUnreachable):
            writer.observed.finish(run, "failed")
        raise
    figures = Figures(
        requests=inventory.requests,
        received=traffic.received,
        reading=round(looked - began, 3),
        writing=round(perf_counter() - looked, 3),
        ahead=round(watch.ahead, 3),
    )
    draft = SyncReport(order.cluster, run.started_at, run.started_at, sections, order.mode, figures)
    finished = await asyncio.to_thread(writer.observed.finish, run, draft.status, figures)
    fresh = await asyncio.to_thread(writer.freshness, order.cluster)
    report = attrs.evolve(draft, finished_at=finished, freshness=fresh)
    order.on_event(SyncFinished(report))
    _LOG.info("sync finished", extra={"sync": _figures(report)})
    return report


def _figures(report: SyncReport) -> dict[str, object]:
    """Return what a log should hold of a sync, as plain values."""
    return {
        "cluster": report.cluster,
        "mode": report.mode.value,
        "status": report.status,
        "oldest": None if report.oldest is None else report.oldest.isoformat(),
        **{name: getattr(report, name) for name in ("created", "changed", "vanished", "unknown")},
        **attrs.asdict(report.figures),
        "sections": {section.name: section.status for section in report.sections},
        "costs": {
            section.name: (section.requests, section.received, section.seconds)
            for section in report.sections
            if section.requests
        },
        "staleness": {
            one.kind: None
            if one.oldest is None
            else round((report.finished_at - one.oldest).total_seconds(), 3)
            for one in report.freshness
        },
        "failures": [f"{one.section}, {one.scope}: {one.message}" for one in report.failures],
    }


async def _look(writer: StateWriter, order: _Order, run: Run) -> Inventory:
    recorded = await asyncio.to_thread(writer.observed.recorded, order.cluster)
    memory = None
    if order.mode is SyncMode.INCREMENTAL and run.looked_before is not None:
        memory = Memory(recorded, run.read, run.looked_before)
    return await discover(
        order.client,
        order.cluster,
        started_at=run.started_at,
        recorded=recorded,
        past=run.past,
        memory=memory,
        sweep=order.sweep,
        on_event=order.on_event,
        concurrency=order.concurrency,
        rate=order.rate,
        collections=order.collections,
        volumes=VOLUMES not in order.without,
    )


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


def _sample(writer: StateWriter, run: Run, inventory: Inventory) -> None:
    samples = listed_samples(inventory.sections, run.started_at)
    writer.samples.record(run.cluster, samples)
    writer.samples.expire(SampleRetention())


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
