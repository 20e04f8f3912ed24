"""A snapshot of a guest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs


@attrs.frozen
class Snapshot:
    """A snapshot of a guest.

    Attributes:
        name: Its name.
        created: When, in seconds since the epoch; 0 where PVE does not say.
        description: What somebody wrote about it.
        parent: The snapshot before it; empty for the first.
        with_memory: A machine's memory is in it, so that rolling back resumes it.
        is_parent: The guest's present state descends from it.
    """

    name: str
    created: float = 0.0
    description: str = ""
    parent: str = ""
    with_memory: bool = False
    is_parent: bool = False

    @classmethod
    def read(cls, row: Mapping[str, Any], current: str) -> Snapshot:
        """Read a row of `…/snapshot`.

        Args:
            row: The row.
            current: The parent of the pseudo entry `current`.
        """
        name = str(row.get("name", ""))
        return cls(
            name,
            float(row.get("snaptime") or 0),
            str(row.get("description") or "").rstrip("\n"),
            str(row.get("parent") or ""),
            bool(int(row.get("vmstate") or 0)),
            name == current,
        )
