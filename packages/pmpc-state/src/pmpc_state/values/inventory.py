"""What one look at a cluster found: sections of objects, and what could not be seen and why."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import attrs

from pmpc_state.values.observed import Identity, LogLine, TaskRecord


@attrs.frozen
class Known:
    """What is recorded of an object that is believed to be there.

    Attributes:
        node: Where it was last seen.
        status: As last seen.
        known: Whether the last look could see it.
        proven_at: When its configuration was last read.
        summary: Hash of what the cluster's list said of it then.
        facts: Volatile facts as last seen.
    """

    node: str | None = None
    status: str | None = None
    known: bool = True
    proven_at: datetime | None = None
    summary: str | None = None
    facts: Mapping[str, Any] = attrs.field(factory=dict[str, Any])


Knowledge = Mapping[str, Mapping[str, Known]]
"""Kind to key to what is recorded of it."""


class Cause(enum.Enum):
    """Why something could not be seen."""

    PERMISSION = "permission denied"
    OFFLINE = "node offline"
    UNREACHABLE = "unreachable"
    UNSUPPORTED = "not supported"
    INACTIVE = "storage inactive"
    HIDDEN = "perhaps hidden"
    ERROR = "error"


NOTES: Final = (Cause.INACTIVE, Cause.HIDDEN)
"""What is worth telling, and no failure."""


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
        summary: Hash of what the cluster's list says of it, None where no list tells.
        kept: It was listed, nothing says that its configuration changed, so it was not read.
    """

    kind: str
    key: str
    document: Mapping[str, Any] | None
    identity: Identity = attrs.field(factory=dict[str, str])
    node: str | None = None
    status: str | None = None
    facts: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    reason: str | None = None
    summary: str | None = None
    kept: bool = False


@attrs.frozen
class Cost:
    """What reading a section cost.

    Attributes:
        requests: Requests, repetitions included.
        received: Bytes of their answers.
        seconds: How long they took together; requests at once count each.
    """

    requests: int = 0
    received: int = 0
    seconds: float = 0.0


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
        failures: What could not be read, and notes.
        untouched: Keys of recorded objects this look had no reason to read: they stay as they are.
        read: Lists that were read as a whole, by scope; blank for the section's only one.
        cost: What reading it cost.
    """

    name: str
    items: tuple[ObservedItem, ...]
    gone: frozenset[str] = frozenset()
    unseen: Mapping[str, str] = attrs.field(factory=dict[str, str])
    failures: tuple[SectionFailure, ...] = ()
    untouched: frozenset[str] = frozenset()
    read: frozenset[str] = frozenset()
    cost: Cost = Cost()

    @property
    def is_unread(self) -> bool:
        """Whether the look had no reason to read any of it."""
        return not (self.items or self.gone or self.unseen or self.failures or self.read)

    @property
    def status(self) -> str:
        """`ok`, `partial` if some could not be read, `failed` if nothing could.

        A storage that is not active is as its owner left it, and what a token is not shown is not
        for it to know: these are notes, and no reason to be partial.
        `unsupported` if the server has no such thing, as older ones have not.
        """
        failures = [entry for entry in self.failures if entry.cause not in NOTES]
        if not failures:
            return "ok"
        if all(entry.cause is Cause.UNSUPPORTED for entry in failures):
            return "unsupported"
        return "failed" if any(entry.scope == "all" for entry in self.failures) else "partial"


@attrs.frozen
class Remembered:
    """The newest of what is recorded of something that comes one after the other.

    Attributes:
        names: What each is known by.
        since: Whatever is recorded from later than this is among them; None if all is.
    """

    names: frozenset[tuple[object, ...]] = frozenset()
    since: datetime | None = None

    def lacks(self, name: tuple[object, ...], at: datetime) -> bool:
        """Say whether something is not recorded yet; of what is too old to tell, that it is."""
        return name not in self.names and (self.since is None or at > self.since)


@attrs.frozen
class Past:
    """What is known of the tasks and of the cluster's log before a look.

    Attributes:
        since: From when on tasks are of interest, by the cluster's clock; None for the newest.
        before: When the last look began, by the cluster's clock.
        running: Tasks of which the end is not known: name to node.
        ended: Tasks of which the end is known.
        lines: Lines of the cluster's log.
    """

    since: datetime | None = None
    before: datetime | None = None
    running: Mapping[str, str] = attrs.field(factory=dict[str, str])
    ended: Remembered = Remembered()
    lines: Remembered = Remembered()


@attrs.frozen
class TaskSection:
    """The tasks that were seen, and the lines of the cluster's log; and what that cost."""

    tasks: tuple[TaskRecord, ...]
    failures: tuple[SectionFailure, ...] = ()
    lines: tuple[LogLine, ...] = ()
    cost: Cost = Cost()

    @property
    def status(self) -> str:
        """`ok`, `partial` if some nodes could not tell, `failed` if none could."""
        if not self.failures:
            return "ok"
        return "failed" if any(entry.scope == "all" for entry in self.failures) else "partial"


@attrs.frozen
class Inventory:
    """What one look at a cluster found.

    Attributes:
        requests: How many requests it took.
    """

    cluster: str
    started_at: datetime
    sections: tuple[Section, ...]
    tasks: TaskSection
    requests: int = 0
