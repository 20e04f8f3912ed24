"""What is different between two moments."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

import attrs


class ChangeKind(enum.Enum):
    """What happened to a resource between two moments."""

    CREATED = "created"
    CHANGED = "changed"
    REMOVED = "removed"


@attrs.frozen
class FieldChange:
    """One field that differs; a missing side is None.

    Attributes:
        path: Option name, dotted where the option is a mapping; `pending.X` for what waits.
        old: Value before.
        new: Value after.
    """

    path: str
    old: Any
    new: Any


@attrs.frozen
class ResourceChange:
    """How one resource differs between two moments.

    Attributes:
        at: When the last of the changes was seen; for what was created, when it appeared.
        task: UPID of the task that made the change of that moment; None means that no task was
            found: a synchronous edit.
        user: Who started that task, or whom the cluster's log names for the edit.
    """

    kind: ChangeKind
    uid: str
    resource_kind: str
    key: str
    name: str
    fields: tuple[FieldChange, ...]
    at: datetime
    task: str | None
    user: str | None

    @property
    def address(self) -> str:
        """Kind and key, as people write it: `qemu/100`."""
        return f"{self.resource_kind}/{self.key}"


@attrs.frozen
class RecordedChange:
    """One change by itself, as it was seen.

    Attributes:
        at: When it was seen.
        action: created, changed, vanished or returned.
        task: UPID of the task that made it; None means that none was found: a synchronous edit.
        user: Who started that task, or whom the cluster's log names for the edit.
    """

    at: datetime
    action: str
    uid: str
    resource_kind: str
    key: str
    name: str
    fields: tuple[FieldChange, ...]
    task: str | None
    user: str | None

    @property
    def address(self) -> str:
        """Kind and key, as people write it: `qemu/100`."""
        return f"{self.resource_kind}/{self.key}"
