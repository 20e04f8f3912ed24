"""A command inside a guest that did not end well."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from proxmox_client.errors.root import PveError, joined_lines

if TYPE_CHECKING:
    from proxmox_client.values.command import CommandResult


@attrs.define(eq=False, str=False, slots=False)
class CommandError(PveError):
    """A command inside a guest failed, was killed, or still ran when time was over.

    Raised by `raise_for_result`, never by running it.

    Attributes:
        result: How it stands, with its output.
        why: One line about it.
        tail: Last lines of its error output.
    """

    result: CommandResult
    why: str
    tail: tuple[str, ...] = ()

    def __str__(self) -> str:
        return joined_lines(self.why, *(f"  {line}" for line in self.tail))
