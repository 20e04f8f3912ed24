"""The log of a task while it grows, a few lines at a time: what `follow` iterates over."""

from __future__ import annotations

from typing import Final

import attrs

from proxmox_client.errors import NotFound
from proxmox_client.flows.call import Session
from proxmox_client.flows.effects import Flow, sleep
from proxmox_client.flows.taskflow import FIRST_PAUSE, LONGEST_PAUSE, fetch_log, fetch_status
from proxmox_client.values.upid import Upid

_PAGE: Final = 500


@attrs.define
class LogReader:
    """How far a log has been read.

    Attributes:
        seen: Lines handed out so far.
        pause: Seconds before the next look; 0 before the first one.
        ended: The task has ended and all its lines were handed out.
    """

    seen: int = 0
    pause: float = 0.0
    ended: bool = False


def next_lines(session: Session, upid: Upid, reader: LogReader) -> Flow[tuple[str, ...]]:
    """Wait a moment, then return the lines that are new; perhaps none.

    Args:
        session: Who asks.
        upid: The task.
        reader: How far its log has been read; moved on by this.

    Raises:
        NotFound: Its node does not know the task, or has no log of it.
        ApiError: As everywhere.
    """
    if reader.pause:
        yield from sleep(reader.pause)
    status = yield from fetch_status(session, upid)
    try:
        lines = yield from fetch_log(session, upid, start=reader.seen, limit=_PAGE)
    except NotFound:
        if reader.seen == 0 or status.running:
            raise
        lines = ()  # it was rotated away behind us
    reader.seen += len(lines)
    more = len(lines) == _PAGE
    reader.ended = not status.running and not more
    reader.pause = 0.0 if more else min(LONGEST_PAUSE, (reader.pause or FIRST_PAUSE) * 1.5)
    return lines
