"""Tasks as lists of them show them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from proxmox_client.values.upid import Upid


@attrs.frozen
class TaskEntry:
    """A task in a list.

    Attributes:
        upid: Its name; node, type, subject, user and start are in it.
        running: Not ended yet, as far as the list knows.
        status: `OK`, `WARNINGS: n` or why it failed; empty while it runs.
        ended: When it ended, in seconds since the epoch; None while it runs.
    """

    upid: Upid
    running: bool
    status: str = ""
    ended: float | None = None

    @property
    def ok(self) -> bool:
        """Whether it ended well, warnings included."""
        return self.status == "OK" or self.status.startswith("WARNINGS: ")

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> TaskEntry:
        """Read a row of /nodes/{node}/tasks or /cluster/tasks.

        Raises:
            ValueError: It names no task.
        """
        ended = row.get("endtime")
        status = row.get("status")
        running = ended is None
        return cls(
            Upid.parse(str(row.get("upid"))),
            running,
            "" if running else str(status or ""),
            None if ended is None else float(ended),
        )


@attrs.frozen
class FoundTasks:
    """Tasks that were searched for, newest first.

    Attributes:
        entries: The tasks.
        silent: Nodes that did not answer: of theirs only those are here which the cluster
            remembers, the last 25 or so.
    """

    entries: tuple[TaskEntry, ...] = ()
    silent: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[TaskEntry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, index: int) -> TaskEntry:
        return self.entries[index]

    def records(self) -> list[dict[str, Any]]:
        """Return a record for each task, for pandas and the like."""
        return [
            {
                "upid": str(entry.upid),
                "node": entry.upid.node,
                "type": entry.upid.type,
                "id": entry.upid.id,
                "user": entry.upid.user,
                "start": entry.upid.starttime,
                "end": entry.ended,
                "status": entry.status or "running",
            }
            for entry in self.entries
        ]

    def _repr_html_(self) -> str:
        from proxmox_client.notebook import table  # only when a notebook shows it

        return table(self.records())
