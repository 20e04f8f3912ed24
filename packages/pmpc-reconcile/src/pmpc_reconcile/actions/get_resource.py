"""`get`: one object with its configuration, as last observed."""

from __future__ import annotations

import attrs

from pmpc_reconcile.actions.spec import ActionContext, ActionSpec, Risk
from pmpc_reconcile.actions.views import ResourceView
from pmpc_reconcile.events import EventSink


@attrs.frozen
class GetInput:
    """Which object.

    Attributes:
        name: Its name or key, such as `web-1` or `100`; `kind/name` also works.
        kind: Its kind, needed only when the name alone is not unique.
        at: As of this time or snapshot; now by default.
    """

    name: str = attrs.field(metadata={"help": "name or key: web-1, 100, qemu/100"})
    kind: str | None = attrs.field(default=None, metadata={"help": "kind, if not unique"})
    at: str | None = attrs.field(
        default=None, metadata={"help": "as of a time (ISO 8601, -2h) or snapshot"}
    )


@attrs.frozen
class GetOutput:
    """The object.

    Attributes:
        cluster: The cluster's name.
        resource: The object with its configuration.
    """

    cluster: str
    resource: ResourceView


async def run(context: ActionContext, value: GetInput, on_event: EventSink) -> GetOutput:
    """Look into the observed state.

    Raises:
        ObjectNotFound: Nothing, or more than one object, matches.
    """
    from pmpc_reconcile.observed import find_resource

    resource = await find_resource(context.state, context.cluster, value, context.now)
    return GetOutput(context.cluster, resource)


SPEC = ActionSpec(
    name="get",
    summary="Show one object with its configuration",
    risk=Risk.READ,
    input=GetInput,
    output=GetOutput,
    run=run,
    needs_client=False,
)
