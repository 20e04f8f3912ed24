"""Handles on tasks, for both colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from proxmox_client.errors import TaskError
from proxmox_client.flows import taskflow
from proxmox_client.values.taskresult import (
    TaskFailed,
    TaskLost,
    TaskOk,
    TaskResult,
    TaskRunning,
    TaskWarnings,
)
from proxmox_client.values.upid import Upid

if TYPE_CHECKING:
    from proxmox_client.aclient import AsyncClient
    from proxmox_client.client import Client
    from proxmox_client.flows.taskflow import LogReceiver, TaskStatus

__all__ = [
    "AsyncTask",
    "Task",
    "TaskFailed",
    "TaskLost",
    "TaskOk",
    "TaskResult",
    "TaskRunning",
    "TaskWarnings",
    "read_started",
]

_NOTHING_STARTED = TaskOk(None, "the server had nothing to do and started no task")


def read_started(data: object) -> Upid | None:
    """Return the task an answer names; None where the server started none.

    PVE answers a UPID, an object that holds one, or the text `OK`.
    """
    if isinstance(data, dict):
        data = cast("dict[str, Any]", data).get("upid")
    if isinstance(data, str) and data.startswith("UPID:"):
        return Upid.parse(data)
    return None


class _Handle:
    """What both colours of a task know without asking."""

    __slots__ = ("_upid",)

    def __init__(self, upid: Upid | None) -> None:
        self._upid = upid

    @property
    def started(self) -> bool:
        """False where the server answered `OK` and started nothing."""
        return self._upid is not None

    @property
    def upid(self) -> Upid:
        """The task's name.

        Raises:
            TaskError: The server started no task.
        """
        if self._upid is None:
            raise TaskError(_NOTHING_STARTED, "there is no task: the server started none")
        return self._upid

    @property
    def node(self) -> str:
        """The node it runs on."""
        return self.upid.node

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._upid or 'nothing started'}>"


class Task(_Handle):
    """A task on the server, running or ended."""

    __slots__ = ("_client",)

    def __init__(self, client: Client, upid: Upid | None) -> None:
        super().__init__(upid)
        self._client = client

    def wait(self, timeout: float | None = None, on_log: LogReceiver | None = None) -> TaskResult:
        """Wait until the task has ended, or the time is over.

        Args:
            timeout: Seconds to wait; None waits for ever.
            on_log: Gets each line of the log as it appears.

        Returns:
            How it ended; `TaskRunning` if the time was over first. Failing is a result here:
            `raise_for_result(task.wait())` makes it an exception.

        Raises:
            ConnectError: The server stays out of reach.
            ApiError: The server refuses to show the task.
        """
        if self._upid is None:
            return _NOTHING_STARTED
        flow = taskflow.wait(self._client.session, self._upid, timeout=timeout, on_log=on_log)
        return self._client.run(flow)

    def status(self) -> TaskStatus:
        """Ask how it stands (GET /nodes/{node}/tasks/{upid}/status)."""
        return self._client.run(taskflow.fetch_status(self._client.session, self.upid))

    def log(self, start: int = 0, limit: int = 0) -> tuple[str, ...]:
        """Read its log (GET /nodes/{node}/tasks/{upid}/log); `limit=0` means all lines."""
        flow = taskflow.fetch_log(self._client.session, self.upid, start=start, limit=limit)
        return self._client.run(flow)

    def stop(self) -> None:
        """Interrupt it (DELETE /nodes/{node}/tasks/{upid})."""
        self._client.run(taskflow.stop(self._client.session, self.upid))


class AsyncTask(_Handle):
    """A task on the server, running or ended, for `AsyncClient`."""

    __slots__ = ("_client",)

    def __init__(self, client: AsyncClient, upid: Upid | None) -> None:
        super().__init__(upid)
        self._client = client

    async def wait(
        self,
        timeout: float | None = None,  # noqa: ASYNC109  # virtual clocks need it in the flow
        on_log: LogReceiver | None = None,
    ) -> TaskResult:
        """Wait until the task has ended, or the time is over. See `Task.wait`."""
        if self._upid is None:
            return _NOTHING_STARTED
        flow = taskflow.wait(self._client.session, self._upid, timeout=timeout, on_log=on_log)
        return await self._client.run(flow)

    async def status(self) -> TaskStatus:
        """Ask how it stands (GET /nodes/{node}/tasks/{upid}/status)."""
        return await self._client.run(taskflow.fetch_status(self._client.session, self.upid))

    async def log(self, start: int = 0, limit: int = 0) -> tuple[str, ...]:
        """Read its log (GET /nodes/{node}/tasks/{upid}/log); `limit=0` means all lines."""
        flow = taskflow.fetch_log(self._client.session, self.upid, start=start, limit=limit)
        return await self._client.run(flow)

    async def stop(self) -> None:
        """Interrupt it (DELETE /nodes/{node}/tasks/{upid})."""
        await self._client.run(taskflow.stop(self._client.session, self.upid))
