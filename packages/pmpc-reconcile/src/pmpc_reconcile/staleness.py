"""Which objects of a plan are not as they were when it was made."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import attrs

from pmpc_reconcile.live import Inventory, LiveCluster
from pmpc_reconcile.plans.model import ObjectAction, ObjectPlan, Plan


@attrs.frozen
class StaleObject:
    """An object that changed since a plan was made.

    Attributes:
        address: The object.
        reason: What changed, for people.
        blocking: Whether it may keep the plan's steps from running. A change of other fields does
            not: each step looks at its own fields again.
    """

    address: str
    reason: str
    blocking: bool


async def stale_objects(live: LiveCluster, plan: Plan) -> tuple[StaleObject, ...]:
    """Return the guests of a plan that moved, changed or went since it was made.

    Raises:
        PveError: The cluster cannot be read.
    """
    inventory = await live.inventory()
    known = [item for item in plan.objects if item.vmid is not None and item.digest is not None]
    found = await asyncio.gather(*(_look(live, inventory, item) for item in known))
    return tuple(one for one in found if one is not None)


def stale_settings(plan: Plan, now: Plan) -> tuple[StaleObject, ...]:
    """Return the pools and settings of a plan of which fields changed since it was made.

    Args:
        plan: The plan.
        now: What planning the same gives now.
    """
    found: list[StaleObject] = []
    for item in settings_of(plan):
        later = now.find(item.address)
        if later is None:
            found.append(StaleObject(item.address, "it is gone", blocking=True))
            continue
        live = {change.path: change.live for change in (*later.changes, *later.conflicts)}
        other = [one.path for one in item.changes if live.get(one.path, one.desired) != one.live]
        if other:
            blocking = any(path in live for path in other)
            reason = f"somebody changed {', '.join(other)}"
            found.append(StaleObject(item.address, reason, blocking=blocking))
    return tuple(found)


def settings_of(plan: Plan) -> tuple[ObjectPlan, ...]:
    """Return the pools and settings that a plan would change."""
    acting = (ObjectAction.UPDATE, ObjectAction.CREATE, ObjectAction.DELETE)
    return tuple(
        item
        for item in plan.objects
        if item.kind not in ("VirtualMachine", "Container") and item.action in acting
    )


async def _look(live: LiveCluster, inventory: Inventory, item: ObjectPlan) -> StaleObject | None:
    from proxmox_client import NotFound

    entry = None if item.vmid is None else inventory.guests.get(item.vmid)
    if entry is None:
        return StaleObject(item.address, f"guest {item.vmid} is gone", True)
    if not inventory.reachable(entry.node):
        return StaleObject(item.address, f"node {entry.node} does not answer", True)
    try:
        config = await live.config(entry.node, entry.guest, entry.vmid)
    except NotFound:
        return StaleObject(item.address, f"guest {item.vmid} is on its way", True)
    if str(config.get("digest", "")) != item.digest:
        return StaleObject(item.address, *_what(item, config))
    if entry.node != item.node:
        return StaleObject(item.address, f"it moved from {item.node} to {entry.node}", False)
    return None


def _what(item: ObjectPlan, config: Mapping[str, object]) -> tuple[str, bool]:
    """Say whether the fields to write are those that changed."""
    from pmpc_reconcile.kinds import kind
    from pmpc_reconcile.values import default_of, live_fields, same

    of = kind(item.kind)
    live = live_fields(of, config)
    changed = [
        change.path
        for change in item.changes
        if change.path.startswith("config.")
        and not same(
            of, change.path, change.live, live.get(change.path, default_of(of, change.path))
        )
    ]
    if changed:
        return f"somebody changed {', '.join(changed)}", True
    return "somebody changed other fields of it", False
