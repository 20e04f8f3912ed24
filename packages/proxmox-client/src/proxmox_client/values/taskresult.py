"""How a task ended, or why nobody can say."""

from __future__ import annotations

from typing import NoReturn, Self, TypeAlias

import attrs

from proxmox_client.values.upid import Upid


class _Good:
    __slots__ = ()

    @property
    def ok(self) -> bool:
        """True: the task did its work."""
        return True

    def raise_for_result(self) -> Self:
        """Return the result: there is nothing to raise."""
        return self


class _Bad:
    __slots__ = ()

    @property
    def ok(self) -> bool:
        """False: the task did not do its work, or nobody knows."""
        return False

    def _fail(self, result: TaskResult, why: str, tail: tuple[str, ...] = ()) -> NoReturn:
        from proxmox_client.errors import TaskError  # errors are built on these values

        raise TaskError(result, why, tail)


@attrs.frozen
class TaskOk(_Good):
    """The task ended with `OK`.

    Attributes:
        upid: The task; None where the server answered `OK` and started none.
        note: What is worth knowing although it went well.
        filed: The task only filed a request (HA): what was asked for has not happened yet.
    """

    upid: Upid | None
    note: str = ""
    filed: bool = False


@attrs.frozen
class TaskWarnings(_Good):
    """The task did its work and warned.

    Attributes:
        upid: The task.
        count: Number of warnings by PVE's own count.
        lines: The warning lines of its log.
        note: Why there are no lines, where there should be some.
    """

    upid: Upid
    count: int
    lines: tuple[str, ...] = ()
    note: str = ""


@attrs.frozen
class TaskFailed(_Bad):
    """The task failed, was stopped, or its worker died.

    Attributes:
        upid: The task.
        message: PVE's exit status.
        tail: The last lines of its log.
        note: Why there is no tail, where there should be one.
    """

    upid: Upid
    message: str
    tail: tuple[str, ...] = ()
    note: str = ""

    def raise_for_result(self) -> NoReturn:
        """Raise TaskError with the message and the end of the log."""
        why = f"task {self.upid} failed: {self.message}"
        self._fail(self, f"{why} ({self.note})" if self.note else why, self.tail)


@attrs.frozen
class TaskRunning(_Bad):
    """The time to wait was over before the task was.

    Attributes:
        upid: The task.
        waited: Seconds waited.
    """

    upid: Upid
    waited: float

    def raise_for_result(self) -> NoReturn:
        """Raise TaskError: it has not ended yet."""
        self._fail(self, f"task {self.upid} still runs after {self.waited:.0f} s")


@attrs.frozen
class TaskLost(_Bad):
    """Nobody can say how the task ended: its node does not know it or does not answer.

    Attributes:
        upid: The task.
        why: What was seen.
    """

    upid: Upid
    why: str

    def raise_for_result(self) -> NoReturn:
        """Raise TaskError: nobody knows how it ended."""
        self._fail(self, f"task {self.upid} is lost: {self.why}")


TaskResult: TypeAlias = TaskOk | TaskWarnings | TaskFailed | TaskRunning | TaskLost
