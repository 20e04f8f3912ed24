"""What has to hold when a step begins, in words: what was reviewed, and whose the object is.

The executor proves the same from the object's own configuration, right before it writes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pmpc_reconcile.plans.model import ObjectAction, ObjectPlan
from pmpc_reconcile.plans.steps import (
    CloneGuest,
    CreateGuest,
    DeleteGuest,
    HookStep,
    SetPool,
    Step,
)
from pmpc_reconcile.values import ABSENT

if TYPE_CHECKING:
    from pmpc_reconcile.diff import FieldChange
    from pmpc_reconcile.plans.model import Plan


def preconditions(plan: Plan) -> dict[str, tuple[str, ...]]:
    """Return what has to hold for each step, beside the steps it waits for, by the step's id."""
    items = {item.address: item for item in plan.objects}
    return {
        step.id: tuple(_all(plan, items[step.address], step)) if step.address in items else ()
        for step in plan.steps
    }


def _all(plan: Plan, item: ObjectPlan, step: Step) -> Iterator[str]:
    if isinstance(step, CloneGuest | CreateGuest):
        yield "it is nowhere on the cluster"
        if step.vmid is not None:
            yield f"vmid {step.vmid} is free"
        if isinstance(step, CloneGuest):
            yield f"{step.template_name} ({step.template}) is there"
        return
    if item.vmid is not None and item.action is not ObjectAction.CREATE:
        yield f"guest {item.vmid} is still {item.address} of release {plan.release}"
    if isinstance(step, DeleteGuest):
        yield "it is not protected and holds no disk of others"
    if isinstance(step, HookStep):
        return
    if isinstance(step, SetPool):
        yield f"it is in pool {step.previous or 'none'}"
    changes: tuple[FieldChange, ...] = getattr(step, "changes", ())
    yield from (f"{change.path} is {_shown(change.live)}" for change in changes)


def _shown(value: object) -> str:
    return "not set" if value is ABSENT else str(value)
