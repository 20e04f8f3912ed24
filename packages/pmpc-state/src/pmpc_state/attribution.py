"""Who did it: matching a change to the task that made it, where there is one.

A synchronous edit leaves no task, so a change may have none; then the cluster's log may name the
user. A task's effect may be seen long after its end. A task is credited once per resource, and
only for what tasks of its type can do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Final

import attrs

from pmpc_state.logtext import edit_told
from pmpc_state.values.observed import LogLine, TaskRecord

_CREATING: Final = frozenset({"qmcreate", "qmrestore", "vzcreate", "vzrestore"})
_CLONING: Final = {"qemu": "qmclone", "lxc": "vzclone"}
_DESTROYING: Final = frozenset({"qmdestroy", "vzdestroy"})
_CHANGING: Final = frozenset(
    {
        "hamigrate",
        "move_volume",
        "qmconfig",
        "qmdelsnapshot",
        "qmigrate",
        "qmmove",
        "qmrestore",
        "qmrollback",
        "qmsnapshot",
        "qmtemplate",
        "resize",
        "vzdelsnapshot",
        "vzmigrate",
        "vzrestore",
        "vzrollback",
        "vzsnapshot",
        "vztemplate",
    }
)
_POWERING: Final = frozenset(
    {
        "qmreboot",
        "qmresume",
        "qmshutdown",
        "qmstart",
        "qmstop",
        "qmsuspend",
        "vzreboot",
        "vzshutdown",
        "vzstart",
        "vzstop",
    }
)
_TICK: Final = timedelta(seconds=1)  # PVE's times are whole seconds


@attrs.frozen
class Credit:
    """Who made a change; the task None if it is one of several, or an edit the log tells of."""

    task: str | None = None
    user: str | None = None


NOBODY: Final = Credit()


def credit_creation(
    kind: str, key: str, tasks: Iterable[TaskRecord], looked_before: datetime | None
) -> Credit:
    """Find who created a guest.

    A clone's task names only its source. So a clone since the last look is credited if it is the
    only one, and its user if all were of one user.
    """
    entries = [entry for entry in tasks if _went_well(entry)]
    by_key = [one for one in entries if one.type in _CREATING and one.object_id == key]
    if by_key:
        return _newest(by_key)
    if looked_before is None:
        return NOBODY
    clones = [
        entry
        for entry in entries
        if entry.type == _CLONING.get(kind) and _may_act_after(entry, looked_before)
    ]
    if len(clones) == 1:
        return _newest(clones)
    users = {entry.user for entry in clones}
    return Credit(None, users.pop()) if len(users) == 1 else NOBODY


def credit_change(
    key: str,
    paths: Collection[str],
    tasks: Iterable[TaskRecord],
    *,
    seen_before: datetime | None,
    credited: Collection[str],
) -> Credit:
    """Find who changed a guest's configuration.

    Args:
        key: The vmid.
        paths: What changed; starting or stopping a guest only applies what waited for it.
        tasks: The tasks to choose from.
        seen_before: When the guest was last seen unchanged.
        credited: Tasks that made earlier changes of this guest.
    """
    waited = any(path.startswith("pending.") or path == "vmgenid" for path in paths)
    types = _CHANGING | _POWERING if waited else _CHANGING
    return _newest(
        [
            entry
            for entry in tasks
            if entry.object_id == key
            and entry.type in types
            and entry.upid not in credited
            and _went_well(entry)
            and (seen_before is None or _may_act_after(entry, seen_before))
        ]
    )


def credit_edit(
    kind: str,
    key: str,
    paths: Collection[str],
    lines: Iterable[LogLine],
    *,
    seen_before: datetime | None,
) -> Credit:
    """Find who made an edit that left no task: the last whom the cluster's log names for it.

    Args:
        kind: The guest's kind.
        key: The vmid.
        paths: What changed; the line must name one of these options.
        lines: The cluster's log.
        seen_before: When the guest was last seen unchanged.
    """
    changed = {path.removeprefix("pending.").partition(".")[0] for path in paths}
    for line in sorted(lines, key=lambda one: one.at, reverse=True):
        if seen_before is not None and line.at + _TICK < seen_before:
            break
        told = edit_told(line.message)
        if told is not None and (told.kind, told.key) == (kind, key) and told.options & changed:
            return Credit(None, line.user or None)
    return NOBODY


def credit_removal(key: str, tasks: Iterable[TaskRecord], seen_before: datetime | None) -> Credit:
    """Find who destroyed a guest."""
    return _newest(
        [
            entry
            for entry in tasks
            if entry.object_id == key
            and entry.type in _DESTROYING
            and _went_well(entry)
            and (seen_before is None or _may_act_after(entry, seen_before))
        ]
    )


def _went_well(entry: TaskRecord) -> bool:
    return entry.status is None or entry.status == "OK" or entry.status.startswith("WARNINGS")


def _may_act_after(entry: TaskRecord, moment: datetime) -> bool:
    return entry.ended_at is None or entry.ended_at + _TICK > moment


def _newest(entries: list[TaskRecord]) -> Credit:
    if not entries:
        return NOBODY
    last = max(entries, key=lambda entry: (entry.started_at, entry.upid))
    return Credit(last.upid, last.user)
