"""Conditions of an object in Kubernetes' words, read off its entry in a plan. Pure.

`Synced` it is as declared; `Healthy` it can and does do its work as far as the declaration says;
`RestartRequired` values wait for a restart; `Drifted` somebody changed or deleted what we applied;
`Conflict` somebody's value stands against ours; `Unknown` its node does not answer.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import attrs

from pmpc_reconcile.plans.cold import NEEDS_STOP
from pmpc_reconcile.plans.model import ObjectAction, ObjectPlan, Plan
from pmpc_reconcile.plans.steps import HOOK_STEPS, RestartGuest

if TYPE_CHECKING:
    from pmpc_reconcile.execute.report import ApplyReport


class ConditionType(enum.Enum):
    """What a condition is about."""

    SYNCED = "Synced"
    HEALTHY = "Healthy"
    RESTART_REQUIRED = "RestartRequired"
    DRIFTED = "Drifted"
    CONFLICT = "Conflict"
    UNKNOWN = "Unknown"


class Truth(enum.Enum):
    """Whether a condition holds."""

    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"


@attrs.frozen
class Condition:
    """One statement about an object.

    Attributes:
        type: What it is about.
        status: Whether it holds.
        reason: Why, in one word for programs.
        message: Why, in a sentence for people; may be empty.
    """

    type: ConditionType
    status: Truth
    reason: str
    message: str = ""


_DIFFERS = (ObjectAction.CREATE, ObjectAction.UPDATE, ObjectAction.DELETE, ObjectAction.CONFLICT)


def conditions_of(
    item: ObjectPlan, *, recorded: bool, restarts: tuple[str, ...] = ()
) -> tuple[Condition, ...]:
    """Return every condition of an object.

    Args:
        item: What a plan made of it.
        recorded: Whether it was applied before, so that a missing object was deleted by somebody.
        restarts: Options for whose sake the plan would restart it.
    """
    if item.action is ObjectAction.UNKNOWN:
        return _not_seen("; ".join(item.notes) or "its node does not answer")
    return (
        _synced(item),
        _healthy(item),
        _restart(item, restarts),
        _drifted(item, recorded=recorded),
        _conflict(item),
        Condition(ConditionType.UNKNOWN, Truth.FALSE, "Seen"),
    )


def conditions_of_plan(plan: Plan, recorded: Iterable[str]) -> Mapping[str, tuple[Condition, ...]]:
    """Return the conditions of every object of a plan by address."""
    before = frozenset(recorded)
    restarts = {step.address: step.keys for step in plan.steps if isinstance(step, RestartGuest)}
    return {
        item.address: conditions_of(
            item, recorded=item.address in before, restarts=restarts.get(item.address, ())
        )
        for item in plan.objects
    }


def conditions_after(
    plan: Plan, report: ApplyReport, recorded: Iterable[str] = ()
) -> Mapping[str, tuple[Condition, ...]]:
    """Return the conditions of a plan's objects after it was applied; deleted ones have none.

    Args:
        plan: The plan.
        report: What became of it.
        recorded: Objects that were applied before.
    """
    before = frozenset(recorded)
    hooks = {step.id for step in plan.steps if isinstance(step, HOOK_STEPS)}
    wrong_ones = (item for item in (*report.failed, *report.skipped) if item.step_id not in hooks)
    failed = {item.address: item for item in reversed(tuple(wrong_ones))}
    found: dict[str, tuple[Condition, ...]] = {}
    for item in plan.objects:
        wrong = failed.get(item.address)
        if wrong is not None:
            given = conditions_of(item, recorded=item.address in before)
            synced = Condition(ConditionType.SYNCED, Truth.FALSE, "StepFailed", wrong.reason)
            found[item.address] = (synced, *given[1:])
        elif item.action not in (ObjectAction.DELETE, ObjectAction.FORGET):
            waits = item.address in report.restart_required
            found[item.address] = conditions_of(_applied(item, waits=waits), recorded=True)
    return found


def _applied(item: ObjectPlan, *, waits: bool) -> ObjectPlan:
    """Return the entry of an object as a plan made afterwards would have it."""
    if item.action in (ObjectAction.CREATE, ObjectAction.UPDATE, ObjectAction.REPLACE):
        cold = tuple(
            change
            for change in item.changes
            if item.waits.startswith(NEEDS_STOP) and item.effects.get(change.path) == "stop"
        )
        item = attrs.evolve(item, action=ObjectAction.NONE, changes=cold, ailment="", behind=())
    if waits:
        return item
    return attrs.evolve(item, restart=(), waits="")


def _not_seen(why: str) -> tuple[Condition, ...]:
    unknown = tuple(
        Condition(type_, Truth.UNKNOWN, "NotSeen", why)
        for type_ in ConditionType
        if type_ is not ConditionType.UNKNOWN
    )
    return (*unknown, Condition(ConditionType.UNKNOWN, Truth.TRUE, "NotSeen", why))


def _synced(item: ObjectPlan) -> Condition:
    if item.action is ObjectAction.REFUSED:
        return Condition(ConditionType.SYNCED, Truth.FALSE, "Refused", "; ".join(item.notes))
    if item.conflicts:
        return Condition(ConditionType.SYNCED, Truth.FALSE, "Conflict", _paths(item.conflicts))
    if item.action in _DIFFERS and not _only_restarts(item):
        reason = {ObjectAction.CREATE: "Missing", ObjectAction.DELETE: "Undeclared"}
        return Condition(
            ConditionType.SYNCED,
            Truth.FALSE,
            reason.get(item.action, "Differs"),
            _paths(item.changes),
        )
    cold = [change for change in item.changes if item.effects.get(change.path) == "stop"]
    if cold and item.waits.startswith(NEEDS_STOP):
        return Condition(ConditionType.SYNCED, Truth.FALSE, NEEDS_STOP, _paths(cold))
    if item.behind:
        message = f"its cloud-init drive still has the former {', '.join(item.behind)}"
        return Condition(ConditionType.SYNCED, Truth.FALSE, "DriveBehind", message)
    return Condition(ConditionType.SYNCED, Truth.TRUE, "AsDeclared")


def _healthy(item: ObjectPlan) -> Condition:
    if item.action is ObjectAction.REFUSED:
        return Condition(ConditionType.HEALTHY, Truth.FALSE, "Refused", "; ".join(item.notes))
    if item.action is ObjectAction.CREATE:
        return Condition(ConditionType.HEALTHY, Truth.FALSE, "Missing", "it does not exist")
    wrong = [change for change in (*item.changes, *item.conflicts) if change.path == "state"]
    if wrong:
        message = f"it is {wrong[0].live} and was declared {wrong[0].desired}"
        return Condition(ConditionType.HEALTHY, Truth.FALSE, "WrongState", message)
    if item.ailment:
        return Condition(ConditionType.HEALTHY, Truth.FALSE, *_worded(item.ailment))
    return Condition(ConditionType.HEALTHY, Truth.TRUE, "AsDeclared")


def _restart(item: ObjectPlan, restarts: tuple[str, ...]) -> Condition:
    if restarts:
        message = f"{', '.join(restarts)} wait for a restart, which may come now"
        return Condition(ConditionType.RESTART_REQUIRED, Truth.TRUE, "RestartDue", message)
    if item.waits:
        return Condition(ConditionType.RESTART_REQUIRED, Truth.TRUE, *_worded(item.waits))
    if item.restart:
        message = f"{', '.join(item.restart)} wait for a restart"
        return Condition(ConditionType.RESTART_REQUIRED, Truth.TRUE, "PendingValues", message)
    return Condition(ConditionType.RESTART_REQUIRED, Truth.FALSE, "NothingPending")


def _drifted(item: ObjectPlan, *, recorded: bool) -> Condition:
    if recorded and item.action is ObjectAction.CREATE:
        return Condition(ConditionType.DRIFTED, Truth.TRUE, "Deleted", "somebody deleted it")
    if item.conflicts:
        told = [
            f"{change.path}"
            + (f" by {item.theirs[change.path]}" if change.path in item.theirs else "")
            for change in item.conflicts
        ]
        return Condition(ConditionType.DRIFTED, Truth.TRUE, "Changed", ", ".join(told))
    if recorded and item.action is ObjectAction.UPDATE and not _only_restarts(item):
        return Condition(ConditionType.DRIFTED, Truth.TRUE, "Changed", _paths(item.changes))
    return Condition(ConditionType.DRIFTED, Truth.FALSE, "AsApplied")


def _conflict(item: ObjectPlan) -> Condition:
    if item.conflicts:
        return Condition(ConditionType.CONFLICT, Truth.TRUE, "Changed", _paths(item.conflicts))
    return Condition(ConditionType.CONFLICT, Truth.FALSE, "NoConflict")


def _only_restarts(item: ObjectPlan) -> bool:
    return item.action is ObjectAction.UPDATE and not item.changes


def _worded(told: str) -> tuple[str, str]:
    """Split `Word: sentence`."""
    word, _, sentence = told.partition(": ")
    return word, sentence


def _paths(changes: Iterable[object]) -> str:
    return ", ".join(str(getattr(change, "path", change)) for change in changes)
