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
    """

    plan_id: str = attrs.field(metadata={"help": "id of the plan, or its beginning"})


async def run(context: ActionContext, value: ShowPlanInput, on_event: EventSink) -> PlanOutput:
    """Load the plan.

    Raises:
        PlanNotFound: There is none.
    """
    return PlanOutput(await reconciler(context, on_event).stored_plan(value.plan_id), True)


SPEC = ActionSpec(
    name="show-plan",
    summary="Show a stored plan",
    risk=Risk.READ,
    input=ShowPlanInput,
    output=PlanOutput,
    run=run,
    needs_client=False,
)
