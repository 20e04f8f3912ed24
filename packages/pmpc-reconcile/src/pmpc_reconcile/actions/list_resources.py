"""`list`: objects as last observed."""

from __future__ import annotations

import attrs

from pmpc_reconcile.actions.spec import ActionContext, ActionSpec, Risk
from pmpc_reconcile.actions.views import ResourceView
from pmpc_reconcile.events import EventSink


@attrs.frozen
class ListInput:
    """Which objects.

    Attributes:
        kind: Only this kind, such as `qemu`; common other words (`vm`, `ct`) are understood.
        node: Only on this node.
        name: Only names that match, with `*` and `?`.
        status: Only with this status.
        at: As of this time: ISO 8601, `-2h` or the name of a snapshot; now by default.
        filter: What else must hold, in the language of filters: `tags has prod and maxmem>8G`.
        sort: Field to sort by, `-mem` for descending; several with commas.
        limit: At most so many; all by default.
        offset: Leave out so many before.
        after: Go on where a page ended: the `next` of its answer.
        configurations: Answer with the configuration of each, too.
    """

    kind: str | None = attrs.field(default=None, metadata={"help": "only this kind"})
    node: str | None = attrs.field(default=None, metadata={"help": "only on this node"})
    name: str | None = attrs.field(
        default=None, metadata={"help": "only names that match; * and ? are wildcards"}
    )
    status: str | None = attrs.field(default=None, metadata={"help": "only with this status"})
    at: str | None = attrs.field(
        default=None, metadata={"help": "as of a time (ISO 8601, -2h) or snapshot"}
    )
    filter: str = attrs.field(default="", metadata={"help": "such as: tags has prod and maxmem>8G"})
    sort: str = attrs.field(
        default="", metadata={"help": "field to sort by; -mem for descending; several with commas"}
    )
    limit: int | None = attrs.field(default=None, metadata={"help": "at most so many"})
    offset: int = attrs.field(default=0, metadata={"help": "leave out so many before"})
    after: str | None = attrs.field(default=None, metadata={"help": "go on after this marker"})
    configurations: bool = attrs.field(
        default=False, metadata={"help": "with the configuration of each"}
    )


@attrs.frozen
class ListOutput:
    """What was found.

    Attributes:
        cluster: The cluster's name.
        items: The objects, ordered by kind and key unless sorted otherwise.
        total: How many there are on all pages.
        offset: How many come before these.
        next: Marker of the next page, None on the last.
    """

    cluster: str
    items: tuple[ResourceView, ...]
    total: int = 0
    offset: int = 0
    next: str | None = None


async def run(context: ActionContext, value: ListInput, on_event: EventSink) -> ListOutput:
    """Look into the observed state.

    Raises:
        InputInvalid: The kind, the filter, the order or the time is not understood.
    """
    from pmpc_reconcile.observed import find_resources

    return await find_resources(context.state, context.cluster, value, context.now)


SPEC = ActionSpec(
    name="list",
    summary="List objects as last observed",
    risk=Risk.READ,
    input=ListInput,
    output=ListOutput,
    run=run,
    needs_client=False,
)
