"""What was seen: clusters, resources, observations, snapshots, syncs and tasks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs

from pmpc_state.values.changes import FieldChange
from pmpc_state.values.page import Page

Identity = Mapping[str, str]
"""Evidence of who an object is, beyond its key: smbios uuid, vmgenid, creation time, marker."""


@attrs.frozen
class Cluster:
    """A cluster the database knows.

    Attributes:
        name: The name its owner gave it.
        created_at: When it was first recorded.
        synced_at: End of the last sync that finished, None before the first.
    """

    name: str
    created_at: datetime
    synced_at: datetime | None


@attrs.frozen
class Resource:
    """One thing in a cluster, at one moment.

    Attributes:
        uid: Stays with the thing through renames, moves and restarts of history.
        cluster: Name of the cluster.
        kind: node, qemu, lxc, storage, content or pool.
        key: What PVE calls it: node name, vmid, storage, volume, pool.
        identity: Evidence of who it is; empty for kinds that are their key.
        name: What people call it; the key where PVE has no name.
        config: Its configuration with secrets as fingerprints; empty while it was never readable.
        pending: Options that wait for a restart: name to {"value", "pending"} or {"delete": true}.
        valid_from: Since when it is so; None while its configuration was never readable.
        valid_to: Until when it was so; None while it still is.
        node: Where it is, as last seen. Always as of now, also in views of the past.
        status: running, stopped, online, available …, as last seen; as of now.
        volatile: Usage, lock, up time and the like, as last seen; as of now.
        known: False when the last sync could not see it (its node was down, permission denied).
        reason: Why it is not known.
        seen_at: When the volatile facts were seen.
        proven_at: When its configuration was last read: since then nothing but the lists and the
            tasks says that it did not change. None while it was never readable.
    """

    uid: str
    cluster: str
    kind: str
    key: str
    identity: Identity
    name: str
    config: Mapping[str, Any]
    pending: Mapping[str, Any]
    valid_from: datetime | None
    valid_to: datetime | None
    node: str | None
    status: str | None
    volatile: Mapping[str, Any]
    known: bool
    reason: str | None
    seen_at: datetime | None
    proven_at: datetime | None = None

    @property
    def address(self) -> str:
        """Kind and key, as people write it: `qemu/100`."""
        return f"{self.kind}/{self.key}"


Found = Page[Resource]
"""One page of what a filter matches."""


@attrs.frozen
class Observation:
    """An interval in which a resource was configured in one way: [valid_from, valid_to)."""

    uid: str
    valid_from: datetime
    valid_to: datetime | None
    hash: str
    document: Mapping[str, Any]
    task: str | None
    user: str | None


@attrs.frozen
class LogEntry:
    """One moment in the life of a resource.

    Attributes:
        at: When it was seen.
        action: created, changed, vanished or returned; task or line for what PVE tells besides.
        fields: What changed, from old to new.
        task: The task that did it, None if it was a synchronous edit or is not known.
        user: The user of that task, or who the cluster's log names.
        text: Type and end of a task, the words of a line of the cluster's log.
    """

    at: datetime
    action: str
    fields: tuple[FieldChange, ...]
    task: str | None
    user: str | None
    text: str = ""


@attrs.frozen
class Snapshot:
    """A named moment of a cluster.

    Attributes:
        root_hash: SHA-256 over everything that was there; equal clusters have equal hashes.
        resources: How many resources there were.
        pinned: Retention never removes what a pinned snapshot shows.
    """

    cluster: str
    name: str
    taken_at: datetime
    root_hash: str
    resources: int
    pinned: bool


@attrs.frozen
class SyncRun:
    """A run of sync and how its sections went (running, ok, partial, failed).

    Attributes:
        mode: full or incremental.
        figures: What it cost: requests, seconds, …; empty until it is finished.
    """

    id: int
    cluster: str
    started_at: datetime
    finished_at: datetime | None
    status: str
    sections: Mapping[str, str]
    mode: str = "full"
    figures: Mapping[str, Any] = attrs.field(factory=dict[str, Any])


@attrs.frozen
class TaskRecord:
    """A task of PVE.

    Attributes:
        upid: PVE's name for the task.
        type: qmstart, vzdump, qmigrate …
        object_id: The vmid or other object it was about; empty if none.
        user: Who started it; `user@realm!token` if by token.
        status: `OK`, `WARNINGS: n` or the error; None while it runs.
    """

    cluster: str
    upid: str
    node: str
    type: str
    object_id: str
    user: str
    started_at: datetime
    ended_at: datetime | None
    status: str | None


@attrs.frozen
class LogLine:
    """A line of the cluster's log.

    Attributes:
        uid: Its number on its node.
        user: Who did it; `root@pam` for PVE itself.
        program: Which daemon or command wrote it.
        priority: As syslog counts: 6 is information, 3 an error.
    """

    node: str
    at: datetime
    uid: str
    user: str
    program: str
    priority: int
    message: str
