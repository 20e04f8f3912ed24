"""Who changed a field behind our back, as far as the observed history tells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pmpc_reconcile.moments import show_moment
from pmpc_reconcile.plans.model import Blame
from pmpc_state import NotRecorded

if TYPE_CHECKING:
    from pmpc_state import Resource, State


def last_changes(
    state: State,
    cluster: str,
    kind: str,
    key: str,
    options: Iterable[str],
    live: Mapping[str, Any] | None = None,
) -> dict[str, Blame]:
    """Return who last changed options of an object, as far as it was observed.

    Args:
        state: The database.
        cluster: The cluster.
        kind: The object's kind.
        key: Its key.
        options: Option names.
        live: What it has now: nobody is blamed for a value that was changed again since.
    """
    reader = state.reader()
    try:
        resource = reader.resource(cluster, kind, key)
    except NotRecorded:
        return {}
    wanted = {one for one in options if live is None or _as_observed(resource, one, live)}
    found: dict[str, Blame] = {}
    for entry in reversed(reader.log(resource.uid)):
        if entry.action != "changed":
            continue
        for field in entry.fields:
            option = field.path.removeprefix("pending.").partition(".")[0]
            if option in wanted and option not in found:
                found[option] = Blame(entry.user, entry.task, show_moment(entry.at))
    return found


def _as_observed(resource: Resource, option: str, live: Mapping[str, Any]) -> bool:
    waiting: Mapping[str, Any] = resource.pending.get(option) or {}
    seen = resource.config.get(option)
    if "pending" in waiting:
        seen = waiting["pending"]
    elif "delete" in waiting:
        seen = None
    return _word(seen) == _word(live.get(option))


def _word(value: Any) -> str | None:
    """Return a value as PVE writes it."""
    return str(int(value)) if isinstance(value, bool) else None if value is None else str(value)
