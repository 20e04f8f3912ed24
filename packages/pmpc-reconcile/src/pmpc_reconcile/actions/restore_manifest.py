"""`restore-manifest`: the manifest that brings a guest back to how it was configured."""

from __future__ import annotations

import attrs

from pmpc_reconcile.actions.spec import ActionContext, ActionSpec, Risk
from pmpc_reconcile.events import EventSink
from pmpc_reconcile.moments import show_moment


@attrs.frozen
class RestoreManifestInput:
    """Which guest, as of when.

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
class RestoreManifestOutput:
    """The manifest.

    Attributes:
        cluster: The cluster's name.
        address: The guest: `qemu/100`.
        since: Since when it was configured so, ISO 8601 in UTC.
        text: The manifest as YAML, for `plan` and `apply`.
        left: Options that are left out because they are secrets; applying does not touch them.
    """

    cluster: str
    address: str
    since: str | None
    text: str
    left: tuple[str, ...]


async def run(
    context: ActionContext, value: RestoreManifestInput, on_event: EventSink
) -> RestoreManifestOutput:
    """Write the manifest of what was recorded.

    Raises:
        InputInvalid: There is no manifest of such an object.
        ObjectNotFound: Nothing, or more than one object, matches.
    """
    from pmpc_reconcile.past import manifest_at

    found, text, left = await manifest_at(
        context.state, context.cluster, value.name, value.kind, value.at, context.now
    )
    since = None if found.valid_from is None else show_moment(found.valid_from)
    return RestoreManifestOutput(context.cluster, found.address, since, text, left)


SPEC = ActionSpec(
    name="restore-manifest",
    summary="Write the manifest of a guest as it was configured at a time",
    risk=Risk.READ,
    input=RestoreManifestInput,
    output=RestoreManifestOutput,
    run=run,
    needs_client=False,
)
