"""`changes`: what differs between two times, per object and field."""

from __future__ import annotations

import attrs

from pmpc_reconcile.actions.paging import PartInput
from pmpc_reconcile.actions.spec import ActionContext, ActionSpec, Risk
from pmpc_reconcile.actions.views import FieldDifference
from pmpc_reconcile.events import EventSink


@attrs.frozen
class ChangesInput(PartInput):
    """Which two times.

    Attributes:
        since: ISO 8601, `-2h` or the name of a snapshot.
        until: The same; now by default.
        kind: Only this kind.
        name: Only this object: its name or key, `kind/name` too.
        path: Only in this field or below it, such as `memory`; `net*` is a pattern.
        actor: Only by this user: `alice@pve`, `alice@pve!token`, or `-` where nobody is known.
        each: Every change by itself in the order of time, instead of how the two times differ.
    """

    since: str = attrs.field(metadata={"help": "from: ISO 8601, -2h or a snapshot"})
    until: str | None = attrs.field(default=None, metadata={"help": "to; now by default"})
    kind: str | None = attrs.field(default=None, metadata={"help": "only this kind"})
    name: str | None = attrs.field(default=None, metadata={"help": "only this object"})
    path: str | None = attrs.field(
        default=None, metadata={"help": "only in this field or below it; net* is a pattern"}
    )
    actor: str | None = attrs.field(
        default=None, metadata={"help": "only by this user; - where nobody is known"}
    )
    each: bool = attrs.field(
        default=False, metadata={"help": "every change by itself, in the order of time"}
    )


@attrs.frozen
class ObjectChange:
    """How one object differs.

    Attributes:
        kind: Its kind.
        key: Its natural key.
        name: Its name, empty if it has none.
        change: `created`, `removed` or `changed`; each by itself also `vanished` or `returned`.
        fields: What differs.
        time: When it was seen, ISO 8601 in UTC.
        actor: Who, None if not known.
        task: The task that did it, None if no task did: a synchronous edit.
    """

    kind: str
    key: str
    name: str
    change: str
    fields: tuple[FieldDifference, ...] = ()
    time: str | None = None
    actor: str | None = None
    task: str | None = None


@attrs.frozen
class ChangesOutput:
    """What differs.

    Attributes:
        cluster: The cluster's name.
        since: The first time, ISO 8601 in UTC.
        until: The second time.
        items: Ordered by kind and key; each by itself in the order of time.
        notes: What has to be known of the answer, such as why it is empty.
        total: How many there are in all parts.
        next: Marker of the next part, None on the last.
    """

    cluster: str
    since: str
    until: str
    items: tuple[ObjectChange, ...]
    notes: tuple[str, ...] = ()
    total: int = 0
    next: str | None = None


async def run(context: ActionContext, value: ChangesInput, on_event: EventSink) -> ChangesOutput:
    """Compare the observed state at two times, or tell every change between them.

    Raises:
        InputInvalid: A time or the kind is not understood.
        ObjectNotFound: No object, now or then, has that name.
    """
    from pmpc_reconcile.past import changes_between

    return await changes_between(context.state, context.cluster, value, context.now)


SPEC = ActionSpec(
    name="changes",
    summary="Show what changed between two times",
    risk=Risk.READ,
    input=ChangesInput,
    output=ChangesOutput,
    run=run,
    needs_client=False,
)
