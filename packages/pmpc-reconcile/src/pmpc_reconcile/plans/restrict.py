"""A plan for some of its objects only: what the reconcile loop applies."""

from __future__ import annotations

from collections.abc import Collection

import attrs

from pmpc_reconcile.plans.commits import together
from pmpc_reconcile.plans.graph import ordered
from pmpc_reconcile.plans.group_hooks import Fabric, states_in, unwoven, weave
from pmpc_reconcile.plans.model import Plan


def restricted(plan: Plan, addresses: Collection[str]) -> Plan:
    """Return the plan with the steps of some objects, and of those they wait for.

    The manifests it records stay whole, so that a release has the same revision whichever of its
    objects was healed. Objects that are left out keep what is recorded of them.

    Args:
        plan: The whole plan.
        addresses: The objects.
    """
    alone = unwoven(plan.steps)  # what hooks around many objects wait for is not needed
    steps = {step.id: step for step in alone}
    wanted = [step.id for step in alone if step.address in addresses]
    needed: set[str] = set()
    while wanted:
        step_id = wanted.pop()
        if step_id in needed or step_id not in steps:
            continue
        needed.add(step_id)
        wanted.extend(steps[step_id].after)
    own = [step for step in alone if step.id in needed]
    fabric = Fabric(plan.objects, plan.manifests, states_in(plan.steps), plan.purpose)
    kept = ordered(together(weave(fabric, own).steps, plan.objects))
    touched = {step.address for step in kept} | set(addresses)
    return attrs.evolve(
        plan,
        objects=tuple(item for item in plan.objects if item.address in touched),
        steps=kept,
        diagnostics=tuple(
            item for item in plan.diagnostics if item.address is None or item.address in touched
        ),
    )
