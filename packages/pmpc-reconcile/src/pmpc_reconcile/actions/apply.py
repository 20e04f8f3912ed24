"""`apply`: do what a plan says."""

from __future__ import annotations

from typing import Any

import attrs

from pmpc_reconcile.actions.looking import look_again
from pmpc_reconcile.actions.session import reconciler
from pmpc_reconcile.actions.sources import Wanted, planned
from pmpc_reconcile.actions.spec import ActionContext, ActionSpec, Risk
from pmpc_reconcile.errors import InputInvalid
from pmpc_reconcile.events import EventSink
from pmpc_reconcile.execute.report import ApplyReport
from pmpc_reconcile.plans.model import Plan


@attrs.frozen(kw_only=True)
class ApplyInput(Wanted):
    """A plan, a stored plan, or manifests to plan and apply at once: one of the three.

    Attributes:
        plan: A plan in memory, which still has its secrets; only for callers in this process.
        plan_id: A stored plan.
        max_risk: Refuse a plan that is riskier: `change`, `disruptive` or `destructive`.
        atomic: All or nothing: if a step fails, what was done is undone.
        brake: Stops it when pulled: steps that run end, no further one begins; only for callers
            in this process.
    """

    plan: Any = attrs.field(default=None, metadata={"help": "a plan in memory", "in_process": True})
    plan_id: str | None = attrs.field(default=None, metadata={"help": "id of a stored plan"})
    max_risk: str = attrs.field(
        default="destructive",
        metadata={"help": "refuse riskier plans: change, disruptive or destructive"},
    )
    atomic: bool = attrs.field(
        default=False, metadata={"help": "all or nothing: undo what was done if a step fails"}
    )
    brake: Any = attrs.field(
        default=None, metadata={"help": "stops it when pulled", "in_process": True}
    )


@attrs.frozen
class ApplyOutput:
    """What was done.

    Attributes:
        plan: The plan that was applied.
        report: What became of each step.
    """

    plan: Plan
    report: ApplyReport


async def run(context: ActionContext, value: ApplyInput, on_event: EventSink) -> ApplyOutput:
    """Plan if needed, then execute.

    Raises:
        ManifestInvalid: The manifests have mistakes.
        PlanNotFound: There is no such plan.
        PlanRefused: It has errors, is stale or is riskier than allowed.
    """
    engine = reconciler(context, on_event)
    given = bool(value.paths) or value.text is not None
    if [value.plan is not None, value.plan_id is not None, given].count(True) != 1:
        raise InputInvalid("apply needs a plan, the id of a plan or manifests: one of them")
    if value.plan is not None:
        if not isinstance(value.plan, Plan):
            raise InputInvalid("a plan in memory is a Plan; give the id of a stored one")
        plan = value.plan
    elif value.plan_id is not None:
        plan = await engine.stored_plan(value.plan_id)
    else:
        plan = await planned(engine, value)
    report = await engine.apply(
        plan,
        on_event,
        max_risk=risk_named(value.max_risk),
        atomic=value.atomic,
        brake=value.brake,
    )
    await look_again(context)
    return ApplyOutput(plan, report)


def risk_named(name: str) -> Risk:
    """Return the risk of that name.

    Raises:
        InputInvalid: There is none.
    """
    try:
        return Risk(name)
    except ValueError:
        raise InputInvalid(
            f"{name!r} is no risk; use one of {', '.join(item.value for item in Risk)}"
        ) from None


SPEC = ActionSpec(
    name="apply",
    summary="Bring the cluster to what the manifests or a plan say",
    risk=Risk.DESTRUCTIVE,
    input=ApplyInput,
    output=ApplyOutput,
    run=run,
)
