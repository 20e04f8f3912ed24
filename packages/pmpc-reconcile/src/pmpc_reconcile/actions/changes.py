"""`changes`: what differs between two times, per object and field."""

from __future__ import annotations

import attrs

from pmpc_reconcile.actions.spec import ActionContext, ActionSpec, Risk
from pmpc_reconcile.actions.views import FieldDifference
from pmpc_reconcile.events import EventSink


@attrs.frozen
class ChangesInput:
    """Which two times.

    Attributes:
        since: ISO 8601, `-2h` or the name of a snapshot.
        until: The same; now by default.
        kind: Only this kind.
    """

    since: str = attrs.field(metadata={"help": "from: ISO 8601, -2h or a snapshot"})
    until: str | None = attrs.field(default=None, metadata={"help": "to; now by default"})
    kind: str | None = attrs.field(default=None, metadata={"help": "only this kind"})


@attrs.frozen
class ObjectChange:
    """How one object differs.

    Attributes:
        kind: Its kind.
        key: Its natural key.
        name: Its name, empty if it has none.
        change: `created`, `removed` or `changed`.
        fields: What differs; empty for created and removed objects.
        time: When, ISO 8601 in UTC, None if not known.
        actor: Who, None if not known.
    """

    kind: str
    key: str
    name: str
    change: str
    fields: tuple[FieldDifference, ...] = ()
    time: str | None = None
    actor: str | None = None


@attrs.frozen
class ChangesOutput:
    """What differs.

    Attributes:
        cluster: The cluster's name.
        since: The first time, ISO 8601 in UTC.
        until: The second time.
        items: Ordered by kind and key.
    """

    cluster: str
    since: str
    until: str
    items: tuple[ObjectChange, ...]


async def run(context: ActionContext, value: ChangesInput, on_event: EventSink) -> ChangesOutput:
    """Compare the observed state at two times."""
    from pmpc_reconcile.observed import changes_between

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
