"""`control`: tell the reconcile loop what it may do with a cluster, a release or an object."""

from __future__ import annotations

import attrs

from pmpc_reconcile.actions.session import reconciler
from pmpc_reconcile.actions.spec import ActionContext, ActionSpec, Risk
from pmpc_reconcile.errors import InputInvalid, ObjectNotFound
from pmpc_reconcile.events import EventSink
from pmpc_reconcile.moments import show_moment


@attrs.frozen
class ControlInput:
    """What to say about what.

    Attributes:
        release: The release; the whole cluster by default.
        address: One object of the release, such as `VirtualMachine/web-1`.
        suspend: True to leave it alone, False to go on.
        self_heal: True to undo drift, False to only report it.
        forget: Take back what was said about exactly this.
        reason: Why, for whoever reads it later.
    """

    release: str = attrs.field(
        default="", metadata={"help": "name of the release; the whole cluster by default"}
    )
    address: str = attrs.field(
        default="", metadata={"help": "one object of the release, such as VirtualMachine/web-1"}
    )
    suspend: bool | None = attrs.field(
        default=None, metadata={"help": "true to leave it alone, false to go on"}
    )
    self_heal: bool | None = attrs.field(
        default=None, metadata={"help": "true to undo drift, false to only report it"}
    )
    forget: bool = attrs.field(
        default=False, metadata={"help": "take back what was said about exactly this"}
    )
    reason: str = attrs.field(default="", metadata={"help": "why"})


@attrs.frozen
class ControlView:
    """One thing that was said.

    Attributes:
        release: The release; empty for the whole cluster.
        address: The object; empty for the whole release.
        suspended: Whether it is left alone; None leaves it to the wider word.
        self_heal: Whether drift is undone; None as above.
        reason: Why.
        actor: Who said so.
        time: When.
    """

    release: str
    address: str
    suspended: bool | None
    self_heal: bool | None
    reason: str
    actor: str
    time: str


@attrs.frozen
class ControlOutput:
    """Everything said about the cluster.

    Attributes:
        items: The widest first.
    """

    items: tuple[ControlView, ...]


async def run(context: ActionContext, value: ControlInput, on_event: EventSink) -> ControlOutput:
    """Record it and return everything said; with nothing to say only return it.

    Raises:
        ReleaseNotFound: There is no such release.
        ObjectNotFound: The release has no such object.
        InputInvalid: An object without a release, or saying and forgetting at once.
    """
    engine = reconciler(context, on_event)
    says = value.suspend is not None or value.self_heal is not None
    if value.address and not value.release:
        raise InputInvalid(f"cannot find {value.address}: name its release too")
    if says and value.forget:
        raise InputInvalid("cannot say something and take it back at once")
    if (says or value.forget) and value.release:
        there = [str(item.address) for item in await engine.manifests_of(value.release)]
        if value.address and value.address not in there:
            raise ObjectNotFound(
                f"release {value.release!r} has no {value.address}; it has {', '.join(there)}"
            )

    def say() -> None:
        with context.state.transaction() as writer:
            if value.forget:
                writer.controls.forget(context.cluster, value.release, value.address)
            elif says:
                writer.controls.set(
                    context.cluster,
                    value.release,
                    value.address,
                    suspended=value.suspend,
                    self_heal=value.self_heal,
                    reason=value.reason,
                    actor=context.actor,
                )

    await engine.records.run(say)
    if says or value.forget:
        subject = "/".join(part for part in (value.release, value.address) if part)
        detail = attrs.asdict(value, filter=lambda field, _: field.name not in _PLACE)
        await engine.records.audit("control", subject or context.cluster, detail)
    found = await engine.records.run(lambda: context.state.reader().controls.list(context.cluster))
    return ControlOutput(
        tuple(
            ControlView(
                item.release,
                item.address,
                item.suspended,
                item.self_heal,
                item.reason,
                item.actor,
                show_moment(item.changed_at),
            )
            for item in found
        )
    )


_PLACE = ("release", "address")

SPEC = ActionSpec(
    name="control",
    summary="Suspend, resume or let heal a cluster, a release or an object",
    risk=Risk.READ,
    input=ControlInput,
    output=ControlOutput,
    run=run,
    needs_client=False,
)
