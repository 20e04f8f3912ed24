"""`log`: what happened to one object, and who did it."""

from __future__ import annotations

import attrs

from pmpc_reconcile.actions.paging import PartInput
from pmpc_reconcile.actions.spec import ActionContext, ActionSpec, Risk
from pmpc_reconcile.actions.views import FieldDifference
from pmpc_reconcile.events import EventSink


@attrs.frozen
class LogInput(PartInput):
    """Which object.

    Attributes:
        name: Its name or key, such as `web-1` or `100`; `kind/name` also works.
        kind: Its kind, needed only when the name alone is not unique.
        at: As it was called at this time; by default now, or when it was there last.
    """

    name: str = attrs.field(metadata={"help": "name or key: web-1, 100, qemu/100"})
    kind: str | None = attrs.field(default=None, metadata={"help": "kind, if not unique"})
    at: str | None = attrs.field(
        default=None, metadata={"help": "as called at a time (ISO 8601, -2h) or snapshot"}
    )


@attrs.frozen
class LogItem:
    """One thing that happened.

    Attributes:
        time: When; of changes, when they were seen. ISO 8601 in UTC.
        action: `created`, `changed`, `vanished`, `returned`, `task`, or `line` of the log.
        fields: What changed.
        text: What the task was and how it ended, or the words of the line.
        actor: Who, None if not known.
        task: The task, None if there was none: a synchronous edit.
    """

    time: str
    action: str
    fields: tuple[FieldDifference, ...]
    text: str
    actor: str | None
    task: str | None


@attrs.frozen
class LogOutput:
    """What happened to it.

    Attributes:
        cluster: The cluster's name.
        address: The object: `qemu/100`.
        name: What it is called.
        uid: What stays with it through renames and moves.
        items: Oldest first.
        total: How many there are in all parts.
        next: Marker of the next part, None on the last.
    """

    cluster: str
    address: str
    name: str
    uid: str
    items: tuple[LogItem, ...]
    total: int = 0
    next: str | None = None


async def run(context: ActionContext, value: LogInput, on_event: EventSink) -> LogOutput:
    """Look into the history.

    Raises:
        ObjectNotFound: Nothing, or more than one object, matches.
    """
    from pmpc_reconcile.past import log_of

    return await log_of(context.state, context.cluster, value, context.now)


SPEC = ActionSpec(
    name="log",
    summary="Show what happened to one object, and who did it",
    risk=Risk.READ,
    input=LogInput,
    output=LogOutput,
    run=run,
    needs_client=False,
)
