"""What verbs answer that plan and then do: the plan, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from pmpc_reconcile.actions.looking import look_again
from pmpc_reconcile.actions.spec import ActionContext
from pmpc_reconcile.events import EventSink
from pmpc_reconcile.execute.report import ApplyReport
from pmpc_reconcile.plans.model import Plan

if TYPE_CHECKING:
    from pmpc_reconcile.engine import Reconciler


@attrs.frozen
class CarriedOut:
    """What was planned and done.

    Attributes:
        plan: The plan.
        report: What became of it; None for a dry run.
    """

    plan: Plan
    report: ApplyReport | None


async def carry_out(
    context: ActionContext, engine: Reconciler, plan: Plan, on_event: EventSink, *, dry_run: bool
) -> CarriedOut:
    """Do what a plan says and look at the outcome, unless it is a dry run."""
    if dry_run:
        return CarriedOut(plan, None)
    report = await engine.apply(plan, on_event)
    await look_again(context)
    return CarriedOut(plan, report)
