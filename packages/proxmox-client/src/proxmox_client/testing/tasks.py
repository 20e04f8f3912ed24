"""Tasks: workers that run on the virtual clock, with UPID, status and log."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING

import attrs

from proxmox_client.testing.clock import Event, VirtualClock
from proxmox_client.testing.request import PveFault
from proxmox_client.values import Upid

if TYPE_CHECKING:
    from proxmox_client.testing.state import Node


_PERCENT = re.compile(r"(\d+(?:\.\d+)?) ?%")


class TaskFailed(Exception):
    """Ends a worker with an error; the message becomes exit status and last log line."""


class TaskInterrupted(Exception):
    """Thrown into a worker that somebody stops, so that it can clean up."""


@attrs.define
class TaskRecord:
    """A task and what it has said so far.

    Attributes:
        upid: Its name.
        started: When it started.
        lines: Its log.
        warnings: Number of warnings so far.
        ended: When it ended, None while it runs.
        exitstatus: ``OK``, ``WARNINGS: n`` or the error; None while it runs.
        steps: How often its worker has come to a wait.
        saved: When the node's list of finished tasks took it up (``saved`` in /cluster/tasks).
    """

    upid: Upid
    started: float
    lines: list[str] = attrs.field(factory=list[str])
    warnings: int = 0
    ended: float | None = None
    exitstatus: str | None = None
    steps: int = 0
    worker: Iterator[float] | None = attrs.field(default=None, repr=False)
    step: Event | None = attrs.field(default=None, repr=False)
    begin: Callable[[], None] | None = attrs.field(default=None, repr=False)
    on_end: list[Callable[[], None]] = attrs.field(factory=list[Callable[[], None]], repr=False)

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.ended is None

    def percent(self) -> float:
        """Return how much is done by the log's last word on it; 0 if it never said."""
        for line in reversed(self.lines):
            if found := _PERCENT.search(line):
                return float(found[1])
        return 0.0

    def log(self, text: str) -> None:
        """Write to the log; several lines at once are split."""
        self.lines.extend(text.split("\n"))

    def warn(self, text: str) -> None:
        """Write a warning; the task will end with ``WARNINGS: n``."""
        self.lines.append(f"WARN: {text}")
        self.warnings += 1


Worker = Callable[[TaskRecord], Iterator[float] | None]
"""A task's work: yields seconds to let pass, logs to its record, raises `TaskFailed` to fail.
A plain function does all its work at the first step."""


