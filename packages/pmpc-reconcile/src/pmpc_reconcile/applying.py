"""Apply a plan: what has to hold beforehand, and the lease while it runs."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from pmpc_reconcile.approvals import content_of, refuse_unless_approved
from pmpc_reconcile.conditions import conditions_after
from pmpc_reconcile.errors import PlanNotFound, PlanRefused, PlanStale, PlanTooRisky
from pmpc_reconcile.execute.executor import Course, Executor, refuse_unless_applicable
from pmpc_reconcile.execute.report import ApplyReport
from pmpc_reconcile.execute.work import Means
from pmpc_reconcile.plans.model import Plan
from pmpc_reconcile.records import Records, lease_name
from pmpc_reconcile.releases import needs_revision
from pmpc_reconcile.risk import Risk
from pmpc_state import PlanStatus, this_process


async def apply_plan(means: Means, plan: Plan, course: Course, *, max_risk: Risk) -> ApplyReport:
    """Do what a plan says; `Reconciler.apply` tells the rest.

    Args:
        means: What to work with.
        plan: The plan.
        course: How to apply it.
        max_risk: Refuse a plan that is riskier.
    """
    records = means.records
    _check_risk(plan, max_risk)
    refuse_unless_applicable(plan, atomic=course.atomic)
    if plan.cluster != records.cluster:
        raise PlanRefused(
            f"plan {plan.id} is for cluster {plan.cluster!r}, and this is {records.cluster!r}"
        )
    await _check_base(records, plan)
    await _ensure_saved(records, plan)
    await refuse_unless_approved(records, plan, course.approval_from)
    await _refuse_if_altered(records, plan)
    recorded = await records.managed(plan.release)
    quiet = await _nothing_to_do(records, plan)
    if quiet is not None:
        return _told(plan, quiet, recorded)
    writer = records.state.writer()
    name, seconds = lease_name(records.cluster, plan.release), means.patience.lease
    lease = await records.run(
        lambda: writer.leases.acquire(name, holder=this_process(), seconds=seconds)
    )
    try:
        await _check_base(records, plan)  # again: until now another process could apply
        if course.check is not None:
            await course.check()
        report = await Executor(means).apply(plan, lease, course)
        return _told(plan, report, recorded)
    finally:
        await records.run(lambda: writer.leases.release(lease))


def _told(plan: Plan, report: ApplyReport, recorded: Iterable[str]) -> ApplyReport:
    """Return a report with the conditions of the objects; one that was taken back has none."""
    if report.undone:
        return report
    return attrs.evolve(report, conditions=conditions_after(plan, report, recorded))


def _check_risk(plan: Plan, allowed: Risk) -> None:
    risky = [step for step in plan.steps if step.risk.rank > allowed.rank]
    if risky:
        raise PlanTooRisky(
            f"plan {plan.id} is {plan.risk.value}, and only {allowed.value} is allowed",
            [f"{step.summary} ({step.risk.value})" for step in risky],
        )


async def _check_base(records: Records, plan: Plan) -> None:
    revisions = await records.revisions(plan.release)
    newest = revisions[-1] if revisions else None
    number = newest.number if newest else None
    if number == plan.base_revision or (newest is not None and newest.plan_id == plan.id):
        return
    raise PlanStale(
        f"plan {plan.id} was made against revision {plan.base_revision or 'none'} of release "
        f"{plan.release}, which is at {number} now; make a new plan"
    )


async def _ensure_saved(records: Records, plan: Plan) -> None:
    try:
        await records.plan_record(plan.id)
    except PlanNotFound:
        await records.save_plan(plan)


async def _refuse_if_altered(records: Records, plan: Plan) -> None:
    """Refuse a plan that says something else than the one stored by that id."""
    if content_of(await records.load_plan(plan.id)) != content_of(plan):
        raise PlanRefused(
            f"plan {plan.id} is not what was stored by that id: it was changed since, such as in "
            "its file; make a new plan"
        )


async def _nothing_to_do(records: Records, plan: Plan) -> ApplyReport | None:
    """Return the report of a plan that neither writes nor records anything, else None."""
    if plan.steps or any(item.record for item in plan.objects):
        return None
    revisions = await records.revisions(plan.release)
    if needs_revision(plan, revisions[-1] if revisions else None):
        return None
    await records.claim_plan(plan)
    await records.end_plan(plan, PlanStatus.APPLIED)
    return ApplyReport(
        plan.id,
        plan.release,
        (),
        conflicts=tuple(item.address for item in plan.conflicts),
        restart_required=tuple(item.address for item in plan.objects if item.restart),
    )
