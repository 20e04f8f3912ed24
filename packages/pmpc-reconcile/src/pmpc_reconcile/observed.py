"""The observed state for the actions: look into it, compare two times."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pmpc_reconcile.actions.views import ResourceView, SnapshotView
from pmpc_reconcile.errors import InputInvalid, ObjectNotFound
from pmpc_reconcile.moments import parse_moment, show_moment, tell_moment
from pmpc_reconcile.observed_tasks import TASK, find_tasks
from pmpc_state import (
    KINDS,
    SETTINGS,
    FilterInvalid,
    NotRecorded,
    Resource,
    Snapshot,
    State,
    StateReader,
    parse_filter,
)
from pmpc_state.filters import quoted

if TYPE_CHECKING:
    from pmpc_reconcile.actions.get_resource import GetInput
    from pmpc_reconcile.actions.list_resources import ListInput, ListOutput

Clock = Callable[[], float]

_WITH_STATUS = ("node", "qemu", "lxc", "storage")
"""Kinds that have a status, which is unknown where none was told."""
_SLACK = timedelta(minutes=1)
"""How far clocks may be apart before a time counts as one of the future."""
WORDS = {
    "nodes": "node",
    "vm": "qemu",
    "vms": "qemu",
    "virtualmachine": "qemu",
    "virtualmachines": "qemu",
    "ct": "lxc",
    "cts": "lxc",
    "container": "lxc",
    "containers": "lxc",
    "storages": "storage",
    "volume": "content",
    "volumes": "content",
    "contents": "content",
    "pools": "pool",
    "tasks": TASK,
}
"""Other words people use for kinds."""


def kind_named(word: str | None) -> str | None:
    """Return the kind a word means; None stands for every kind.

    Raises:
        InputInvalid: It means none.
    """
    if word is None:
        return None
    kind = WORDS.get(word.lower(), word.lower())
    if kind not in (*KINDS, TASK, *SETTINGS):
        from pmpc_reconcile.diagnostics import did_you_mean

        known = (*KINDS, TASK, *SETTINGS, *WORDS)
        of_it = [one for one in SETTINGS if one.startswith(f"{word.lower()}-")]
        near = f"there are {', '.join(of_it)}" if of_it else did_you_mean(word, known)
        hint = near or f"known are {', '.join((*KINDS, TASK))}"
        raise InputInvalid(f"there is no kind {word!r}; {hint}")
    return kind


async def find_resources(state: State, cluster: str, wanted: ListInput, now: Clock) -> ListOutput:
    """Return the objects that were asked for, filtered, sorted and paged by the database.

    Raises:
        InputInvalid: The kind, the filter, the order, the page or the time is not understood.
    """
    from pmpc_reconcile.actions.list_resources import ListOutput

    kind = kind_named(wanted.kind)
    if wanted.offset < 0 or (wanted.limit is not None and wanted.limit < 0):
        raise InputInvalid("a page cannot begin before the first object nor hold less than none")
    if kind == TASK:
        return await asyncio.to_thread(find_tasks, state, cluster, wanted, now)

    def read() -> ListOutput:
        try:
            found = state.reader().find(
                cluster,
                _filter(kind, wanted),
                sort=[name.strip() for name in wanted.sort.split(",") if name.strip()],
                limit=wanted.limit,
                offset=wanted.offset,
                after=wanted.after,
                at=None if wanted.at is None else recorded_moment(state, cluster, wanted.at, now),
            )
        except FilterInvalid as error:
            raise InputInvalid(str(error)) from error
        items = tuple(_view(resource, whole=wanted.configurations) for resource in found.items)
        return ListOutput(cluster, items, found.total, found.offset, found.next)

    return await asyncio.to_thread(read)


def _filter(kind: str | None, wanted: ListInput) -> str:
    parts = [
        None if kind is None else f"kind={quoted(kind)}",
        None if wanted.node is None else f"node={quoted(wanted.node)}",
        None if wanted.name is None else f"name like {quoted(wanted.name)}",
        _status(wanted.status),
        f"({wanted.filter})" if wanted.filter.strip() else None,
    ]
    parse_filter(wanted.filter)  # alone, so that a mistake is told with its own column
    return " and ".join(part for part in parts if part is not None)


def _status(status: str | None) -> str | None:
    if status is None:
        return None
    if status == "unknown":
        return "(status=unknown or known=no)"
    return f"(status={quoted(status)} and known=yes)"


async def find_resource(state: State, cluster: str, wanted: GetInput, now: Clock) -> ResourceView:
    """Return the one object that was asked for.

    Raises:
        ObjectNotFound: Nothing, or more than one object, matches.
    """
    at = None if wanted.at is None else recorded_moment(state, cluster, wanted.at, now)
    found = await asyncio.to_thread(the_resource, state, cluster, wanted.name, wanted.kind, at)
    return _view(found, whole=True)


def the_resource(
    state: State, cluster: str, wanted: str, of_kind: str | None, at: datetime | None
) -> Resource:
    """Return the one object of a name, a key or an address, now or at a time.

    Raises:
        InputInvalid: The kind is not known.
        ObjectNotFound: Nothing, or more than one object, matches.
    """
    return resource_named(state.reader(), cluster, wanted, of_kind, at)


def resource_named(
    reader: StateReader, cluster: str, wanted: str, of_kind: str | None, at: datetime | None
) -> Resource:
    """Return the one object of a name, a key or an address, as a reader sees it.

    Raises:
        InputInvalid: The kind is not known.
        ObjectNotFound: Nothing, or more than one object, matches.
    """
    kind, name = _split(wanted, of_kind)
    matches = reader.find(cluster, _named(kind, name), at=at).items
    if len(matches) == 1:
        return matches[0]
    if not matches:
        raise ObjectNotFound(_missing(reader, cluster, wanted, kind, name, at))
    addresses = tuple(item.address for item in matches)
    raise ObjectNotFound(
        f"{wanted!r} may be any of {', '.join(addresses)}: give one of these", addresses
    )


async def take_snapshot(
    state: State, cluster: str, name: str, *, pinned: bool = False
) -> SnapshotView:
    """Name the state of the cluster as last observed."""
    taken = await asyncio.to_thread(lambda: state.writer().snapshot(cluster, name, pinned=pinned))
    return snapshot_view(taken)


def resource_ever(
    reader: StateReader, cluster: str, wanted: str, of_kind: str | None, at: datetime | None
) -> Resource:
    """Return the one object of a name; if none has it now, the last one that had it.

    Raises:
        InputInvalid: The kind is not known.
        ObjectNotFound: Nothing, or more than one object, matches.
    """
    try:
        return resource_named(reader, cluster, wanted, of_kind, at)
    except ObjectNotFound as error:
        if at is not None or error.candidates:
            raise
        kind, name = _split(wanted, of_kind)
        found = reader.gone(cluster, _named(kind, name), limit=1)
        if not found:
            raise
        return found[0]


def _split(wanted: str, of_kind: str | None) -> tuple[str | None, str]:
    """Return kind and name of what may be an address."""
    word, slash, rest = wanted.partition("/")
    kind = kind_named(of_kind)
    if slash and kind is None and word.lower() in (*WORDS, *KINDS, *SETTINGS):
        return kind_named(word), rest
    return kind, wanted


def _named(kind: str | None, name: str) -> str:
    only = "" if kind is None else f"kind={quoted(kind)} and "
    return f"{only}{quoted(name)}"


def _missing(
    reader: StateReader, cluster: str, wanted: str, kind: str | None, name: str, at: datetime | None
) -> str:
    """Say that something is not there, and what to do about it."""
    from pmpc_reconcile.diagnostics import did_you_mean

    when = "" if at is None else f" as of {tell_moment(at)}"
    only = "" if kind is None else f"kind={quoted(kind)}"
    there = reader.find(cluster, only, at=at).items
    near = did_you_mean(name, {one.name for one in there})
    if near is not None:
        return f"cannot find {wanted!r} in cluster {cluster}{when}; {near}"
    if kind in SETTINGS and not there:
        hint = f"no {kind} is recorded; `pmpc sync` reads them unless told to leave them out"
    elif at is None:
        hint = "list what is known, sync to look again, or ask as of a time when it was there"
    else:
        hint = "ask as of another time, or now"
    return f"cannot find {wanted!r} in cluster {cluster}{when}; {hint}"


def recorded_moment(state: State, cluster: str, text: str, now: Clock) -> datetime:
    """Return the time a snapshot or a text names, of which there is a record.

    Raises:
        InputInvalid: It is neither, or nothing is known of that time.
    """
    moment = moment_named(state, cluster, text, now)
    present = datetime.fromtimestamp(now(), UTC)
    found = state.reader().clusters.list(where=f"name={quoted(cluster)}")
    begin = min((one.created_at for one in found), default=moment)
    if moment > max(present, begin) + _SLACK:
        raise InputInvalid(
            f"{text} is in the future: now it is {tell_moment(present)}, and times without a zone "
            "are UTC"
        )
    if moment < begin:
        raise InputInvalid(
            f"nothing is recorded of cluster {cluster} as of {tell_moment(moment)}: that is before "
            f"the first sync, which began {tell_moment(begin)}"
        )
    return moment


def moment_named(state: State, cluster: str, text: str, now: Clock) -> datetime:
    """Return the time a snapshot or a text names.

    Raises:
        InputInvalid: It is neither.
    """
    try:
        return state.reader().find_snapshot(cluster, text).taken_at
    except NotRecorded:
        return parse_moment(text, datetime.fromtimestamp(now(), UTC))


def _view(resource: Resource, *, whole: bool) -> ResourceView:
    unsaid = "unknown" if resource.kind in _WITH_STATUS or not resource.known else ""
    status = resource.status if resource.known else None
    facts = dict(resource.volatile)
    if whole and resource.pending:
        facts["pending"] = dict(resource.pending)
    return ResourceView(
        kind=resource.kind,
        key=resource.key,
        name=resource.name,
        node=resource.node,
        status=status or unsaid,
        config=dict(resource.config) if whole else {},
        facts=facts,
        since=None if resource.valid_from is None else show_moment(resource.valid_from),
    )


def snapshot_view(snapshot: Snapshot) -> SnapshotView:
    """Return a snapshot as actions answer with it."""
    return SnapshotView(snapshot.name, show_moment(snapshot.taken_at), snapshot.root_hash)