class TaskEngine:
    """Starts workers and finds tasks.

    Attributes:
        pace: Tells how many times as long as usual a task takes.
        failure: Tells whether a task is to fail now, at a step or at its end, and with what text.
    """

    def __init__(self, clock: VirtualClock, nodes: dict[str, Node]) -> None:
        self._clock = clock
        self._nodes = nodes
        self._by_upid: dict[str, TaskRecord] = {}
        self.pace: Callable[[TaskRecord], float] = lambda task: 1.0
        self.failure: Callable[[TaskRecord, bool], str | None] = lambda task, ending: None

    def start(
        self,
        node: str,
        kind: str,
        work: Worker,
        *,
        id: str | int = "",  # noqa: A002 - PVE's name of the field
        user: str,
        delay: float = 0.05,
        duration: float = 0.5,
    ) -> str:
        """Start a task and return its UPID.

        Args:
            node: Node it runs on.
            kind: Its type: ``qmstart``, ``imgdel``, …
            work: What it does.
            id: What it does it to.
            user: Who started it (`Identity.authid`).
            delay: Seconds until its work begins.
            duration: Seconds a plain function takes; generators set their own pace.
        """
        task = self.record(node, kind, id=id, user=user)
        task.begin = lambda: self._begin(task, work, duration)
        self._later(task, delay, task.begin)
        return str(task.upid)

    def record(self, node: str, kind: str, *, id: str | int = "", user: str) -> TaskRecord:  # noqa: A002
        """Make a task that nobody works on yet."""
        host = self._nodes[node]
        now = self._clock.now()
        host.pid += 2
        ticks = int((now - host.booted) * 100)
        upid = Upid(node, host.pid, ticks, int(now + host.skew), kind, str(id), user)
        task = TaskRecord(upid, now)
        host.tasks.append(task)
        self._by_upid[str(upid)] = task
        return task

    def take_up(self, task: TaskRecord) -> None:
        """Know a task that its node already lists."""
        self._by_upid[str(task.upid)] = task

    def find(self, node: str, text: str) -> TaskRecord | None:
        """Find a task of a node; another node's tasks are unknown to it.

        Raises:
            PveFault: The text is no UPID.
        """
        try:
            upid = Upid.parse(text)
        except ValueError:
            raise PveFault.parameters({"upid": "unable to parse worker upid"}) from None
        return self._by_upid.get(str(upid)) if upid.node == node else None

    def adopt(self, tasks: list[TaskRecord]) -> None:
        """Take up tasks that were started elsewhere."""
        self._by_upid |= {str(task.upid): task for task in tasks}

    def get(self, upid: str) -> TaskRecord:
        """Return a task by its UPID (KeyError if there is none)."""
        return self._by_upid[upid]

    def stop(self, task: TaskRecord) -> None:
        """Interrupt a running task."""
        if not task.running:
            return
        if task.step is not None:
            task.step.cancel()
        if task.worker is None and task.begin is not None:
            # The process exists from the start: let it come to its first wait before it is hit.
            task.begin()
            if task.step is not None:
                task.step.cancel()
        if task.ended is not None:
            return
        worker = task.worker
        message = "received interrupt"
        throw = getattr(worker, "throw", None)
        if throw is not None:
            try:
                throw(TaskInterrupted())
            except TaskFailed as error:
                message = str(error)
            except (StopIteration, TaskInterrupted):
                pass
        self._end(task, message)

    def _later(self, task: TaskRecord, seconds: float, action: Callable[[], None]) -> None:
        task.step = self._clock.after(seconds, action)

    def _begin(self, task: TaskRecord, work: Worker, duration: float) -> None:
        task.begin = None

        def run() -> Iterator[float]:
            produced = work(task)
            if produced is None:
                yield duration
            else:
                yield from produced

        task.worker = run()
        self._step(task)

    def _step(self, task: TaskRecord) -> None:
        if task.worker is None:
            return
        try:
            text = None if task.steps == 0 else self.failure(task, False)
            seconds = (
                next(task.worker) if text is None else _throw(task.worker, PveFault(500, text))
            )
            task.steps += 1
        except StopIteration:
            self._finish(task)
        except (TaskFailed, PveFault) as error:
            self._end(task, str(error))
        else:
            self._later(task, seconds * self.pace(task), lambda: self._step(task))

    def _finish(self, task: TaskRecord) -> None:
        if text := self.failure(task, True):
            self._end(task, text)
        else:
            self._end(task, f"WARNINGS: {task.warnings}" if task.warnings else "OK")

    def kill(self, task: TaskRecord) -> None:
        """End a running task as the death of its process does: without a word."""
        if not task.running:
            return
        if task.step is not None:
            task.step.cancel()
        task.ended = self._clock.now()
        task.exitstatus = "unexpected status"
        task.worker = None

    def _end(self, task: TaskRecord, status: str) -> None:
        if not task.running:
            return
        task.ended = self._clock.now()
        task.exitstatus = status.split("\n", 1)[0]
        task.worker = None
        task.lines.extend(_last_lines(status))
        for action in task.on_end:
            action()


def _throw(worker: Iterator[float], error: PveFault) -> float:
    """Let a worker's next step fail; it may tidy up, or even go on."""
    if isinstance(worker, Generator):
        return float(worker.throw(error))
    raise error


def _last_lines(status: str) -> list[str]:
    if status == "OK" or status.startswith("WARNINGS: "):
        return [f"TASK {status}"]
    return f"TASK ERROR: {status}".split("\n")
