"""`snapshot`: give a name to the state of the cluster as last observed."""

from __future__ import annotations

import attrs

from pmpc_reconcile.actions.spec import ActionContext, ActionSpec, Risk
from pmpc_reconcile.actions.views import SnapshotView
from pmpc_reconcile.events import EventSink


@attrs.frozen
class SnapshotInput:
    """How to call it.

    Attributes:
        name: Unique name within the cluster.
        pinned: Keep what it shows for ever, whatever else is forgotten.
    """

    name: str = attrs.field(metadata={"help": "name of the snapshot"})
    pinned: bool = attrs.field(
        default=False, metadata={"help": "keep what it shows, whatever else is forgotten"}
    )


@attrs.frozen
class SnapshotOutput:
    """The snapshot.

    Attributes:
        cluster: The cluster's name.
        snapshot: Its name, time and hash.
    """

    cluster: str
    snapshot: SnapshotView


async def run(context: ActionContext, value: SnapshotInput, on_event: EventSink) -> SnapshotOutput:
    """Record the name; guests are not touched."""
    from pmpc_reconcile.observed import take_snapshot

    view = await take_snapshot(context.state, context.cluster, value.name, pinned=value.pinned)
    return SnapshotOutput(context.cluster, view)


SPEC = ActionSpec(
    name="snapshot",
    summary="Name the state of the cluster as last observed",
    risk=Risk.READ,
    input=SnapshotInput,
    output=SnapshotOutput,
    run=run,
    needs_client=False,
)
