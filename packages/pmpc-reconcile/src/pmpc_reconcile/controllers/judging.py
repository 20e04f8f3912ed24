"""What a plan means for the loop: what drifted, what is due, what it must leave alone. Pure."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from pmpc_reconcile.conditions import Condition, ConditionType, Truth
from pmpc_reconcile.controllers.policy import Policy, policy_for
from pmpc_reconcile.execute.report import ApplyReport
from pmpc_reconcile.plans.model import ObjectAction, Plan
from pmpc_reconcile.plans.steps import RestartGuest, Step
from pmpc_reconcile.risk import Risk
from pmpc_state import Control

HEALABLE = (ObjectAction.CREATE, ObjectAction.UPDATE, ObjectAction.CONFLICT)
HELPLESS = (ObjectAction.REFUSED, ObjectAction.UNKNOWN)


def due_restarts(plan: Plan) -> tuple[str, ...]:
    """Return the objects whose restart policy lets them restart now, and that need nothing else."""
    steps: dict[str, list[Step]] = {}
    for step in plan.steps:
        steps.setdefault(step.address, []).append(step)
    return tuple(
        address
        for address, its in steps.items()
        if all(isinstance(step, RestartGuest) for step in its)
    )


def may_heal(policy: Policy) -> bool:
    """Return whether drift of an object is undone."""
    return policy.self_heal and not policy.suspended


def suspended(part: Plan, controls: Iterable[Control]) -> list[str]:
    """Return the objects a plan changes although somebody asked us to leave them alone."""
    said = tuple(controls)
    touched = {step.address for step in part.steps}
    return sorted(item for item in touched if policy_for(said, part.release, item).suspended)


def risky(part: Plan, allowed: Risk) -> list[Step]:
    """Return the steps nobody allowed; restarts are declared by the manifest's own policy."""
    return [
        step
        for step in part.steps
        if step.risk.rank > allowed.rank and not isinstance(step, RestartGuest)
    ]


def told(conditions: tuple[Condition, ...], policy: Policy) -> tuple[Condition, ...]:
    """Say in the Synced condition that an object is left alone on purpose."""
    if not policy.suspended:
        return conditions
    return tuple(
        attrs.evolve(item, reason="Suspended", message=f"{policy.why} {item.message}".strip())
        if item.type is ConditionType.SYNCED and item.status is not Truth.TRUE
        else item
        for item in conditions
    )


def why(report: ApplyReport) -> str:
    """Return why an apply did not go well."""
    wrong = (*report.failed, *report.skipped)
    return "; ".join(f"{item.summary}: {item.reason}" for item in wrong) or "it was left alone"
