"""The sync behind the action: how much to read, and what to tell of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from pmpc_reconcile.errors import InputInvalid
from pmpc_reconcile.events import EventSink, SyncProgress
from pmpc_reconcile.moments import parse_duration, show_moment

if TYPE_CHECKING:
    from pmpc_reconcile.actions.sync import SyncInput, SyncOutput
    from pmpc_state import SectionFailure, State, SyncEvent, SyncReport
    from pmpc_state.syncing import Timeframe
    from proxmox_client import AsyncClient


async def observe(
    state: State, client: AsyncClient, cluster: str, wanted: SyncInput, on_event: EventSink
) -> SyncOutput:
    """Read the cluster and record what is new.

    Raises:
        InputInvalid: The time in which everything should be fresh, or the time frame, is none;
            there is no such section to leave out; or so few requests are allowed that none is.
    """
    from pmpc_state import GuestsRead, SectionRead, Sweep, SyncMode, measure, sync, sync_problem

    problem = sync_problem(wanted.without, wanted.concurrency, wanted.rate)
    if problem is not None:
        raise InputInvalid(problem)
    sweep = Sweep(parse_duration(wanted.within), wanted.most)
    timeframe = _timeframe(wanted.statistics)

    def hear(event: SyncEvent) -> None:
        if isinstance(event, GuestsRead):
            on_event(SyncProgress("guests", event.done, event.total))
        elif isinstance(event, SectionRead):
            on_event(SyncProgress(event.section, event.items, event.items))

    report = await sync(
        state,
        client,
        cluster,
        mode=SyncMode.INCREMENTAL if wanted.incremental else SyncMode.FULL,
        sweep=sweep,
        on_event=hear,
        concurrency=wanted.concurrency,
        rate=wanted.rate,
        without=wanted.without,
        metrics=wanted.metrics,
    )
    samples = 0
    if timeframe is not None:
        samples = await measure(
            state, client, cluster, timeframe=timeframe,
            concurrency=wanted.concurrency, rate=wanted.rate,
        )  # fmt: skip
    return attrs.evolve(_told(report), samples=samples)


def _timeframe(text: str | None) -> Timeframe | None:
    if text is None:
        return None
    frames: dict[str, Timeframe] = {
        "hour": "hour", "day": "day", "week": "week", "month": "month", "year": "year",
    }  # fmt: skip
    if text not in frames:
        raise InputInvalid(f"there is no time frame {text!r}; known are {', '.join(frames)}")
    return frames[text]


def _told(report: SyncReport) -> SyncOutput:
    from pmpc_reconcile.actions.sync import KindFreshness, SyncOutput

    return SyncOutput(
        cluster=report.cluster,
        created=report.created,
        changed=report.changed,
        vanished=report.vanished,
        unchanged=report.unchanged,
        unknown=report.unknown,
        problems=tuple(_sentence(failure) for failure in report.failures),
        mode=report.mode.value,
        kept=report.kept,
        notes=tuple(_sentence(failure) for failure in report.notes),
        requests=report.figures.requests,
        seconds=round(report.figures.reading + report.figures.writing, 3),
        oldest=None if report.oldest is None else show_moment(report.oldest),
        freshness=tuple(
            KindFreshness(
                kind=one.kind,
                objects=one.resources,
                unknown=one.unknown,
                oldest=None if one.oldest is None else show_moment(one.oldest),
            )
            for one in report.freshness
        ),
    )


def _sentence(failure: SectionFailure) -> str:
    scope = "" if failure.scope in ("all", failure.section) else f", {failure.scope}"
    return f"{failure.section}{scope}: {failure.message}"
