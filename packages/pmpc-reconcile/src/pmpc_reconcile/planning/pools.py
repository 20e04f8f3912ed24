"""Guests leave a pool before they join another one, and a pool goes when its guests have left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import attrs

from pmpc_reconcile.diff import Action, FieldChange
from pmpc_reconcile.plans.membership import GUESTS
from pmpc_reconcile.plans.model import ObjectAction
from pmpc_reconcile.plans.situation import Built, Situation
from pmpc_reconcile.plans.steps import (
    CloneGuest,
    Configure,
    CreateGuest,
    DeletePool,
    SetPool,
    Step,
)


def in_order_of_pools(situation: Situation, built: Sequence[Built]) -> list[Built]:
    """Return what was planned, with guests leaving a pool before they join another one.

    A guest that is in a pool nobody takes it out of cannot join one: that is refused.
    """
    steps = [step for each in built for step in each.steps]
    leaving: dict[str, list[str]] = {}
    moving: dict[str, list[str]] = {}
    for step in steps:
        if isinstance(step, SetPool):
            moving.setdefault(str(step.previous), []).append(step.id)
            if step.pool is None and step.address in situation.vmids:
                leaving.setdefault(str(situation.vmids[step.address]), []).append(step.id)
        for vmid in _members(step, Action.REMOVE):
            leaving.setdefault(vmid, []).append(step.id)
    again = {
        str(each.item.vmid): each
        for each in built
        if each.item.action is ObjectAction.REPLACE and each.item.vmid is not None
    }
    ordered = [_ordered(situation, each, leaving, moving) for each in built]
    return [_rejoining(each, again) for each in ordered] if again else ordered


def _rejoining(each: Built, again: Mapping[str, Built]) -> Built:
    """Return a pool with a step that puts guests back which are made anew; deleting takes out."""
    lost = [path for path in each.item.owned_after if path.removeprefix(GUESTS) in again]
    if not each.item.address.startswith("Pool/") or not lost or each.item.conflicts:
        return each
    owned = {path: value for path, value in each.item.owned_after.items() if path not in lost}
    changes: list[FieldChange] = []
    after = [step.id for step in each.steps]
    for path in lost:
        guest = again[path.removeprefix(GUESTS)]
        joined = f"{GUESTS}{guest.item.address}"
        owned[joined] = each.item.owned_after[path]
        changes.append(FieldChange(path=joined, action=Action.ADD, desired=True))
        after += [step.id for step in guest.steps if isinstance(step, CloneGuest | CreateGuest)]
    name = each.item.address.partition("/")[2]
    step = Configure(
        id=f"{each.item.address}#rejoin",
        address=each.item.address,
        summary=f"put {', '.join(change.path for change in changes)} into pool {name} again",
        reason="deleting a guest takes it out of its pool",
        after=tuple(after),
        locks=("file:user.cfg",),
        inverse="write the previous values",
        changes=tuple(changes),
    )
    item = attrs.evolve(
        each.item,
        action=ObjectAction.UPDATE,
        changes=(*each.item.changes, *changes),
        owned_after=owned,
        record=True,
    )
    return attrs.evolve(each, item=item, steps=(*each.steps, step))


def _ordered(
    situation: Situation,
    each: Built,
    leaving: Mapping[str, list[str]],
    moving: Mapping[str, list[str]],
) -> Built:
    name = each.item.address.partition("/")[2]
    steps: list[Step] = []
    for step in each.steps:
        before: list[str] = moving.get(name, []) if isinstance(step, DeletePool) else []
        for vmid in _members(step, Action.ADD):
            before = [*before, *leaving.get(vmid, ())]
            entry = situation.inventory.guests.get(int(vmid)) if vmid.isdigit() else None
            if entry and entry.pool not in (None, name) and vmid not in leaving:
                return _refused(situation, each, vmid, str(entry.pool))
        new = tuple(one for one in before if one not in step.after and one != step.id)
        steps.append(attrs.evolve(step, after=(*step.after, *new)) if new else step)
    return attrs.evolve(each, steps=tuple(steps))


def _refused(situation: Situation, each: Built, vmid: str, pool: str) -> Built:
    manifest = situation.declared[each.item.address]
    references = {GUESTS + vmid} | {
        GUESTS + address for address, known in situation.vmids.items() if str(known) == vmid
    }
    path = next(path for path in manifest.fields if path in references)
    problem = manifest.diagnose(
        f"guest {vmid} is in pool {pool}, and a guest is in one pool only",
        f"spec.{path}",
        hint=f"take it out of pool {pool}, or do not declare it here",
    )
    item = attrs.evolve(each.item, action=ObjectAction.REFUSED, notes=(problem.message,))
    return Built(item, (), (*each.diagnostics, problem))


def _members(step: Step, action: Action) -> Iterator[str]:
    """Return the guests that a step puts into its pool or takes out of it."""
    if isinstance(step, Configure) and step.address.startswith("Pool/"):
        for change in step.changes:
            if change.path.startswith(GUESTS) and change.action is action:
                yield change.path.removeprefix(GUESTS)
