"""What can only be done while a guest is stopped: PVE moves no volume of a running container.

Nothing is stopped for that by itself: were the move to fail, the guest would stay down. So the
change waits, the plan says for what, and an apply while the guest is stopped makes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from pmpc_reconcile.diff import Action, FieldChange
from pmpc_reconcile.values import Absent, FieldValue, split_path

if TYPE_CHECKING:
    from pmpc_reconcile.live import GuestObject

NEEDS_STOP: Final = "NeedsStop"
"""The word for it in the conditions."""


def cold_changes(
    guest: GuestObject,
    changes: Sequence[FieldChange],
    effects: Mapping[str, str],
    *,
    stopping: bool,
) -> tuple[FieldChange, ...]:
    """Return the changes that wait until the guest is stopped.

    Args:
        guest: The guest.
        changes: What differs.
        effects: When each change takes effect, by path.
        stopping: It is to be stopped, which comes first.
    """
    if stopping or not guest.running:
        return ()
    return tuple(
        change
        for change in changes
        if change.action is Action.CHANGE
        and effects.get(change.path) == "stop"
        and change.path.endswith(".storage")
    )


def without_cold(
    owned: Mapping[str, FieldValue], cold: Sequence[FieldChange]
) -> dict[str, FieldValue]:
    """Return what is ours after an apply that makes none of the changes that wait."""
    found = dict(owned)
    for change in cold:
        found.pop(change.path, None)
        if not isinstance(change.base, Absent):
            found[change.path] = change.base
    return found


def told(cold: Sequence[FieldChange], others: str) -> str:
    """Return what waits and for what: a word for programs and a sentence.

    Args:
        cold: The changes that wait until the guest is stopped.
        others: The same for options that wait for a restart; empty for none.
    """
    slots = ", ".join(sorted({split_path(change.path)[1] or "" for change in cold}))
    verb = "is" if "," not in slots else "are"
    message = f"{slots} {verb} moved only while the guest is stopped: stop it and apply again"
    return f"{NEEDS_STOP}: {message}" + (f"; {others.partition(': ')[2]}" if others else "")
