"""Types `Plan`, `PlanSummary` and what they hold."""

from __future__ import annotations

from typing import Any

import strawberry
from strawberry.scalars import JSON

from pmpc_reconcile.actions.plans import PlanSummary as SummaryValue
from pmpc_reconcile.plans.model import ObjectPlan
from pmpc_reconcile.plans.model import Plan as PlanValue


@strawberry.type(description="What a plan does to one object.")
class PlannedObject:
    """One object of a plan."""

    address: str = strawberry.field(description="such as VirtualMachine/web-1")
    action: str = strawberry.field(
        description="none, create, update, delete, conflict, refused, unknown or keep"
    )
    vmid: int | None
    node: str | None
    conflicts: list[str] = strawberry.field(description="fields somebody else changed")

    @classmethod
    def of(cls, item: ObjectPlan) -> PlannedObject:
        """Return the plan's entry as this type."""
        return cls(
            address=str(item.address),
            action=item.action.value,
            vmid=item.vmid,
            node=item.node,
            conflicts=[str(change.path) for change in item.conflicts],
        )


@strawberry.type(description="What an apply would do, and why.")
class Plan:
    """A plan, ready to be shown and applied by its id."""

    id: strawberry.ID
    release: str
    created_at: str = strawberry.field(description="ISO 8601 in UTC")
    risk: str = strawberry.field(description="read, change, disruptive or destructive")
    empty: bool = strawberry.field(description="whether an apply would write nothing")
    explanation: str = strawberry.field(description="the plan as text for people")
    objects: list[PlannedObject]
    diagnostics: list[str] = strawberry.field(description="mistakes and warnings")
    document: JSON = strawberry.field(description="the whole plan, versioned, without secrets")

    @classmethod
    def of(cls, plan: PlanValue) -> Plan:
        """Return the engine's plan as this type."""
        return cls(
            id=strawberry.ID(plan.id),
            release=plan.release,
            created_at=plan.created_at,
            risk=plan.risk.value,
            empty=plan.empty,
            explanation=plan.explain(),
            objects=[PlannedObject.of(item) for item in plan.objects],
            diagnostics=[item.render() for item in plan.diagnostics],
            document=JSON(plan.to_dict()),
        )


@strawberry.type(description="A stored plan in a list.")
class PlanSummary:
    """Enough of a plan to choose it."""

    id: strawberry.ID
    release: str
    created_at: str = strawberry.field(description="ISO 8601 in UTC")
    status: str = strawberry.field(
        description="planned, applying, applied, partial, failed or refused"
    )
    note: str = strawberry.field(description="what made it: apply, rollback to 1, delete")
    risk: str = strawberry.field(description="risk of its riskiest step")
    counts: JSON = strawberry.field(description="how many objects each action concerns")

    @classmethod
    def of(cls, view: SummaryValue) -> PlanSummary:
        """Return the action's value as this type."""
        counts: dict[str, Any] = dict(view.counts)
        return cls(
            id=strawberry.ID(view.id),
            release=view.release,
            created_at=view.created,
            status=view.status,
            note=view.note,
            risk=view.risk,
            counts=JSON(counts),
        )
