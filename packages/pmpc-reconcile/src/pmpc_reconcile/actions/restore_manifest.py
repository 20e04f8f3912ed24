"""`restore-manifest`: the manifest that brings an object back to how it was configured."""

from __future__ import annotations

import attrs

from pmpc_reconcile.actions.spec import ActionContext, ActionSpec, Risk
from pmpc_reconcile.events import EventSink


@attrs.frozen
class RestoreManifestInput:
    """Which object, as of when.

    Attributes:
        name: Its name, key or address: `web-1`, `100`, `storage/tank`, `sdn-zone/lab`; or the
            address of its manifest: `Firewall/cluster`, `NodeNetwork/pve1`, `Sdn/cluster`.
        kind: Its kind, needed only when the name alone is not unique.
        at: As of this time or snapshot; by default now, or the last moment of what is gone.
    """

    name: str = attrs.field(metadata={"help": "name or key: web-1, storage/tank, Firewall/cluster"})
    kind: str | None = attrs.field(default=None, metadata={"help": "kind, if not unique"})
    at: str | None = attrs.field(
        default=None, metadata={"help": "as of a time (ISO 8601, -2h) or snapshot"}
    )


@attrs.frozen
class RestoreManifestOutput:
    """The manifest.

    Attributes:
        cluster: The cluster's name.
        address: What it was written from: `qemu/100`; the manifest's own address where that is more
            than one resource.
        since: Since when it was configured so, ISO 8601 in UTC.
        text: The manifest as YAML, for `plan` and `apply`, with the notes as comments.
        left: What is left out, because it is secret or cannot come back; applying leaves it alone.
        manifest: The address it declares: `VirtualMachine/web-1`.
        release: The release that manages it; None if none does.
        gone: Whether the object is not there any more, so that planning makes it again.
        notes: What has to be known before it is planned.
    """

    cluster: str
    address: str
    since: str | None
    text: str
    left: tuple[str, ...]
    manifest: str = ""
    release: str | None = None
    gone: bool = False
    notes: tuple[str, ...] = ()


async def run(
    context: ActionContext, value: RestoreManifestInput, on_event: EventSink
) -> RestoreManifestOutput:
    """Write the manifest of what was recorded.

    Raises:
        InputInvalid: There is no manifest of such an object.
        ObjectNotFound: Nothing, or more than one object, matches.
    """
    from pmpc_reconcile.past import manifest_at

    return await manifest_at(context.state, context.cluster, value, context.now)


SPEC = ActionSpec(
    name="restore-manifest",
    summary="Write the manifest of an object as it was configured at a time",
    risk=Risk.READ,
    input=RestoreManifestInput,
    output=RestoreManifestOutput,
    run=run,
    needs_client=False,
)
