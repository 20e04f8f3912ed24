"""PVE's tasks for the action `list`: chosen, sorted and paged by the database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from pmpc_reconcile.actions.paging import understood
from pmpc_reconcile.actions.views import ResourceView
from pmpc_reconcile.moments import show_moment
from pmpc_state import State, TaskRecord
from pmpc_state.filters import quoted

if TYPE_CHECKING:
    from pmpc_reconcile.actions.list_resources import ListInput, ListOutput

TASK: Final = "task"


def find_tasks(
    state: State, cluster: str, wanted: ListInput, now: Callable[[], float]
) -> ListOutput:
    """Return the tasks that were asked for, the newest first unless sorted otherwise.

    Raises:
        InputInvalid: The filter, the order or the page is not understood.
    """
    from pmpc_reconcile.actions.list_resources import ListOutput

    names = [name.strip() for name in wanted.sort.split(",") if name.strip()]
    present = datetime.fromtimestamp(now(), UTC)
    reader = state.reader()
    with understood():
        if wanted.filter:  # alone, so that a mistake is told with its own column
            reader.tasks(cluster, where=wanted.filter, limit=0, now=present)
        found = reader.tasks(
            cluster,
            where=_filter(wanted),
            sort=names,
            limit=wanted.limit,
            offset=wanted.offset,
            after=wanted.after,
            now=present,
        )
    return ListOutput(cluster, tuple(map(_view, found)), found.total, found.offset, found.next)


def _filter(wanted: ListInput) -> str:
    parts = [
        None if wanted.node is None else f"node={quoted(wanted.node)}",
        None if wanted.name is None else _named(wanted.name),
        None if wanted.status is None else _in_status(wanted.status),
        f"({wanted.filter})" if wanted.filter.strip() else None,
    ]
    return " and ".join(part for part in parts if part is not None)


def _named(name: str) -> str:
    """Say what a name means: a type, an object, both (`qmstart 100`), or a UPID."""
    kind, blank, of = name.partition(" ")
    if blank:
        return f"(type like {quoted(kind)} and object_id like {quoted(of)})"
    shape = quoted(name)
    return f"(type like {shape} or object_id like {shape} or upid like {shape})"


def _in_status(status: str) -> str:
    if status == "running":
        return "ended_at is unset"
    if status == "unknown":
        return "(ended_at is set and status is unset)"
    return f"(ended_at is set and status={quoted(status)})"


def _view(task: TaskRecord) -> ResourceView:
    return ResourceView(
        kind=TASK,
        key=task.upid,
        name=f"{task.type} {task.object_id}".strip(),
        node=task.node,
        status="running" if task.ended_at is None else (task.status or "unknown"),
        facts={
            "user": task.user,
            "ended": None if task.ended_at is None else show_moment(task.ended_at),
        },
        since=show_moment(task.started_at),
    )
