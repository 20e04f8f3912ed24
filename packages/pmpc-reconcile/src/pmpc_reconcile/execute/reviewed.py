"""Check the fields of settings against what was reviewed, before anything of them is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pmpc_reconcile.diff import FieldChange
from pmpc_reconcile.execute.trouble import StepFailure
from pmpc_reconcile.kinds import kind as kind_named
from pmpc_reconcile.plans.steps import Configure
from pmpc_reconcile.values import ABSENT, Absent, Fields, FieldValue, default_of, same

Excuse = Callable[[FieldChange, "FieldValue | Absent"], bool]


def _none(change: FieldChange, now: FieldValue | Absent) -> bool:
    return False


def valued(changes: Iterable[FieldChange]) -> list[str]:
    """Return the paths that have a value before and after: there, unset counts as the default.

    A value that was added or removed is there or not, whatever PVE takes in its place.
    """
    return [
        change.path
        for change in changes
        if not isinstance(change.live, Absent) and not isinstance(change.desired, Absent)
    ]


def still_missing(
    kind: str, step: Configure, live: Fields, excused: Excuse = _none
) -> tuple[FieldChange, ...]:
    """Return the changes that are not in effect.

    Args:
        kind: Name of the kind.
        step: The step with the changes.
        live: The fields as they are now.
        excused: Whether another value than the reviewed one comes from our own calls.

    Raises:
        StepFailure: Somebody changed one of the fields since the plan was made.
    """
    missing: list[FieldChange] = []
    found = kind_named(kind)
    for change in step.changes:
        now = live.get(change.path, ABSENT)
        usual = default_of(found, change.path)
        shown = usual if isinstance(now, Absent) else now
        reviewed = usual if isinstance(change.live, Absent) else change.live
        gone = isinstance(change.desired, Absent) and isinstance(now, Absent)
        if gone or same(found, change.path, change.desired, shown):
            continue
        if same(found, change.path, reviewed, shown) or excused(change, now):
            missing.append(change)
        elif not step.lenient:
            raise StepFailure(
                f"{change.path} was {change.live} when the plan was made and is {now} now: "
                "somebody changed it; plan again"
            )
    return tuple(missing)
