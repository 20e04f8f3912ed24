"""The goal about a level of the firewall: one guarded call after the other, none of which cuts off.

The calls are worked out from what is there, and worked out anew whenever something else is there
than the last call left: so a rule is only ever touched at the position it has at that moment.
"""

from __future__ import annotations

from typing import Final

import attrs

from pmpc_reconcile.diff import Action, FieldChange
from pmpc_reconcile.execute.goals.base import ExistingGuestGoal
from pmpc_reconcile.execute.reviewed import still_missing, valued
from pmpc_reconcile.execute.steprun import StepRun
from pmpc_reconcile.execute.trouble import Call, StepFailure
from pmpc_reconcile.groups.firewall.edits import NoSafeWay, plan_edits
from pmpc_reconcile.groups.firewall.fields import ORDER, level_fields, target_of
from pmpc_reconcile.groups.firewall.parts import Edit
from pmpc_reconcile.groups.firewall.reach import Safe, kept_reachable, of_guest
from pmpc_reconcile.groups.firewall.state import Level
from pmpc_reconcile.live.firewall import CLUSTER_PATH, LiveLevel, read_level, read_whole, with_level
from pmpc_reconcile.plans.model import ObjectAction
from pmpc_reconcile.plans.settings import KEY
from pmpc_reconcile.plans.steps import Configure
from pmpc_reconcile.values import ABSENT, Absent, FieldValue
from pmpc_reconcile.values.rules import Rule

FIREWALL: Final = "Firewall/"


class FirewallGoal(ExistingGuestGoal):
    """Options, sets, groups and rules are as declared, ours in their order."""

    def __init__(self, step: Configure) -> None:
        self.step = step
        self._edits: tuple[Edit, ...] = ()
        self._next = 0

    async def next_call(self, run: StepRun) -> Call | None:
        """Return the next single call."""
        path = await _path(run)
        if path is None:
            return None  # it went with its guest
        read = await read_level(run.live, path)
        if not self._on_course(read.level):
            await self._plan(run, path, read.level)
        if self._next == len(self._edits):
            return None
        return self._call(path, read)

    def _on_course(self, level: Level) -> bool:
        """Return whether what is there is what the last call left, or still what it found."""
        if self._next < len(self._edits) and level == self._edits[self._next].after:
            self._next += 1
            return True
        return self._next > 0 and level == self._edits[self._next - 1].after

    async def _plan(self, run: StepRun, path: str, level: Level) -> None:
        changes = _missing(run, level, self.step)
        target = target_of(level, changes)
        try:
            self._edits = plan_edits(level, target, await _guard(run, path, level, target))
        except NoSafeWay as refusal:
            raise StepFailure(str(refusal)) from refusal
        self._next = 0

    def _call(self, path: str, read: LiveLevel) -> Call:
        edit = self._edits[self._next]
        params = dict(edit.params)
        digest = None if edit.guard is None else read.digests.get(edit.guard)
        if digest is not None:
            params["digest"] = digest
        name = f"{self._next + 1}/{len(self._edits)} {edit.name}"
        return Call(name, edit.method, f"{path}/{edit.below}", params, {"firewall": path})


async def _guard(run: StepRun, path: str, level: Level, target: Level) -> Safe:
    if path != CLUSTER_PATH and path.count("/") > 3:
        cluster = (await read_level(run.live, CLUSTER_PATH)).level
        return kept_reachable(level, target, lambda each: of_guest(each, cluster))
    whole = await read_whole(run.live, path, level)
    return kept_reachable(level, target, lambda each: with_level(whole, path, each))


async def _path(run: StepRun) -> str | None:
    key = run.item.evidence[KEY]
    if key == "cluster":
        return CLUSTER_PATH
    scope, _, name = key.partition("/")
    if scope == "node":
        return f"/nodes/{name}/firewall"
    vmid = int(name) if name else _vmid(run)
    run.target.vmid = vmid
    listed = await run.inventory.recent()
    entry = listed.guests.get(vmid)
    if entry is None:
        if run.item.action is ObjectAction.DELETE:
            return None
        raise StepFailure(f"guest {vmid} does not exist any more; plan again")
    return f"/nodes/{entry.node}/{entry.guest}/{vmid}/firewall"


def _vmid(run: StepRun) -> int:
    """Return the vmid of the guest that the plan has made by now."""
    reference = str(run.manifest().spec.get("guest", ""))
    other = run.others.get(reference)
    if other is None or other.vmid is None:
        raise StepFailure(f"{reference} has no vmid yet, so its firewall cannot be set")
    return other.vmid


def _missing(run: StepRun, level: Level, step: Configure) -> tuple[FieldChange, ...]:
    """Return the changes that are not in effect, each checked against what was reviewed."""
    scope = run.item.evidence[KEY].partition("/")[0]
    live = level_fields(level, scope, valued(step.changes))
    return still_missing(
        "Firewall", step, live, lambda change, now: _half_made(change, now, taken_back=step.lenient)
    )


def _half_made(change: FieldChange, now: FieldValue | Absent, *, taken_back: bool) -> bool:
    """Return whether a rule of ours stands there switched off: it was on its way to its place.

    So it may be when it is made, and when its making is taken back.
    """
    if change.path.endswith(ORDER):
        return True
    removed = change.action is Action.REMOVE and taken_back
    ours = change.desired if change.action is Action.ADD else change.live if removed else ABSENT
    if isinstance(ours, Absent) or isinstance(now, Absent) or "rules." not in change.path:
        return False
    return Rule.of_field("", str(now)) == attrs.evolve(Rule.of_field("", str(ours)), enabled=False)
