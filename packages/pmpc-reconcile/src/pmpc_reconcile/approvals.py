"""Approval of plans: one makes a plan, another one says that it may be applied.

An approval is a line of the audit log, which nobody can change unnoticed. It names the hash of the
plan, so it holds for exactly what was reviewed.
"""

from __future__ import annotations

import hashlib
import json

import attrs

from pmpc_reconcile.errors import PlanRefused
from pmpc_reconcile.moments import show_moment
from pmpc_reconcile.plans.codec import plan_to_dict
from pmpc_reconcile.plans.model import Plan
from pmpc_reconcile.records import Records
from pmpc_reconcile.risk import Risk
from pmpc_state import AuditEntry, PlanStatus

_ACTION = "approve"
_ALL = 1_000_000


@attrs.frozen
class Approval:
    """Somebody's word that a plan may be applied.

    Attributes:
        actor: Who.
        at: When, ISO 8601 in UTC.
        note: Why, in their words.
    """

    actor: str
    at: str
    note: str = ""


def content_of(plan: Plan) -> str:
    """Return the hash of all a plan says; secrets count by their fingerprints only."""
    text = json.dumps(plan_to_dict(plan), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


async def approve(records: Records, plan_id: str, note: str = "") -> Plan:
    """Say that a stored plan may be applied.

    Args:
        records: Whose actor says so.
        plan_id: The plan.
        note: Why.

    Raises:
        PlanNotFound: There is none.
        PlanRefused: The same actor made it, or it was applied already.
    """
    stored = await records.plan_record(plan_id)
    if stored.actor == records.actor:
        raise PlanRefused(
            f"cannot approve plan {stored.id}: {stored.actor} made it, and approval is another's"
        )
    if stored.status is not PlanStatus.PLANNED:
        raise PlanRefused(f"cannot approve plan {stored.id}: it is {stored.status.value} already")
    plan = await records.load_plan(stored.id)
    detail = {"content": content_of(plan), "note": note}
    await records.audit(_ACTION, plan.id, detail)
    return plan


async def approvals_of(records: Records, plan: Plan) -> tuple[Approval, ...]:
    """Return who approved exactly this plan, the first one first."""
    content = content_of(plan)

    def read() -> tuple[AuditEntry, ...]:
        return records.state.reader().audit.entries(cluster=records.cluster, limit=_ALL)

    return tuple(
        Approval(entry.actor, show_moment(entry.at), str(entry.detail.get("note", "")))
        for entry in reversed(await records.run(read))
        if (entry.action, entry.subject) == (_ACTION, plan.id)
        and entry.detail.get("content") == content
    )


async def refuse_unless_approved(records: Records, plan: Plan, from_risk: Risk | None) -> None:
    """Refuse a plan that needs an approval it does not have.

    Args:
        records: What is remembered.
        plan: The plan.
        from_risk: Plans of this risk and above need one; None leaves it to the plan.

    Raises:
        PlanRefused: It needs one.
    """
    risky = from_risk is not None and plan.risk.rank >= from_risk.rank
    if plan.empty or not (plan.needs_approval or risky):
        return
    if not await approvals_of(records, plan):
        raise PlanRefused(
            f"cannot apply plan {plan.id}: it needs the approval of somebody else than who made "
            f"it; they give it with `pmpc approve {plan.id}`"
        )
