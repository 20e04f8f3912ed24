"""Take a plan back: the steps that undo its steps, and which of them nothing can undo.

An undo step is a step like any other: it says what shall be true. What was never done needs no
undoing, so it is harmless to undo a step that may not have happened. Fields somebody else changed
meanwhile are left as they are (`lenient`).
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

import attrs

from pmpc_reconcile.diff import Action, FieldChange
from pmpc_reconcile.identity.disks import SLOT
from pmpc_reconcile.plans.graph import dependants
from pmpc_reconcile.plans.model import ObjectAction, ObjectPlan, Plan
from pmpc_reconcile.plans.steps import (
    BackupGuest,
    CloneGuest,
    Configure,
    CreateGuest,
    CreatePool,
    CreateStorage,
    DeleteGuest,
    DeletePool,
    DeleteStorage,
    FetchImage,
    Gate,
    MigrateGuest,
    MoveDisk,
    RegenerateCloudInit,
    RestartGuest,
    SetPool,
    ShutdownByHook,
    ShutdownGuest,
    SnapshotGuest,
    StartByHook,
    StartGuest,
    Step,
    WaitForGuest,
)
from pmpc_reconcile.plans.withheld import manifest_in
from pmpc_reconcile.values import ABSENT, SecretMark, split_path

UNDO: Final = "#undo-"
"""What stands in the ids of undo steps: `VirtualMachine/web-1#undo-configure`."""


@attrs.frozen
class Undo:
    """A step that undoes another one.

    Attributes:
        step: What to do.
        of: Id of the step it undoes.
    """

    step: Step
    of: str


def irreversible(plan: Plan) -> tuple[str, ...]:
    """Return why a plan cannot be taken back as a whole; nothing if it can."""
    fresh = {item.address for item in plan.objects if item.action is ObjectAction.CREATE}
    found: list[str] = []
    for step in plan.steps:
        if step.address not in fresh:
            found.extend(f"{step.summary}: {why}" for why in _obstacles(step))
        if isinstance(step, FetchImage) and manifest_in(plan, step.address) is None:
            found.append(f"{step.summary}: nothing tells where to fetch it from again")
    return tuple(found)


def undo_plan(plan: Plan, begun: Collection[str]) -> tuple[Undo, ...]:
    """Return what undoes the steps that were begun, the last ones first.

    Args:
        plan: The plan.
        begun: Ids of the steps that did something or may have.
    """
    items = {item.address: item for item in plan.objects}
    undos = {step.id: _undo(step, items[step.address]) for step in plan.steps if step.id in begun}
    waiting = dependants(plan.steps)
    found: list[Undo] = []
    for step in reversed(plan.steps):
        undo = undos.get(step.id)
        if undo is not None:
            after = tuple(_after(step.id, waiting, undos))
            found.append(Undo(attrs.evolve(undo, after=after), step.id))
    return (*found, *_once_more(plan, begun, found))


def _after(
    step_id: str, waiting: Mapping[str, tuple[str, ...]], undos: Mapping[str, Step | None]
) -> Iterator[str]:
    """Name the undo steps to wait for: of the steps that waited for this one, near or far."""
    for other in waiting[step_id]:
        undo = undos.get(other)
        if undo is not None:
            yield undo.id
        else:
            yield from _after(other, waiting, undos)


def _once_more(plan: Plan, begun: Collection[str], undos: Sequence[Undo]) -> Iterator[Undo]:
    """Do again what brought written values into effect, so that the values before take effect."""
    for step in plan.steps:
        if not isinstance(step, RestartGuest | RegenerateCloudInit) or step.id not in begun:
            continue
        before = tuple(undo.step.id for undo in undos if undo.step.address == step.address)
        again = attrs.evolve(step, id=_name(step), summary=f"{step.summary} again", after=before)
        if isinstance(again, RestartGuest):
            again = attrs.evolve(again, until=None)
        yield Undo(again, step.id)


def _obstacles(step: Step) -> Iterator[str]:
    if isinstance(step, Configure | MoveDisk):
        yield from (why for change in step.changes if (why := _lasting(change)))
    elif (
        not isinstance(
            step,
            RestartGuest | RegenerateCloudInit | SnapshotGuest | BackupGuest | WaitForGuest | Gate,
        )
        and _inverse(step, None) is None
    ):
        yield "nothing undoes it"


def _lasting(change: FieldChange) -> str:
    """Return why a field cannot be given its value back; empty if it can."""
    if isinstance(change.live, SecretMark):
        return f"nobody knows the value {change.path} had before"
    _, option, key = split_path(change.path)
    volume = option is not None and SLOT.fullmatch(option) is not None
    if volume and change.live is not ABSENT and key in ("storage", "volume", "size"):
        moves = change.action is Action.CHANGE and key == "storage"
        return "" if moves else f"{option} loses its volume or changes its size"
    return ""


def _undo(step: Step, item: ObjectPlan) -> Step | None:
    """Return what undoes a step; None for one that went with another, as with its object."""
    if item.action is ObjectAction.CREATE and not _makes(step):
        return None
    return _inverse(step, item)


def _makes(step: Step) -> bool:
    return isinstance(step, CloneGuest | CreateGuest | CreatePool | CreateStorage)


@functools.singledispatch
def _inverse(step: Step, item: ObjectPlan | None) -> Step | None:
    return None


@_inverse.register
def _(step: CloneGuest, item: ObjectPlan | None) -> Step | None:
    return _made(DeleteGuest, step, f"delete {_noun(step)} again", fresh=True)


@_inverse.register
def _(step: CreateGuest, item: ObjectPlan | None) -> Step | None:
    return _made(DeleteGuest, step, f"delete {_noun(step)} again", fresh=True)


@_inverse.register
def _(step: CreatePool, item: ObjectPlan | None) -> Step | None:
    return _made(DeletePool, step, f"delete pool {_noun(step)} again")


@_inverse.register
def _(step: CreateStorage, item: ObjectPlan | None) -> Step | None:
    return _made(DeleteStorage, step, f"take storage {_noun(step)} out of the configuration again")


@_inverse.register
def _(step: Configure, item: ObjectPlan | None) -> Step | None:
    changes = tuple(swapped(change) for change in step.changes)
    if not changes:
        return None  # only the marker was put back, and it stays
    along = tuple(swapped(change) for change in step.along)
    summary = f"give {_noun(step)} its previous values"
    return _made(Configure, step, summary, changes=changes, along=along, lenient=True)


@_inverse.register
def _(step: MoveDisk, item: ObjectPlan | None) -> Step | None:
    (change,) = (swapped(change) for change in step.changes)
    return _made(
        MoveDisk,
        step,
        f"move {step.disk} of {_noun(step)} back to {change.desired}",
        disk=step.disk,
        storage=str(change.desired),
        changes=(change,),
        lenient=True,
    )


@_inverse.register
def _(step: MigrateGuest, item: ObjectPlan | None) -> Step | None:
    node = "" if item is None or item.node is None else item.node
    return _made(MigrateGuest, step, f"migrate {_noun(step)} back to {node}", targets=(node,))


@_inverse.register
def _(step: SetPool, item: ObjectPlan | None) -> Step | None:
    return _made(
        SetPool,
        step,
        f"put {_noun(step)} back into pool {step.previous or 'none'}",
        pool=step.previous,
        previous=step.pool,
        lenient=True,
    )


@_inverse.register
def _(step: StartGuest, item: ObjectPlan | None) -> Step | None:
    return _made(ShutdownGuest, step, f"shut {_noun(step)} down again")


@_inverse.register
def _(step: ShutdownGuest, item: ObjectPlan | None) -> Step | None:
    return _made(StartGuest, step, f"start {_noun(step)} again")


@_inverse.register
def _(step: StartByHook, item: ObjectPlan | None) -> Step | None:
    return _powered(step, step.was)


@_inverse.register
def _(step: ShutdownByHook, item: ObjectPlan | None) -> Step | None:
    return _powered(step, step.was)


def _powered(step: Step, was: str) -> Step | None:
    """Return what brings a guest to where it was before hooks; None if nobody knows."""
    if was == "running":
        return _made(StartGuest, step, f"start {_noun(step)} again")
    if was == "stopped":
        return _made(ShutdownGuest, step, f"shut {_noun(step)} down again")
    return None


def swapped(change: FieldChange) -> FieldChange:
    """Return the change that takes a change back."""
    action = {Action.ADD: Action.REMOVE, Action.REMOVE: Action.ADD}.get(
        change.action, change.action
    )
    before = ABSENT if action is Action.REMOVE else change.live
    return attrs.evolve(
        change, action=action, base=change.desired, live=change.desired, desired=before
    )


def _made(kind: type[Step], step: Step, summary: str, **fields: Any) -> Step:
    return kind(
        id=_name(step),
        address=step.address,
        summary=summary,
        reason="the plan is all or nothing, and a step of it failed",
        locks=step.locks,
        **fields,
    )


def _name(step: Step) -> str:
    return step.id.replace("#", UNDO, 1)


def _noun(step: Step) -> str:
    return step.address.partition("/")[2]
