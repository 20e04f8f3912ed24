"""`snapshots`: the named times of a cluster."""

from __future__ import annotations

import asyncio

import attrs

from pmpc_reconcile.actions.paging import PageInput, choice_of, understood
from pmpc_reconcile.actions.spec import ActionContext, ActionSpec, Risk
from pmpc_reconcile.actions.views import SnapshotView
from pmpc_reconcile.events import EventSink


@attrs.frozen
class SnapshotsInput(PageInput):
    """Which snapshots."""


@attrs.frozen
class SnapshotsOutput:
    """The snapshots.

    Attributes:
        cluster: The cluster's name.
        items: Oldest first unless sorted otherwise.
        total: How many there are on all pages.
        next: Marker of the next page, None on the last.
    """

    cluster: str
    items: tuple[SnapshotView, ...]
    total: int = 0
    next: str | None = None


async def run(
    context: ActionContext, value: SnapshotsInput, on_event: EventSink
) -> SnapshotsOutput:
    """Look into the observed state.

    Raises:
        InputInvalid: The filter, the order or the page is not understood.
    """
    from pmpc_reconcile.observed import snapshot_view

    def read() -> SnapshotsOutput:
        with understood():
            found = context.state.reader().snapshots(
                context.cluster, limit=value.limit, **choice_of(value, context.now)
            )
        items = tuple(map(snapshot_view, found))
        return SnapshotsOutput(context.cluster, items, found.total, found.next)

    return await asyncio.to_thread(read)


SPEC = ActionSpec(
    name="snapshots",
    summary="List the named states of the cluster",
    risk=Risk.READ,
    input=SnapshotsInput,
    output=SnapshotsOutput,
    run=run,
    needs_client=False,
)
