"""A task that did not end well, for those who want an exception of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from proxmox_client.errors.root import PveError, joined_lines

if TYPE_CHECKING:
    from proxmox_client.values.taskresult import TaskResult


@attrs.define(eq=False, str=False, slots=False)
class TaskError(PveError):
    """A task did not end well. Raised by `raise_for_result`, never by waiting.

    Attributes:
        result: How it ended.
        why: One line about it.
        tail: Last lines of its log.
    """

    result: TaskResult | None
    why: str
    tail: tuple[str, ...] = ()

    def __str__(self) -> str:
        return joined_lines(self.why, *(f"  {line}" for line in self.tail))
