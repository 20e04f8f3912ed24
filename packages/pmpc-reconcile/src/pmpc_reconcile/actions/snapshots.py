"""`snapshots`: the named times of a cluster."""

from __future__ import annotations

import attrs

from pmpc_reconcile.actions.spec import ActionContext, ActionSpec, Risk
from pmpc_reconcile.actions.views import SnapshotView
from pmpc_reconcile.events import EventSink


@attrs.frozen
class SnapshotsInput:
    """Nothing to choose."""


@attrs.frozen
class SnapshotsOutput:
    """The snapshots.

    Attributes:
        cluster: The cluster's name.
        items: Oldest first.
    """

    cluster: str
    items: tuple[SnapshotView, ...]


async def run(
    context: ActionContext, value: SnapshotsInput, on_event: EventSink
) -> SnapshotsOutput:
    """Look into the observed state."""
    from pmpc_reconcile.observed import all_snapshots

    return SnapshotsOutput(context.cluster, await all_snapshots(context.state, context.cluster))


SPEC = ActionSpec(
    name="snapshots",
    summary="List the named states of the cluster",
    risk=Risk.READ,
    input=SnapshotsInput,
    output=SnapshotsOutput,
    run=run,
    needs_client=False,
)
