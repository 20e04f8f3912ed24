"""What one look at a cluster found: sections of objects, and what could not be seen and why."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs

from pmpc_state.values.observed import Identity, TaskRecord


class Cause(enum.Enum):
    """Why something could not be seen."""

    PERMISSION = "permission denied"
    OFFLINE = "node offline"
    UNREACHABLE = "unreachable"
    UNSUPPORTED = "not supported"
    ERROR = "error"


@attrs.frozen
class SectionFailure:
    """A part of a section that could not be read.

    Attributes:
        scope: What part: `node pve3`, `qemu/100`, `storage nfs on pve1`, or `all`.
        message: The server's words.
    """

    section: str
    scope: str
    cause: Cause
    message: str


@attrs.frozen
class ObservedItem:
    """One object that was seen.

    Attributes:
        document: Its configuration (`config` and perhaps `pending`), None if only its existence
            could be seen.
        identity: Evidence of who it is; empty if its configuration could not be read.
        facts: Volatile facts.
        reason: Why there is no document.
    """

    kind: str
    key: str
    document: Mapping[str, Any] | None
    identity: Identity = attrs.field(factory=dict[str, str])
    node: str | None = None
    status: str | None = None
    facts: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    reason: str | None = None


@attrs.frozen
class Section:
    """What a look at some kinds of objects found.

    An object that is recorded but neither among the items nor among the gone was not seen, and
    nothing proves that it is gone: it becomes unknown.

    Attributes:
        name: node, qemu, lxc, storage, content or pool.
        items: What was seen.
        gone: Keys of recorded objects that are proven to be gone.
        unseen: Keys of recorded objects to why they could not be seen.
        failures: What could not be read.
    """

    name: str
    items: tuple[ObservedItem, ...]
    gone: frozenset[str] = frozenset()
    unseen: Mapping[str, str] = attrs.field(factory=dict[str, str])
    failures: tuple[SectionFailure, ...] = ()

    @property
    def status(self) -> str:
        """`ok`, `partial` if some could not be read, `failed` if nothing could.

        `unsupported` if the server has no such thing, as older ones have not.
        """
        if not self.failures:
            return "ok"
        if all(entry.cause is Cause.UNSUPPORTED for entry in self.failures):
            return "unsupported"
        return "failed" if any(entry.scope == "all" for entry in self.failures) else "partial"


@attrs.frozen
class TaskSection:
    """The tasks that were seen."""

    tasks: tuple[TaskRecord, ...]
    failures: tuple[SectionFailure, ...] = ()

    @property
    def status(self) -> str:
        """`ok`, `partial` if some nodes could not tell, `failed` if none could."""
        if not self.failures:
            return "ok"
        return "failed" if any(entry.scope == "all" for entry in self.failures) else "partial"


@attrs.frozen
class Inventory:
    """What one look at a cluster found."""

    cluster: str
    started_at: datetime
    sections: tuple[Section, ...]
    tasks: TaskSection
