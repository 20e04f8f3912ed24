"""The past behind the actions: changes, the log of an object, its manifest as it was."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pmpc_reconcile.actions.paging import understood
from pmpc_reconcile.actions.views import FieldDifference
from pmpc_reconcile.errors import InputInvalid, ObjectNotFound
from pmpc_reconcile.moments import show_moment, tell_moment
from pmpc_reconcile.observed import (
    Clock,
    kind_named,
    moment_named,
    recorded_moment,
    resource_ever,
    the_resource,
)
from pmpc_state import (
    FieldChange,
    Page,
    RecordedChange,
    Resource,
    ResourceChange,
    State,
    StateReader,
)

if TYPE_CHECKING:
    from pmpc_reconcile.actions.changes import ChangesInput, ChangesOutput, ObjectChange
    from pmpc_reconcile.actions.log import LogInput, LogOutput
    from pmpc_reconcile.actions.restore_manifest import RestoreManifestInput, RestoreManifestOutput

_THERE = "created", "removed", "vanished"
"""What happened to objects whose fields would all be listed: `get` shows them."""
_ENDED_WELL = "status=ok or status=partial"
"""Which syncs tell anything: what one that was cut short saw is told by the next that ends."""


async def changes_between(
    state: State, cluster: str, wanted: ChangesInput, now: Clock
) -> ChangesOutput:
    """Return how two times differ, or every change between them.

    Raises:
        InputInvalid: A time or the kind is not understood.
        ObjectNotFound: No object, now or then, has that name.
    """
    from pmpc_reconcile.actions.changes import ChangesOutput

    def read() -> ChangesOutput:
        asked = moment_named(state, cluster, wanted.since, now)
        until = None if wanted.until is None else moment_named(state, cluster, wanted.until, now)
        if until is not None and until < asked:
            raise InputInvalid(f"{wanted.until} is before {wanted.since}")
        with state.reading() as reader:
            since, notes = _known_since(reader, cluster, asked, until)
            chosen = _chosen(state, cluster, wanted, since, until)
            with understood():
                page = _changes(reader, cluster, wanted, since, until, chosen)
            if not page.total and not notes:
                notes = _why_none(reader, cluster, wanted, since, until)
        shown = show_moment(until or datetime.fromtimestamp(now(), UTC))
        return ChangesOutput(
            cluster, show_moment(since), shown, page.items, notes, page.total, page.next
        )

    return await asyncio.to_thread(read)


def _chosen(
    state: State, cluster: str, wanted: ChangesInput, since: datetime, until: datetime | None
) -> dict[str, Any]:
    kind = kind_named(wanted.kind)
    chosen: dict[str, Any] = {"kind": kind, "path": wanted.path, "actor": wanted.actor}
    if wanted.name is not None:
        one = _then_or_now(state, cluster, wanted.name, kind, until, since)
        chosen.update(kind=one.kind, key=one.key)
    return chosen


def _changes(
    reader: StateReader,
    cluster: str,
    wanted: ChangesInput,
    since: datetime,
    until: datetime | None,
    chosen: Mapping[str, Any],
) -> Page[ObjectChange]:
    part: dict[str, Any] = {**chosen, "limit": wanted.limit, "after": wanted.after}
    if wanted.each:
        events = reader.changes(cluster, since, until, **part)
        return Page(map(_event_view, events), events.total, events.offset, events.next)
    found = reader.diff(cluster, since, until, **part)
    return Page(map(_change_view, found), found.total, found.offset, found.next)


def _known_since(
    reader: StateReader, cluster: str, asked: datetime, until: datetime | None
) -> tuple[datetime, tuple[str, ...]]:
    """Return from when on changes can be told: what the first sync found is no change."""
    ended = reader.runs(cluster, limit=1, where=_ENDED_WELL, sort="started_at")
    begin = ended[0].finished_at if ended else None
    if begin is None or asked >= begin or (until is not None and until < begin):
        return asked, ()
    return begin, (f"the first sync ended {tell_moment(begin)}; what was before is not known",)


def _why_none(
    reader: StateReader,
    cluster: str,
    wanted: ChangesInput,
    since: datetime,
    until: datetime | None,
) -> tuple[str, ...]:
    """Say why there are no changes, where that is not simply so."""
    runs = reader.runs(cluster, limit=None, where=_ENDED_WELL)
    looked = [one for one in runs if one.finished_at and one.finished_at > since]
    if until is not None:
        looked = [one for one in looked if one.started_at <= until]
    if not looked:
        last = max((one.started_at for one in runs), default=None)
        told = "" if last is None else f", the last began {tell_moment(last)}"
        return (f"no sync looked in this time{told}; `pmpc sync` looks again",)
    if (wanted.kind, wanted.name, wanted.path, wanted.actor) == (None, None, None, None):
        return ()
    others = len(reader.diff(cluster, since, until))
    return (f"{others} other objects changed in this time",) if others else ()


async def log_of(state: State, cluster: str, wanted: LogInput, now: Clock) -> LogOutput:
    """Return what happened to an object: its changes, its tasks, what the cluster's log says.

    Raises:
        InputInvalid: The time or the kind is not understood.
        ObjectNotFound: Nothing, or more than one object, matches.
    """
    from pmpc_reconcile.actions.log import LogItem, LogOutput

    def read() -> LogOutput:
        moment = None if wanted.at is None else recorded_moment(state, cluster, wanted.at, now)
        found = resource_ever(state.reader(), cluster, wanted.name, wanted.kind, moment)
        with understood():
            entries = state.reader().log(
                found.uid, everything=True, limit=wanted.limit, after=wanted.after
            )
        items = tuple(
            LogItem(
                time=show_moment(entry.at),
                action=entry.action,
                fields=_fields(entry.fields) if entry.action not in _THERE else (),
                text=entry.text,
                actor=entry.user,
                task=entry.task,
            )
            for entry in entries
        )
        return LogOutput(
            cluster, found.address, found.name, found.uid, items, entries.total, entries.next
        )

    return await asyncio.to_thread(read)


async def manifest_at(
    state: State, cluster: str, wanted: RestoreManifestInput, now: Clock
) -> RestoreManifestOutput:
    """Return the manifest of an object as it was recorded.

    Raises:
        InputInvalid: There is no manifest of such an object, or the time is not understood.
        ObjectNotFound: Nothing, or more than one object, matches.
    """
    from pmpc_reconcile.actions.restore_manifest import RestoreManifestOutput
    from pmpc_reconcile.recorded.restoring import restored

    def read() -> RestoreManifestOutput:
        moment = None if wanted.at is None else recorded_moment(state, cluster, wanted.at, now)
        with state.reading() as reader:
            found = restored(reader, cluster, wanted.name, wanted.kind, moment)
        return RestoreManifestOutput(
            cluster=cluster,
            address=found.address,
            since=None if found.since is None else show_moment(found.since),
            text=found.text,
            left=found.left,
            manifest=found.manifest,
            release=found.release,
            gone=found.is_gone,
            notes=found.notes,
        )

    return await asyncio.to_thread(read)


def _then_or_now(
    state: State, cluster: str, name: str, kind: str | None, until: datetime | None, since: datetime
) -> Resource:
    """Find an object as it is called at the later time, else at the earlier."""
    try:
        return the_resource(state, cluster, name, kind, until)
    except ObjectNotFound as error:
        if error.candidates:
            raise
        return the_resource(state, cluster, name, kind, since)


def _change_view(change: ResourceChange) -> ObjectChange:
    from pmpc_reconcile.actions.changes import ObjectChange

    return ObjectChange(
        kind=change.resource_kind,
        key=change.key,
        name=change.name,
        change=change.kind.value,
        fields=_fields(change.fields),
        time=show_moment(change.at),
        actor=change.user,
        task=change.task,
    )


def _event_view(change: RecordedChange) -> ObjectChange:
    from pmpc_reconcile.actions.changes import ObjectChange

    return ObjectChange(
        kind=change.resource_kind,
        key=change.key,
        name=change.name,
        change=change.action,
        fields=_fields(change.fields),
        time=show_moment(change.at),
        actor=change.user,
        task=change.task,
    )


def _fields(fields: tuple[FieldChange, ...]) -> tuple[FieldDifference, ...]:
    return tuple(FieldDifference(item.path, item.old, item.new) for item in fields)
