"""Pauses, deadlines and the log of a task, for one step."""

from __future__ import annotations

import contextlib

from pmpc_reconcile.events import StepWaiting, TaskLog
from pmpc_reconcile.execute.steprun import StepRun
from pmpc_reconcile.execute.trouble import Call, StepFailure


class ToldOnce:
    """Tells each line of a task's log once, although every wait reads it from the beginning."""

    def __init__(self, run: StepRun, upid: str) -> None:
        self._run = run
        self._upid = upid
        self._told = 0
        self._at = 0

    def rewind(self) -> None:
        """Begin to read again."""
        self._at = 0

    def line(self, text: str) -> None:
        """Tell a line unless it was told before."""
        self._at += 1
        if self._at > self._told:
            self._told = self._at
            step = self._run.step
            self._run.emit(TaskLog(step.id, step.address, self._upid, text))


class StepClock:
    """Pauses and deadlines of one step.

    Attributes:
        quorum_lost: Whether something was refused for want of quorum, so that it is asked for.
    """

    def __init__(self, run: StepRun) -> None:
        self._run = run
        asked = getattr(run.step, "timeout", 0)  # of a hook that waits for something itself
        self._deadline = run.now() + max(run.patience.step, asked)
        self._effect = run.now() + run.patience.effect
        self._pause = run.patience.poll
        self._said: str | None = None
        self._attempts: dict[str, int] = {}
        self.quorum_lost = False

    def check_attempts(self, call: Call) -> None:
        """Give up on a call that is refused again and again.

        Raises:
            StepFailure: It was sent often enough.
        """
        sent = self._attempts.get(call.name, 0) + 1
        self._attempts[call.name] = sent
        if sent > self._run.patience.attempts:
            raise StepFailure(f"{call.name}: gave up after {sent - 1} attempts: {self._said}")

    def called(self) -> None:
        """Note that a call went well: from now on its effect is awaited."""
        self._effect = self._run.now() + self._run.patience.effect
        self._deadline = max(self._deadline, self._run.now() + self._run.patience.effect)
        self._pause = self._run.patience.poll

    def check_effect(self, call: Call) -> None:
        """Give up on an effect that does not appear.

        Raises:
            StepFailure: It was awaited for long enough.
        """
        if self._run.now() >= self._effect:
            raise StepFailure(
                f"{call.name}: the server said OK, but after {self._run.patience.effect:.0f} s "
                "there is no effect; look at the object's tasks"
            )

    async def pause(self, reason: str, *, stay: bool = False) -> None:
        """Wait a little, telling why once.

        Args:
            reason: What is waited for.
            stay: Keep one's place among the steps that go on at once on the node; else others go
                on meanwhile, so that what only waits starves nobody.

        Raises:
            StepFailure: The step waited for long enough.
        """
        run = self._run
        if run.brake.reason and not run.wrote and not run.resumed:
            raise StepFailure(f"{run.brake.reason}; it was still waiting: {reason}")
        if run.now() >= self._deadline:
            raise StepFailure(f"gave up after {run.patience.step:.0f} s: {reason}")
        await run.keep()
        if reason != self._said:
            self._said = reason
            run.emit(StepWaiting(run.step.id, run.step.address, reason))
        async with contextlib.nullcontext() if stay else run.lane.away():
            await run.sleep(self._pause)
        self._pause = min(self._pause * 2, run.patience.longest)
