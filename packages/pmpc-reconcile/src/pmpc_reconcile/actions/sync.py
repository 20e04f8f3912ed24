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
        without: Sections to leave out, by name or shell pattern: `guest-firewall`, `node-*`; any
            kind of settings, or `content` for volumes.
        incremental: Read what may have changed, and a part of the rest, instead of everything.
        within: How fresh incremental syncs keep everything: `30m`, `1h`, `2d`.
        most: Most requests an incremental sync makes only to keep things fresh.
        concurrency: How many requests may be on their way at once.
        rate: How many requests may be made in a second; None for no bound.
        metrics: Keep samples of the use that lists tell.
        statistics: Also take over PVE's own statistics of this time frame: hour, day, week, month
            or year; a request for each node and running guest.
    """

    snapshot: str | None = attrs.field(
        default=None, metadata={"help": "take a snapshot of this name afterwards"}
    )
    without: tuple[str, ...] = attrs.field(
        default=(),
        metadata={"help": "sections to leave out, such as guest-firewall, node-* or content"},
    )
    incremental: bool = attrs.field(
        default=False,
        metadata={"help": "read only what may have changed, and a part of the rest"},
    )
    within: str = attrs.field(
        default="1h", metadata={"help": "how fresh incremental syncs keep everything: 30m, 1h"}
    )
    most: int | None = attrs.field(
        default=None, metadata={"help": "most requests made only to keep things fresh"}
    )
    concurrency: int = attrs.field(
        default=16, metadata={"help": "most requests on their way at once"}
    )
    rate: float | None = attrs.field(default=None, metadata={"help": "most requests in a second"})
    metrics: bool = attrs.field(
        default=False, metadata={"help": "keep samples of the use that lists tell"}
    )
    statistics: str | None = attrs.field(
        default=None,
        metadata={"help": "also take over PVE's statistics: hour, day, week, month, year"},
    )


@attrs.frozen
class KindFreshness:
    """How fresh one kind is.

    Attributes:
        kind: The kind.
        objects: How many there are.
        unknown: How many of them could not be seen.
        oldest: When the one was read whose turn was longest ago, ISO 8601 in UTC.
    """

    kind: str
    objects: int
    unknown: int
    oldest: str | None


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
        mode: `full` or `incremental`.
        kept: Objects that were not read, because nothing says that they changed.
        notes: Storages that are not active, and privileges that would show more.
        requests: How many requests it made.
        seconds: How long it took.
        oldest: When the object was read whose turn was longest ago, ISO 8601 in UTC.
        freshness: The same by kind.
        samples: Samples taken over from PVE's statistics.
    """

    cluster: str
    created: int
    changed: int
    vanished: int
    unchanged: int
    unknown: int
    problems: tuple[str, ...]
    snapshot: str | None = None
    mode: str = "full"
    kept: int = 0
    notes: tuple[str, ...] = ()
    requests: int = 0
    seconds: float = 0.0
    oldest: str | None = None
    freshness: tuple[KindFreshness, ...] = ()
    samples: int = 0


async def run(context: ActionContext, value: SyncInput, on_event: EventSink) -> SyncOutput:
    """Discover the cluster, record changes, optionally name the moment."""
    from pmpc_reconcile.observed import take_snapshot
    from pmpc_reconcile.observing import observe

    report = await observe(context.state, context.connection(), context.cluster, value, on_event)
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
