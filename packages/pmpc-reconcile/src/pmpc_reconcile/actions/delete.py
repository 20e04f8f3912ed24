"""`delete`: remove everything a release made."""

from __future__ import annotations

import attrs

from pmpc_reconcile.actions.carrying import CarriedOut, carry_out
from pmpc_reconcile.actions.session import reconciler
from pmpc_reconcile.actions.spec import ActionContext, ActionSpec, Risk
from pmpc_reconcile.events import EventSink


@attrs.frozen
class DeleteInput:
    """Which release.

    Attributes:
        release: The release.
        keep: Addresses of objects that stay and are nobody's afterwards; `*` for all.
        dry_run: Only plan.
    """

    release: str = attrs.field(default="default", metadata={"help": "name of the release"})
    keep: tuple[str, ...] = attrs.field(
        default=(), metadata={"help": "objects that stay and are nobody's afterwards; * for all"}
    )
    dry_run: bool = attrs.field(default=False, metadata={"help": "only plan"})


async def run(context: ActionContext, value: DeleteInput, on_event: EventSink) -> CarriedOut:
    """Plan the removal of every object that is provably ours and execute it.

    Raises:
        ReleaseNotFound: No such release.
    """
    engine = reconciler(context, on_event)
    plan = await engine.delete(value.release, keep=value.keep)
    return await carry_out(context, engine, plan, on_event, dry_run=value.dry_run)


SPEC = ActionSpec(
    name="delete",
    summary="Delete every object of a release",
    risk=Risk.DESTRUCTIVE,
    input=DeleteInput,
    output=CarriedOut,
    run=run,
)
