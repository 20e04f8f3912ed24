"""`plan`: what an apply would do, without doing it."""

from __future__ import annotations

import attrs

from pmpc_reconcile.actions.session import reconciler
from pmpc_reconcile.actions.sources import Wanted, planned
from pmpc_reconcile.actions.spec import ActionContext, ActionSpec, Risk
from pmpc_reconcile.approvals import Approval
from pmpc_reconcile.events import EventSink
from pmpc_reconcile.plans.model import Plan
from pmpc_reconcile.staleness import StaleObject


@attrs.frozen(kw_only=True)
class PlanInput(Wanted):
    """What is wanted, and what becomes of the plan.

    Attributes:
        needs_approval: Let it be applied only after somebody else approved it.
        save: Store the plan so that it can be applied by its id.
    """

    needs_approval: bool = attrs.field(
        default=False, metadata={"help": "somebody else has to approve it before it is applied"}
    )
    save: bool = attrs.field(default=True, metadata={"help": "store the plan for a later apply"})


@attrs.frozen
class PlanOutput:
    """The plan.

    Attributes:
        plan: What would be done, and why.
        saved: Whether it can be applied by its id.
        approvals: Who approved it.
        stale: Which of its guests changed since it was made, where that was asked for.
    """

    plan: Plan
    saved: bool
    approvals: tuple[Approval, ...] = ()
    stale: tuple[StaleObject, ...] = ()


async def run(context: ActionContext, value: PlanInput, on_event: EventSink) -> PlanOutput:
    """Read manifests and cluster, compare, plan.

    Raises:
        ManifestInvalid: The manifests have mistakes.
    """
    engine = reconciler(context, on_event)
    plan = await planned(engine, value, needs_approval=value.needs_approval, save=value.save)
    return PlanOutput(plan, value.save)


SPEC = ActionSpec(
    name="plan",
    summary="Show what an apply would do",
    risk=Risk.READ,
    input=PlanInput,
    output=PlanOutput,
    run=run,
)
