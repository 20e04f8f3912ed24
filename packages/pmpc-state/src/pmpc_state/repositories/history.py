"""History: what changed between two moments, and the log of one resource."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

import attrs
from sqlalchemy import CompoundSelect, Connection, Select, and_, or_, select, union

from pmpc_state.diff import compare_documents
from pmpc_state.filters import table_of
from pmpc_state.kinds import display_name, sort_key
from pmpc_state.repositories.clusters import cluster_id
from pmpc_state.repositories.paging import Listing
from pmpc_state.repositories.resources import valid_at
from pmpc_state.repositories.wanted import EVERYTHING, Wanted
from pmpc_state.schema import blob, observation, resource
from pmpc_state.values import (
    ChangeKind,
    Choice,
    FieldChange,
    LogEntry,
    Observation,
    Page,
    ResourceChange,
)

OBSERVATIONS: Final = table_of(Observation, "observations", ("hash", "task", "user"))


def changes(
    connection: Connection,
    cluster_name: str,
    since: datetime,
    until: datetime,
    wanted: Wanted = EVERYTHING,
) -> tuple[ResourceChange, ...]:
    """Return how what was there at `since` differs from what was there at `until`.

    Reads only what has an interval that begins or ends in between, so the cost follows the number
    of changes, not of resources.

    Raises:
        NotRecorded: The cluster is not recorded.
        ValueError: `since` is later than `until`.
    """
    require_order(since, until)
    owner = cluster_id(connection, cluster_name)
    before: dict[int, Stay] = {}
    after: dict[int, Stay] = {}
    last: dict[int, Stay] = {}
    appeared: dict[int, Stay] = {}
    for seen in touched(connection, owner, since, until, wanted.kind, wanted.key):
        if seen.holds(since):
            before[seen.resource_id] = seen
        if seen.holds(until):
            after[seen.resource_id] = seen
        previous = last.get(seen.resource_id)
        if previous is None or previous.valid_to != seen.valid_from:
            appeared[seen.resource_id] = seen
        last[seen.resource_id] = seen
    found = (
        _change(before.get(number), after.get(number), appeared[number], last[number])
        for number in last
    )
    ordered = [entry for entry in found if entry is not None and wanted.matches(entry)]
    ordered.sort(key=place_of)
    return tuple(ordered)


def place_of(change: ResourceChange) -> tuple[str | int, ...]:
    """Return where a difference stands: by kind and key; what went before what took its key."""
    is_there = change.kind is not ChangeKind.REMOVED
    return (*sort_key(change.resource_kind, change.key), is_there, change.uid)


def observations(
    connection: Connection, uid: str, limit: int | None, choice: Choice
) -> Page[Observation]:
    """Return every interval of a resource, oldest first.

    Raises:
        FilterInvalid: The filter, the order or the marker is not well formed.
    """
    query = (
        select(
            resource.c.uid,
            observation.c.valid_from,
            observation.c.valid_to,
            blob.c.hash,
            blob.c.body.label("document"),
            observation.c.task,
            observation.c.user,
        )
        .select_from(observation)
        .join(resource, resource.c.id == observation.c.resource_id)
        .join(blob, blob.c.id == observation.c.blob_id)
        .where(resource.c.uid == uid)
    )
    return Listing(OBSERVATIONS, query, ("valid_from",), _to_observation).page(
        connection, limit, choice
    )


def _to_observation(row: Mapping[str, Any]) -> Observation:
    columns: dict[str, Any] = {**row, "document": json.loads(row["document"])}
    return Observation(**columns)


def log(connection: Connection, uid: str) -> tuple[LogEntry, ...]:
    """Return what happened to a resource, oldest first."""
    return tuple(_entries(_life(connection, uid)))


@attrs.frozen
class Stay:
    """An interval with what it belongs to."""

    resource_id: int
    uid: str
    kind: str
    key: str
    valid_from: datetime
    valid_to: datetime | None
    hash: str
    body: str
    task: str | None
    user: str | None
    end_task: str | None
    end_user: str | None

    def holds(self, moment: datetime) -> bool:
        """Say whether it was so at a moment."""
        return self.valid_from <= moment and (self.valid_to is None or self.valid_to > moment)

    @property
    def document(self) -> dict[str, Any]:
        """The configuration."""
        document: dict[str, Any] = json.loads(self.body)
        return document

    @property
    def name(self) -> str:
        """What it was called."""
        return display_name(self.kind, self.key, self.document.get("config", {}))


def _seen() -> Select[*tuple[Any, ...]]:
    return (
        select(
            resource.c.id,
            resource.c.uid,
            resource.c.kind,
            resource.c.key,
            observation.c.valid_from,
            observation.c.valid_to,
            blob.c.hash,
            blob.c.body,
            observation.c.task,
            observation.c.user,
            observation.c.end_task,
            observation.c.end_user,
        )
        .select_from(observation)
        .join(resource, resource.c.id == observation.c.resource_id)
        .join(blob, blob.c.id == observation.c.blob_id)
        .order_by(observation.c.resource_id, observation.c.valid_from)
    )


def require_order(since: datetime, until: datetime) -> None:
    """Refuse two moments in the wrong order.

    Raises:
        ValueError: The first is later.
    """
    if since > until:
        msg = f"cannot compare: {since.isoformat()} is later than {until.isoformat()}"
        raise ValueError(msg)


def moved(since: datetime, until: datetime) -> CompoundSelect[int]:
    """Select the resources of which an interval begins or ends in between."""
    return union(
        select(observation.c.resource_id).where(
            observation.c.valid_from > since, observation.c.valid_from <= until
        ),
        select(observation.c.resource_id).where(
            observation.c.valid_to > since, observation.c.valid_to <= until
        ),
    )


def touched(
    connection: Connection,
    owner: int,
    since: datetime,
    until: datetime,
    kind: str | None,
    key: str | None,
) -> Iterator[Stay]:
    """Give the intervals of what changed in between, by resource and time."""
    in_between = and_(observation.c.valid_from > since, observation.c.valid_from <= until)
    query = _seen().where(
        resource.c.cluster_id == owner,
        observation.c.resource_id.in_(moved(since, until)),
        or_(valid_at(since), in_between),
    )
    if kind is not None:
        query = query.where(resource.c.kind == kind)
    if key is not None:
        query = query.where(resource.c.key == key)
    for row in connection.execute(query):
        yield Stay(*row)


def _change(
    before: Stay | None, after: Stay | None, appeared: Stay, last: Stay
) -> ResourceChange | None:
    if before is not None and after is not None:
        if before.hash == after.hash:
            return None
        fields = compare_documents(before.document, after.document)
        return _as_change(
            ChangeKind.CHANGED, after, fields, after.valid_from, after.task, after.user
        )
    if after is not None:
        fields = compare_documents({}, after.document)
        return _as_change(
            ChangeKind.CREATED, after, fields, appeared.valid_from, appeared.task, appeared.user
        )
    if before is None or last.valid_to is None:
        return None  # came and went in between
    fields = compare_documents(before.document, {})
    return _as_change(
        ChangeKind.REMOVED, before, fields, last.valid_to, last.end_task, last.end_user
    )


def _as_change(
    kind: ChangeKind,
    seen: Stay,
    fields: tuple[FieldChange, ...],
    at: datetime,
    task: str | None,
    user: str | None,
) -> ResourceChange:
    return ResourceChange(
        kind=kind,
        uid=seen.uid,
        resource_kind=seen.kind,
        key=seen.key,
        name=seen.name,
        fields=fields,
        at=at,
        task=task,
        user=user,
    )


def _life(connection: Connection, uid: str) -> list[Stay]:
    return [Stay(*row) for row in connection.execute(_seen().where(resource.c.uid == uid))]


def _entries(life: list[Stay]) -> Iterator[LogEntry]:
    previous: Stay | None = None
    for seen in life:
        yield from step(previous, seen)
        previous = seen
    if previous is not None and previous.valid_to is not None:
        yield vanished(previous)


def step(previous: Stay | None, seen: Stay) -> Iterator[LogEntry]:
    """Tell how a resource came from one interval to the next."""
    if previous is None:
        fields = compare_documents({}, seen.document)
        yield LogEntry(seen.valid_from, "created", fields, seen.task, seen.user)
        return
    fields = compare_documents(previous.document, seen.document)
    action = "changed" if previous.valid_to == seen.valid_from else "returned"
    if action == "returned":
        yield vanished(previous)
    yield LogEntry(seen.valid_from, action, fields, seen.task, seen.user)


def vanished(seen: Stay) -> LogEntry:
    """Tell the end of an interval."""
    until = seen.valid_to or seen.valid_from
    return LogEntry(until, "vanished", (), seen.end_task, seen.end_user)
