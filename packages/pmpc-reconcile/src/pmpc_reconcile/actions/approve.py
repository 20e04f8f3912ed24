"""`approve`: say that somebody else's plan may be applied."""

from __future__ import annotations

import attrs

from pmpc_reconcile.actions.session import reconciler
from pmpc_reconcile.actions.spec import ActionContext, ActionSpec, Risk
from pmpc_reconcile.approvals import Approval
from pmpc_reconcile.events import EventSink
from pmpc_reconcile.plans.model import Plan


@attrs.frozen
class ApproveInput:
    """Which plan.

    Attributes:
        plan_id: Its id, or the beginning of it.
        note: Why, for the audit log.
    """

    plan_id: str = attrs.field(metadata={"help": "id of the plan, or its beginning"})
    note: str = attrs.field(default="", metadata={"help": "why, for the audit log"})


@attrs.frozen
class ApproveOutput:
    """The plan and everybody who approved it.

    Attributes:
        plan: The plan.
        approvals: The first one first.
    """

    plan: Plan
    approvals: tuple[Approval, ...]


async def run(context: ActionContext, value: ApproveInput, on_event: EventSink) -> ApproveOutput:
    """Write the approval into the audit log.

    Raises:
        PlanNotFound: There is no such plan.
        PlanRefused: The same actor made it, or it was applied already.
    """
    engine = reconciler(context, on_event)
    plan = await engine.approve(value.plan_id, value.note)
    return ApproveOutput(plan, await engine.approvals(plan))


SPEC = ActionSpec(
    name="approve",
    summary="Say that somebody else's plan may be applied",
    risk=Risk.CHANGE,
    input=ApproveInput,
    output=ApproveOutput,
    run=run,
    needs_client=False,
)
