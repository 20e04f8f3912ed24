"""`plans`: the stored plans of a cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

from pmpc_reconcile.actions.paging import PageInput, choice_of, understood
from pmpc_reconcile.actions.spec import ActionContext, ActionSpec, Risk
from pmpc_reconcile.events import EventSink
from pmpc_reconcile.moments import show_moment

if TYPE_CHECKING:
    from pmpc_state import PlanRecord


@attrs.frozen
class PlansInput(PageInput):
    """Which plans.

    Attributes:
        release: Only of this release.
    """

    release: str | None = attrs.field(default=None, metadata={"help": "only of this release"})


@attrs.frozen
class PlanSummary:
    """One stored plan.

    Attributes:
        id: Its id.
        release: Its release.
        created: When it was made, ISO 8601 in UTC.
        status: `planned`, `applying`, `applied`, `partial`, `failed` or `refused`.
        actor: Who made it.
        note: What made it: `apply`, `rollback to 1`, `delete`.
        risk: Risk of its riskiest step.
        steps: How many steps it has.
        counts: How many objects each action concerns.
    """

    id: str
    release: str
    created: str
    status: str
    actor: str
    note: str
    risk: str
    steps: int
    counts: Mapping[str, int]


@attrs.frozen
class PlansOutput:
    """The plans.

    Attributes:
        cluster: The cluster's name.
        items: Newest first unless sorted otherwise.
        total: How many there are on all pages.
        next: Marker of the next page, None on the last.
    """

    cluster: str
    items: tuple[PlanSummary, ...]
    total: int = 0
    next: str | None = None


async def run(context: ActionContext, value: PlansInput, on_event: EventSink) -> PlansOutput:
    """Look into the recorded state.

    Raises:
        InputInvalid: The filter, the order or the page is not understood.
    """

    def read() -> PlansOutput:
        with understood():
            found = context.state.reader().plans.list(
                context.cluster,
                release=value.release,
                limit=value.limit,
                **choice_of(value, context.now),
            )
        items = tuple(_summary(record) for record in found)
        return PlansOutput(context.cluster, items, found.total, found.next)

    return await asyncio.to_thread(read)


def _summary(record: PlanRecord) -> PlanSummary:
    document = record.document
    counts: dict[str, int] = {}
    for item in document.get("objects", ()):
        action = str(item.get("action"))
        counts[action] = counts.get(action, 0) + 1
    return PlanSummary(
        id=record.id,
        release=record.release,
        created=show_moment(record.created_at),
        status=record.status.value,
        actor=record.actor,
        note=str(document.get("note", "")),
        risk=str(document.get("risk", "")),
        steps=len(document.get("steps", ())),
        counts=counts,
    )


SPEC = ActionSpec(
    name="plans",
    summary="List the stored plans",
    risk=Risk.READ,
    input=PlansInput,
    output=PlansOutput,
    run=run,
    needs_client=False,
)
