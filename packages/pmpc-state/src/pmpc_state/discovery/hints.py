"""Which tasks and lines of the cluster's log are news: what the last look cannot have seen.

Their times are the cluster's, and so is the moment they are compared with. What is not recorded
yet is news whatever its time, so that a node whose clock is wrong loses nothing either.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from pmpc_state.values.inventory import Past, TaskSection
from pmpc_state.values.observed import LogLine, TaskRecord

_MARGIN: Final = timedelta(seconds=5)
"""PVE's times are whole seconds, and clocks of nodes differ a little."""


def news_of(found: TaskSection, past: Past) -> TaskSection:
    """Return of what was found what ended, runs, or was told since the last look began."""
    return TaskSection(
        tuple(task for task in found.tasks if _acted(task, past)),
        found.failures,
        tuple(line for line in found.lines if _came(line, past)),
    )


def _acted(task: TaskRecord, past: Past) -> bool:
    if task.ended_at is None or task.upid in past.running:
        return True
    # What ended while the last look read is recorded, but its effect may have come after.
    late = past.before is None or task.ended_at > past.before - _MARGIN
    return late or past.ended.lacks((task.upid,), task.started_at)


def _came(line: LogLine, past: Past) -> bool:
    late = past.before is None or line.at > past.before - _MARGIN
    return late or past.lines.lacks((line.node, line.uid, line.at), line.at)
