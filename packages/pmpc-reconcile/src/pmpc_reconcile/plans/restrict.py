"""A plan for some of its objects only: what the reconcile loop applies."""

from __future__ import annotations

from collections.abc import Collection

import attrs

from pmpc_reconcile.plans.model import Plan


def restricted(plan: Plan, addresses: Collection[str]) -> Plan:
    """Return the plan with the steps of some objects, and of those they wait for.

    The manifests it records stay whole, so that a release has the same revision whichever of its
    objects was healed. Objects that are left out keep what is recorded of them.

    Args:
        plan: The whole plan.
        addresses: The objects.
    """
    steps = {step.id: step for step in plan.steps}
    wanted = [step.id for step in plan.steps if step.address in addresses]
    needed: set[str] = set()
    while wanted:
        step_id = wanted.pop()
        if step_id in needed or step_id not in steps:
            continue
        needed.add(step_id)
        wanted.extend(steps[step_id].after)
    touched = {steps[step_id].address for step_id in needed} | set(addresses)
    return attrs.evolve(
        plan,
        objects=tuple(item for item in plan.objects if item.address in touched),
        steps=tuple(step for step in plan.steps if step.id in needed),
        diagnostics=tuple(
            item for item in plan.diagnostics if item.address is None or item.address in touched
        ),
    )
