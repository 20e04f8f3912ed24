"""What a sync did, and what it says while it does it."""

from __future__ import annotations

import enum
from collections.abc import Callable
from datetime import datetime
from typing import Final

import attrs

from pmpc_state.values.freshness import Freshness
from pmpc_state.values.inventory import NOTES, Cause, SectionFailure

_QUIET: Final = (Cause.UNSUPPORTED, *NOTES)
"""What could not be read and is yet as it should be."""


class SyncMode(enum.Enum):
    """How much a sync reads."""

    FULL = "full"
    INCREMENTAL = "incremental"


@attrs.frozen
class Figures:
    """What a sync cost.

    Attributes:
        requests: Requests it made.
        received: Bytes of their answers.
        reading: Seconds it looked.
        writing: Seconds it wrote.
        ahead: Seconds by which the cluster's clock is ahead of ours; 0 for less than two.
    """

    requests: int = 0
    received: int = 0
    reading: float = 0.0
    writing: float = 0.0
    ahead: float = 0.0


@attrs.frozen
class SectionReport:
    """How one section of a sync went, in numbers of objects.

    Attributes:
        status: `ok`, `partial`, `failed`, or `unsupported` by this server.
        created: Seen for the first time, or back again.
        changed: Configured differently than before.
        vanished: Proven to be gone.
        unchanged: As before.
        unknown: Recorded or listed, but not readable now.
        kept: Not read, because nothing says that it changed.
        requests: Requests that reading it took.
        received: Bytes of their answers.
        seconds: How long they took together; requests at once count each.
    """

    name: str
    status: str
    created: int = 0
    changed: int = 0
    vanished: int = 0
    unchanged: int = 0
    unknown: int = 0
    kept: int = 0
    failures: tuple[SectionFailure, ...] = ()
    requests: int = 0
    received: int = 0
    seconds: float = 0.0

    @property
    def history_rows(self) -> int:
        """How many rows of history the section wrote."""
        return self.created + self.changed + self.vanished


@attrs.frozen
class SyncReport:
    """What a sync did.

    Attributes:
        freshness: How fresh each kind is now.
    """

    cluster: str
    started_at: datetime
    finished_at: datetime
    sections: tuple[SectionReport, ...]
    mode: SyncMode = SyncMode.FULL
    figures: Figures = Figures()
    freshness: tuple[Freshness, ...] = ()

    @property
    def created(self) -> int:
        """Objects seen for the first time, or back again."""
        return sum(section.created for section in self._objects)

    @property
    def changed(self) -> int:
        """Objects configured differently than before."""
        return sum(section.changed for section in self._objects)

    @property
    def vanished(self) -> int:
        """Objects proven to be gone."""
        return sum(section.vanished for section in self._objects)

    @property
    def unchanged(self) -> int:
        """Objects that are as they were."""
        return sum(section.unchanged for section in self._objects)

    @property
    def kept(self) -> int:
        """Objects that were not read, because nothing says that they changed."""
        return sum(section.kept for section in self._objects)

    @property
    def oldest(self) -> datetime | None:
        """When the object was read whose turn was longest ago, of those that can be seen."""
        moments = [one.oldest for one in self.freshness if one.oldest is not None]
        return min(moments, default=None)

    @property
    def unknown(self) -> int:
        """Objects that could not be read."""
        return sum(section.unknown for section in self._objects)

    @property
    def failures(self) -> tuple[SectionFailure, ...]:
        """Everything that is there and could not be read."""
        return tuple(
            failure
            for section in self.sections
            for failure in section.failures
            if failure.cause not in _QUIET
        )

    @property
    def notes(self) -> tuple[SectionFailure, ...]:
        """What is worth telling: storages that are not active, privileges that would show more."""
        return tuple(
            failure
            for section in self.sections
            for failure in section.failures
            if failure.cause in NOTES
        )

    @property
    def complete(self) -> bool:
        """Whether everything could be read."""
        return not self.failures

    @property
    def status(self) -> str:
        """`ok`, `partial`, or `failed` if no section could be read."""
        states = {section.status for section in self.sections} - {"unsupported"}
        if states <= {"ok"}:
            return "ok"
        return "failed" if states == {"failed"} else "partial"

    @property
    def ok(self) -> bool:
        """Whether at least something could be read."""
        return self.status != "failed"

    @property
    def _objects(self) -> tuple[SectionReport, ...]:
        return tuple(section for section in self.sections if section.name != "task")


@attrs.frozen
class SyncStarted:
    """A sync holds its lease and begins to look."""

    cluster: str


@attrs.frozen
class GuestsRead:
    """So many guests' configurations of the whole number were read."""

    done: int
    total: int


@attrs.frozen
class SectionRead:
    """A section was read from the cluster."""

    section: str
    items: int
    failures: int


@attrs.frozen
class SectionWritten:
    """A section was written to the database."""

    report: SectionReport


@attrs.frozen
class SyncFinished:
    """A sync is complete."""

    report: SyncReport


SyncEvent = SyncStarted | GuestsRead | SectionRead | SectionWritten | SyncFinished
EventSink = Callable[[SyncEvent], None]


def ignore(_event: SyncEvent) -> None:
    """Take an event and do nothing with it."""
