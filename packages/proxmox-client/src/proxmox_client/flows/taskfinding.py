"""Finding tasks by what they do, to what, by whom and when, on all nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

import attrs

from proxmox_client.errors import NodeUnreachable
from proxmox_client.flows.call import Session, perform_raw
from proxmox_client.flows.effects import Flow
from proxmox_client.values.taskentry import FoundTasks, TaskEntry

_MOST: Final = 1000


@attrs.frozen
class TaskQuery:
    """What to search for; what is None does not matter.

    Attributes:
        guest: Number of the guest, or whatever else stands in the UPID as its subject.
        type: Such as `qmstart` or `vzdump`.
        user: `root@pam` with all its tokens, or one token: `root@pam!name`.
        since: Started then or later, in seconds since the epoch.
        until: Started then or earlier.
        node: Only of this node.
        running: Only running ones, or only ended ones.
        limit: How many at most, the newest.
    """

    guest: int | str | None = None
    type: str | None = None
    user: str | None = None
    since: float | None = None
    until: float | None = None
    node: str | None = None
    running: bool | None = None
    limit: int = 50

    def params(self) -> dict[str, object]:
        """Return what a node filters by itself."""
        source = {None: "all", True: "active", False: "archive"}[self.running]
        # nodes take any part of a user's name for a match: what is too much is left out here
        by_node = self.user is None and (self.guest is None or str(self.guest).isdigit())
        params: dict[str, object] = {
            "source": source,
            "limit": min(self.limit, _MOST) if by_node else _MOST,
        }
        if self.guest is not None and str(self.guest).isdigit():
            params["vmid"] = self.guest
        named = {"typefilter": self.type, "userfilter": self.user}
        times = {"since": self.since, "until": self.until}
        params |= {name: value for name, value in named.items() if value is not None}
        params |= {name: int(value) for name, value in times.items() if value is not None}
        return params

    def matches(self, entry: TaskEntry) -> bool:
        """Say whether a task is one that is searched for."""
        upid = entry.upid
        return (
            (self.guest is None or upid.id == str(self.guest))
            and (self.type is None or upid.type == self.type)
            and (self.user is None or self.user in (upid.user, upid.user.partition("!")[0]))
            and (self.since is None or upid.starttime >= int(self.since))
            and (self.until is None or upid.starttime <= self.until)
            and (self.node is None or upid.node == self.node)
            and (self.running is None or entry.running is self.running)
        )


def find(session: Session, query: TaskQuery) -> Flow[FoundTasks]:
    """Ask every node for its tasks (GET /nodes/{node}/tasks): each knows only its own.

    Args:
        session: Who asks; without Sys.Audit on a node only its own tasks are found there.
        query: What to search for.

    Raises:
        ApiError: A node refuses to list its tasks.
        ConnectError: The server asked is out of reach.
    """
    found: dict[str, TaskEntry] = {}
    silent: list[str] = []
    for node, online in (yield from _nodes(session, query.node)):
        if not online:  # asking it would take seconds
            silent.append(node)
            continue
        try:
            rows = yield from perform_raw(session, "GET", f"/nodes/{node}/tasks", query.params())
        except NodeUnreachable:
            silent.append(node)
        else:
            found |= {str(entry.upid): entry for entry in _entries(rows)}
    if silent:
        rows = yield from perform_raw(session, "GET", "/cluster/tasks", {})
        found |= {str(entry.upid): entry for entry in _entries(rows) if entry.upid.node in silent}
    matching = [entry for entry in found.values() if query.matches(entry)]
    matching.sort(key=lambda entry: (entry.upid.starttime, entry.upid.pstart), reverse=True)
    return FoundTasks(tuple(matching[: query.limit]), tuple(silent))


def _nodes(session: Session, only: str | None) -> Flow[list[tuple[str, bool]]]:
    if only is not None:
        return [(only, True)]
    rows: object = yield from perform_raw(session, "GET", "/nodes", {})
    listed = cast("list[dict[str, Any]]", rows) if isinstance(rows, list) else []
    return sorted(
        (str(row["node"]), row.get("status") != "offline") for row in listed if "node" in row
    )


def _entries(rows: object) -> Iterator[TaskEntry]:
    for row in cast("list[object]", rows) if isinstance(rows, list) else ():
        if isinstance(row, dict) and "upid" in row:
            yield TaskEntry.read(cast("Mapping[str, Any]", row))
