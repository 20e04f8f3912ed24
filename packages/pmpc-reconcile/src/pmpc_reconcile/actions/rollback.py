"""`rollback`: bring a release back to an earlier revision, as a new revision."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from pmpc_reconcile.actions.carrying import CarriedOut, carry_out
from pmpc_reconcile.actions.session import reconciler
from pmpc_reconcile.actions.spec import ActionContext, ActionSpec, Risk
from pmpc_reconcile.events import EventSink


@attrs.frozen
class RollbackInput:
    """Where to go back to.

    Attributes:
        release: The release.
        revision: The revision; the one before the last by default.
        dry_run: Only plan.
        resolve: How to settle conflicts, as for `plan`.
    """

    release: str = attrs.field(default="default", metadata={"help": "name of the release"})
    revision: int | None = attrs.field(
        default=None, metadata={"help": "revision; the one before the last by default"}
    )
    dry_run: bool = attrs.field(default=False, metadata={"help": "only plan"})
    resolve: Mapping[str, str] = attrs.field(
        factory=dict[str, str],
        metadata={"help": "settle conflicts: FIELD or ADDRESS:FIELD = ours, theirs or ignore"},
    )


async def run(context: ActionContext, value: RollbackInput, on_event: EventSink) -> CarriedOut:
    """Plan the earlier revision against now and execute it.

    Raises:
        ReleaseNotFound: No such release or revision.
    """
    engine = reconciler(context, on_event)
    plan = await engine.rollback(value.release, value.revision, resolve=value.resolve)
    return await carry_out(context, engine, plan, on_event, dry_run=value.dry_run)


SPEC = ActionSpec(
    name="rollback",
    summary="Bring a release back to an earlier revision",
    risk=Risk.DESTRUCTIVE,
    input=RollbackInput,
    output=CarriedOut,
    run=run,
)
