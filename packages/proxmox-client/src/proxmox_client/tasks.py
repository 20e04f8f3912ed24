"""Handles on tasks, for both colours."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

from proxmox_client.errors import TaskError
from proxmox_client.flows import loglines, taskflow
from proxmox_client.flows.taskflow import read_started
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


class _Handle:
    """What both colours of a task know without asking."""

    __slots__ = ("_none", "_upid")

    def __init__(self, upid: Upid | None, answer: object = "OK") -> None:
        self._upid = upid
        self._none = taskflow.no_task(answer)

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
            raise TaskError(self._none, "there is no task: the server started none")
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

    def __init__(self, client: Client, upid: Upid | None, answer: object = "OK") -> None:
        super().__init__(upid, answer)
        self._client = client

    def wait(self, timeout: float | None = None, on_log: LogReceiver | None = None) -> TaskResult:
        """Wait until the task has ended, or the time is over.

        Calls GET /nodes/{node}/tasks/{upid}/status. Privileges: one's own task, or Sys.Audit on the
        node. Since 7.4.

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
            return self._none
        flow = taskflow.wait(self._client.session, self._upid, timeout=timeout, on_log=on_log)
        return self._client.run(flow)

    def status(self) -> TaskStatus:
        """Ask how it stands (GET /nodes/{node}/tasks/{upid}/status).

        Privileges: one's own task, or Sys.Audit on the node. Since 7.4.

        Raises:
            PveError: As everywhere.
        """
        return self._client.run(taskflow.fetch_status(self._client.session, self.upid))

    def log(self, start: int = 0, limit: int = 0) -> tuple[str, ...]:
        """Read its log (GET /nodes/{node}/tasks/{upid}/log); `limit=0` means all lines.

        Privileges: one's own task, or Sys.Audit on the node. Since 7.4.

        Raises:
            NotFound: Its node has no such log; PVE says that with status 200.
        """
        flow = taskflow.fetch_log(self._client.session, self.upid, start=start, limit=limit)
        return self._client.run(flow)

    def follow(self) -> Iterator[str]:
        """Yield the lines of its log as they appear, until the task has ended.

        Calls GET /nodes/{node}/tasks/{upid}/log. Privileges: one's own task, or Sys.Audit on the
        node. Since 7.4.

        The way to watch a task that somebody else waits for: `for line in task.follow(): …`.

        Raises:
            NotFound: Its node does not know the task, or has no log of it.
            ApiError: As everywhere.
        """
        reader = loglines.LogReader()
        while not reader.ended:
            flow = loglines.next_lines(self._client.session, self.upid, reader)
            yield from self._client.run(flow)

    def stop(self) -> None:
        """Interrupt it (DELETE /nodes/{node}/tasks/{upid}).

        Privileges: one's own task, or Sys.Modify on the node. Since 7.4.

        PVE answers when the worker was told; `wait()` says how it ended, usually
        `received interrupt`.

        Raises:
            PveError: As everywhere.
        """
        self._client.run(taskflow.stop(self._client.session, self.upid))


class AsyncTask(_Handle):
    """A task on the server, running or ended, for `AsyncClient`."""

    __slots__ = ("_client",)

    def __init__(self, client: AsyncClient, upid: Upid | None, answer: object = "OK") -> None:
        super().__init__(upid, answer)
        self._client = client

    async def wait(
        self,
        timeout: float | None = None,  # noqa: ASYNC109  # virtual clocks need it in the flow
        on_log: LogReceiver | None = None,
    ) -> TaskResult:
        """Wait until the task has ended, or the time is over. See `Task.wait`.

        Calls GET /nodes/{node}/tasks/{upid}/status. Privileges: one's own task, or Sys.Audit on the
        node. Since 7.4.

        Raises:
            PveError: As everywhere.
        """
        if self._upid is None:
            return self._none
        flow = taskflow.wait(self._client.session, self._upid, timeout=timeout, on_log=on_log)
        return await self._client.run(flow)

    async def status(self) -> TaskStatus:
        """Ask how it stands (GET /nodes/{node}/tasks/{upid}/status).

        Privileges: one's own task, or Sys.Audit on the node. Since 7.4.

        Raises:
            PveError: As everywhere.
        """
        return await self._client.run(taskflow.fetch_status(self._client.session, self.upid))

    async def log(self, start: int = 0, limit: int = 0) -> tuple[str, ...]:
        """Read its log (GET /nodes/{node}/tasks/{upid}/log). See `Task.log`.

        Privileges: one's own task, or Sys.Audit on the node. Since 7.4.

        Raises:
            PveError: As everywhere.
        """
        flow = taskflow.fetch_log(self._client.session, self.upid, start=start, limit=limit)
        return await self._client.run(flow)

    async def follow(self) -> AsyncIterator[str]:
        """Yield the lines of its log as they appear: `async for line in task.follow(): …`.

        Calls GET /nodes/{node}/tasks/{upid}/log. Privileges: one's own task, or Sys.Audit on the
        node. Since 7.4.

        See `Task.follow`.

        Raises:
            PveError: As everywhere.
        """
        reader = loglines.LogReader()
        while not reader.ended:
            flow = loglines.next_lines(self._client.session, self.upid, reader)
            for line in await self._client.run(flow):
                yield line

    async def stop(self) -> None:
        """Interrupt it (DELETE /nodes/{node}/tasks/{upid}).

        Privileges: one's own task, or Sys.Modify on the node. Since 7.4.

        Raises:
            PveError: As everywhere.
        """
        await self._client.run(taskflow.stop(self._client.session, self.upid))
