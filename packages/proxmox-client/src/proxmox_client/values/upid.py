"""UPIDs: the names PVE gives to tasks."""

from __future__ import annotations

import re
from typing import Self

import attrs

_SHAPE = re.compile(
    r"UPID:(?P<node>[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)"
    r":(?P<pid>[0-9A-Fa-f]{8}):(?P<pstart>[0-9A-Fa-f]{8,9}):(?P<starttime>[0-9A-Fa-f]{8})"
    r":(?P<type>[^:\s/]+):(?P<id>[^:\s]*):(?P<user>[^:\s]+):"
)


@attrs.frozen(str=False)
class Upid:
    """A task, as PVE names it: `UPID:pve1:0000252F:0006D64E:6B03000E:qmstart:100:root@pam:`.

    Attributes:
        node: The node the task runs on; only this node knows its status and log.
        pid: Process id of the worker.
        pstart: Start of that process in clock ticks since boot.
        starttime: Start in seconds since the epoch.
        type: What it does: `qmstart`, `vzdump`, …
        id: What it does it to: a vmid, a storage, a service; may be empty.
        user: Who started it; for a token `root@pam!name`.
    """

    node: str
    pid: int
    pstart: int
    starttime: int
    type: str
    id: str
    user: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a UPID, with or without its trailing colon.

        Raises:
            ValueError: The text is not a UPID.
        """
        match = _SHAPE.fullmatch(text if text.endswith(":") else f"{text}:")
        if match is None:
            raise ValueError(f"not a UPID: {text!r}")
        return cls(
            node=match["node"],
            pid=int(match["pid"], 16),
            pstart=int(match["pstart"], 16),
            starttime=int(match["starttime"], 16),
            type=match["type"],
            id=match["id"],
            user=match["user"],
        )

    def format(self) -> str:
        """Return PVE's own spelling, with the trailing colon."""
        return (
            f"UPID:{self.node}:{self.pid:08X}:{self.pstart:08X}:{self.starttime:08X}"
            f":{self.type}:{self.id}:{self.user}:"
        )

    def __str__(self) -> str:
        return self.format()
