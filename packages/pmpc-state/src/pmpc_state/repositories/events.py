"""Every change by itself, between two moments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

import attrs
from sqlalchemy import Connection, select

from pmpc_state.kinds import sort_key
from pmpc_state.repositories.clusters import cluster_id
from pmpc_state.repositories.history import Stay, require_order, step, touched, vanished
from pmpc_state.repositories.wanted import Wanted
from pmpc_state.schema import observation
from pmpc_state.values import LogEntry, RecordedChange

_AT_ONCE: Final = 500


def events(
    connection: Connection, cluster_name: str, since: datetime, until: datetime, wanted: Wanted
) -> tuple[RecordedChange, ...]:
    """Return every change after `since` up to `until` by itself, oldest first.

    Raises:
        NotRecorded: The cluster is not recorded.
        ValueError: `since` is later than `until`.
    """
    require_order(since, until)
    owner = cluster_id(connection, cluster_name)
    lives: dict[int, list[Stay]] = {}
    for seen in touched(connection, owner, since, until, wanted.kind, wanted.key):
        lives.setdefault(seen.resource_id, []).append(seen)
    appeared = [number for number, life in lives.items() if life[0].valid_from > since]
    back = _there_before(connection, appeared, since)
    found: list[RecordedChange] = []
    for number, life in lives.items():
        for entry, seen in _told(life, since, is_back=number in back):
            if since < entry.at <= until and wanted.matches(entry):
                found.append(_recorded_change(seen, entry))
    # Where another took over a vmid at the same moment, the one that went comes first.
    found.sort(key=lambda one: (one.at, one.action != "vanished", *_by_name(one)))
    return tuple(found)


def _by_name(change: RecordedChange) -> tuple[int, str, int, str]:
    return sort_key(change.resource_kind, change.key)


def _there_before(connection: Connection, appeared: Sequence[int], since: datetime) -> set[int]:
    """Return what of that which appeared after `since` had been there and gone by then."""
    found: set[int] = set()
    for start in range(0, len(appeared), _AT_ONCE):
        query = select(observation.c.resource_id).where(
            observation.c.resource_id.in_(appeared[start : start + _AT_ONCE]),
            observation.c.valid_to <= since,
        )
        found.update(connection.execute(query).scalars())
    return found


def _told(life: list[Stay], since: datetime, *, is_back: bool) -> Iterator[tuple[LogEntry, Stay]]:
    previous: Stay | None = None
    for seen in life:
        if previous is None and seen.valid_from <= since:
            previous = seen
            continue
        for entry in step(previous, seen):
            told = entry
            if previous is None and is_back:
                told = attrs.evolve(entry, action="returned")
            yield told, seen if entry.action != "vanished" or previous is None else previous
        previous = seen
    if previous is not None and previous.valid_to is not None:
        yield vanished(previous), previous


def _recorded_change(seen: Stay, entry: LogEntry) -> RecordedChange:
    return RecordedChange(
        at=entry.at,
        action=entry.action,
        uid=seen.uid,
        resource_kind=seen.kind,
        key=seen.key,
        name=seen.name,
        fields=entry.fields,
        task=entry.task,
        user=entry.user,
    )
