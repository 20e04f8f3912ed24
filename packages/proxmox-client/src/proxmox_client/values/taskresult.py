"""How a task ended, or why nobody can say."""

from __future__ import annotations

from typing import TypeAlias

import attrs

from proxmox_client.values.upid import Upid


@attrs.frozen
class TaskOk:
    """The task ended with `OK`.

    Attributes:
        upid: The task; None where the server answered `OK` and started none.
        note: What is worth knowing although it went well.
    """

    upid: Upid | None
    note: str = ""


@attrs.frozen
class TaskWarnings:
    """The task did its work and warned.

    Attributes:
        upid: The task.
        count: Number of warnings by PVE's own count.
        lines: The warning lines of its log.
    """

    upid: Upid
    count: int
    lines: tuple[str, ...] = ()


@attrs.frozen
class TaskFailed:
    """The task failed, was stopped, or its worker died.

    Attributes:
        upid: The task.
        message: PVE's exit status.
        tail: The last lines of its log.
    """

    upid: Upid
    message: str
    tail: tuple[str, ...] = ()


@attrs.frozen
class TaskRunning:
    """The time to wait was over before the task was.

    Attributes:
        upid: The task.
        waited: Seconds waited.
    """

    upid: Upid
    waited: float


@attrs.frozen
class TaskLost:
    """Nobody can say how the task ended: its node does not know it or does not answer.

    Attributes:
        upid: The task.
        why: What was seen.
    """

    upid: Upid
    why: str


TaskResult: TypeAlias = TaskOk | TaskWarnings | TaskFailed | TaskRunning | TaskLost
