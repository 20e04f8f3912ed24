"""`metrics`: what was measured of one object over time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import attrs

from pmpc_reconcile.actions.paging import PartInput, understood
from pmpc_reconcile.actions.spec import ActionContext, ActionSpec, Risk
from pmpc_reconcile.events import EventSink


@attrs.frozen
class MetricsInput(PartInput):
    """Of what, and when.

    Attributes:
        name: The object's name or key, such as `web-1` or `100`; `kind/name` also works.
        metric: What was measured, such as `cpu`; blank names what there is.
        since: From when on: ISO 8601, `-2h` or a snapshot.
        until: Up to when; now by default.
        step: The length of time of a point: `1m`, `1h`, `1d`.
        kind: Its kind, needed only when the name alone is not unique.
    """

    name: str = attrs.field(metadata={"help": "name or key: web-1, 100, qemu/100"})
    metric: str = attrs.field(default="", metadata={"help": "such as cpu, mem, netin, up"})
    since: str = attrs.field(default="-24h", metadata={"help": "from: ISO 8601, -2h, a snapshot"})
    until: str | None = attrs.field(default=None, metadata={"help": "to; now by default"})
    step: str = attrs.field(default="1h", metadata={"help": "length of a point: 1m, 1h, 1d"})
    kind: str | None = attrs.field(default=None, metadata={"help": "kind, if not unique"})


@attrs.frozen
class MetricsPoint:
    """What was measured in one step.

    Attributes:
        time: When the step begins, ISO 8601 in UTC.
        mean: The average of what was measured.
        low: The least.
        high: The greatest.
        count: How many samples there were.
    """

    time: str
    mean: float
    low: float
    high: float
    count: int


@attrs.frozen
class MetricsOutput:
    """What was measured.

    Attributes:
        cluster: The cluster's name.
        address: The object: `qemu/100`.
        metrics: What there is of it.
        items: A point for each step in which something was measured, oldest first.
        total: How many there are in all parts.
        next: Marker of the next part, None on the last.
    """

    cluster: str
    address: str
    metrics: tuple[str, ...]
    items: tuple[MetricsPoint, ...]
    total: int = 0
    next: str | None = None


async def run(context: ActionContext, value: MetricsInput, on_event: EventSink) -> MetricsOutput:
    """Look into the samples.

    Raises:
        InputInvalid: A time or the metric is not known.
        ObjectNotFound: Nothing, or more than one object, matches.
    """
    return await asyncio.to_thread(_read, context, value)


def _read(context: ActionContext, value: MetricsInput) -> MetricsOutput:
    from pmpc_reconcile.errors import InputInvalid
    from pmpc_reconcile.moments import parse_duration, show_moment
    from pmpc_reconcile.observed import moment_named, the_resource

    state, cluster, now = context.state, context.cluster, context.now
    found = the_resource(state, cluster, value.name, value.kind, None)
    reader = state.reader().samples
    known = reader.metrics(found.uid)
    if not value.metric:
        return MetricsOutput(cluster, found.address, known, ())
    if value.metric not in known:
        there = f"there are {', '.join(known)}" if known else "sync with metrics first"
        raise InputInvalid(f"nothing measured {value.metric!r} of {found.address}; {there}")
    since = moment_named(state, cluster, value.since, now)
    until = (
        datetime.fromtimestamp(now(), UTC)
        if value.until is None
        else moment_named(state, cluster, value.until, now)
    )
    step = parse_duration(value.step)
    with understood():
        points = reader.points(
            found.uid,
            value.metric,
            since,
            until,
            step=step,
            limit=value.limit,
            after=value.after,
        )
    items = tuple(
        MetricsPoint(show_moment(one.at), one.mean, one.low, one.high, one.count) for one in points
    )
    return MetricsOutput(cluster, found.address, known, items, points.total, points.next)


SPEC = ActionSpec(
    name="metrics",
    summary="Show what was measured of one object over time",
    risk=Risk.READ,
    input=MetricsInput,
    output=MetricsOutput,
    run=run,
    needs_client=False,
)
