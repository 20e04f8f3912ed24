"""`sync`: read the cluster and record what is new."""

from __future__ import annotations

import attrs

from pmpc_reconcile.actions.spec import ActionContext, ActionSpec, Risk
from pmpc_reconcile.events import EventSink


@attrs.frozen
class SyncInput:
    """What to read.

    Attributes:
        snapshot: Name of a snapshot to take afterwards.
        everything: Also read what is not a guest, node, storage, volume, pool or task.
    """

    snapshot: str | None = attrs.field(
        default=None, metadata={"help": "take a snapshot of this name afterwards"}
    )
    everything: bool = attrs.field(
        default=False,
        metadata={"help": "also read access, firewall, SDN, HA, jobs and all other settings"},
    )


@attrs.frozen
class SyncOutput:
    """What was new.

    Attributes:
        cluster: The cluster's name.
        created: Objects seen for the first time.
        changed: Objects whose configuration differs from the last time.
        vanished: Objects that are no more.
        unchanged: Objects as before.
        unknown: Objects whose node could not be reached.
        problems: Sections that could not be read, with the reason.
        snapshot: Name of the snapshot taken, None if none was asked for.
    """

    cluster: str
    created: int
    changed: int
    vanished: int
    unchanged: int
    unknown: int
    problems: tuple[str, ...]
    snapshot: str | None = None


async def run(context: ActionContext, value: SyncInput, on_event: EventSink) -> SyncOutput:
    """Discover the cluster, record changes, optionally name the moment."""
    from pmpc_reconcile.observed import observe, take_snapshot

    report = await observe(
        context.state,
        context.connection(),
        context.cluster,
        on_event,
        everything=value.everything,
    )
    if value.snapshot is not None:
        await take_snapshot(context.state, context.cluster, value.snapshot)
    return attrs.evolve(report, snapshot=value.snapshot)


SPEC = ActionSpec(
    name="sync",
    summary="Read the cluster and record what changed since the last time",
    risk=Risk.READ,
    input=SyncInput,
    output=SyncOutput,
    run=run,
)
