"""Who changed a field behind our back, as far as the observed history tells."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pmpc_reconcile.moments import show_moment
from pmpc_reconcile.plans.model import Blame
from pmpc_state import NotRecorded

if TYPE_CHECKING:
    from pmpc_state import State


def last_changes(
    state: State, cluster: str, kind: str, key: str, options: Iterable[str]
) -> dict[str, Blame]:
    """Return who last changed options of an object, as far as it was observed."""
    reader = state.reader()
    wanted = set(options)
    try:
        resource = reader.resource(cluster, kind, key)
    except NotRecorded:
        return {}
    found: dict[str, Blame] = {}
    for entry in reversed(reader.log(resource.uid)):
        if entry.action != "changed":
            continue
        for field in entry.fields:
            option = field.path.removeprefix("pending.").partition(".")[0]
            if option in wanted and option not in found:
                found[option] = Blame(entry.user, entry.task, show_moment(entry.at))
    return found
