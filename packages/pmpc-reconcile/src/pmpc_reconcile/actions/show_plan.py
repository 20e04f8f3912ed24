"""`show-plan`: a stored plan again."""

from __future__ import annotations

import attrs

from pmpc_reconcile.actions.plan import PlanOutput
from pmpc_reconcile.actions.session import reconciler
from pmpc_reconcile.actions.spec import ActionContext, ActionSpec, Risk
from pmpc_reconcile.events import EventSink


@attrs.frozen
class ShowPlanInput:
    """Which plan.

    Attributes:
        plan_id: Its id, or the beginning of it.
        compare: Also look which of its guests changed since it was made.
    """

    plan_id: str = attrs.field(metadata={"help": "id of the plan, or its beginning"})
    compare: bool = attrs.field(
        default=False, metadata={"help": "look which guests changed since it was made"}
    )


async def run(context: ActionContext, value: ShowPlanInput, on_event: EventSink) -> PlanOutput:
    """Load the plan.

    Raises:
        PlanNotFound: There is none.
        ClientRequired: It is to be compared, and there is no connection.
    """
    engine = reconciler(context, on_event)
    plan = await engine.stored_plan(value.plan_id)
    stale = await engine.stale(plan) if value.compare else ()
    return PlanOutput(plan, True, await engine.approvals(plan), stale)


SPEC = ActionSpec(
    name="show-plan",
    summary="Show a stored plan",
    risk=Risk.READ,
    input=ShowPlanInput,
    output=PlanOutput,
    run=run,
    needs_client=False,
)
