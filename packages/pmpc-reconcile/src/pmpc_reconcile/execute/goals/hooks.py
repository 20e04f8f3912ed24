"""Goals of hooks: a guest's power, waiting for it, and a command run inside."""

from __future__ import annotations

from typing import Any, Final

from pmpc_reconcile.execute.goals.base import ExistingGuestGoal, guest_call, wait_unlocked
from pmpc_reconcile.execute.steprun import StepRun
from pmpc_reconcile.execute.trouble import Call, StepFailure, Wait
from pmpc_reconcile.live import GuestObject
from pmpc_reconcile.live.cluster import guest_path
from pmpc_reconcile.plans.steps import RunInGuest, WaitForGuest
from pmpc_state import JournalStep, StepPhase

_RUN: Final = "run"
_PID: Final = "pid"


class UnpluggedGoal(ExistingGuestGoal):
    """The guest is stopped, whatever it was at."""

    async def next_call(self, run: StepRun) -> Call | None:
        """Return the stop until it is stopped."""
        guest = await run.own_guest()
        if not guest.running:
            return None
        wait_unlocked(guest)
        return guest_call(guest, "stop", "POST", "status/stop", {})


class GateGoal(ExistingGuestGoal):
    """Everything before is done; the plan's order sees to it."""

    async def next_call(self, run: StepRun) -> Call | None:
        """Return nothing: there is nothing to do."""
        return None


class WaitGoal(ExistingGuestGoal):
    """The guest is in a state; nothing is done to bring it there."""

    def __init__(self, step: WaitForGuest) -> None:
        self.step = step
        self._until: float | None = None

    async def next_call(self, run: StepRun) -> Call | None:
        """Wait for it; there is nothing to call.

        Raises:
            Wait: It is not there yet.
            StepFailure: It took too long.
        """
        self._until = self._until or run.now() + self.step.timeout
        missing = await self._missing(run)
        if missing and run.now() >= self._until:
            raise StepFailure(f"waited for {self.step.timeout} s: {missing}")
        if missing:
            raise Wait(missing)
        return None

    async def _missing(self, run: StepRun) -> str:
        """Return what it waits for; empty if nothing."""
        guest = await run.own_guest()
        if self.step.state == "agent":
            return "" if await _answers(run, guest) else "its agent does not answer"
        return "" if guest.state == self.step.state else f"it is {guest.state}"


class RunGoal(ExistingGuestGoal):
    """A command was run in the guest, once, and ended well.

    Whether a command was run cannot be seen afterwards. So the journal decides: one whose start
    may have been asked for is not started again.
    """

    def __init__(self, step: RunInGuest) -> None:
        self.step = step
        self._pid: int | None = None
        self._until: float | None = None

    def resume(self, run: StepRun, entry: JournalStep) -> None:
        """Learn from the journal which process it is."""
        if entry.result is not None and _PID in entry.result:
            self._pid = int(entry.result[_PID])

    async def next_call(self, run: StepRun) -> Call | None:
        """Return the start, then wait for the end.

        Raises:
            Wait: It runs.
            StepFailure: It ended badly, took too long, or may have been started before.
        """
        guest = await run.own_guest()
        phase = run.journal.phases.get(_RUN)
        self._pid = run.answers.get(_PID, self._pid)
        if phase in (None, StepPhase.INTENT, StepPhase.FAILED):
            wait_unlocked(guest)
            params: dict[str, object] = {"command": list(self.step.command)}
            call = guest_call(guest, _RUN, "POST", "agent/exec", params)
            return Call(call.name, call.method, call.path, call.params, call.intent, keeps=(_PID,))
        if self._pid is None:
            raise StepFailure(
                f"nobody knows whether {self.step.command[0]} was started, so it is not started "
                "again; look into the guest, and plan again"
            )
        await self._ended(run, guest, self._pid)
        return None

    async def _ended(self, run: StepRun, guest: GuestObject, pid: int) -> None:
        self._until = self._until or run.now() + self.step.timeout
        path = guest_path(guest.node, guest.guest, guest.vmid)
        told: dict[str, Any] = await run.live.read(f"{path}/agent/exec-status", {"pid": pid})
        if not told.get("exited"):
            if run.now() >= self._until:
                raise StepFailure(
                    f"{self.step.command[0]} still runs after {self.step.timeout} s (pid {pid})"
                )
            raise Wait(f"{self.step.command[0]} runs")
        if told.get("exitcode", 0) or told.get("signal"):
            how = f"signal {told['signal']}" if told.get("signal") else told["exitcode"]
            raise StepFailure(f"{self.step.command[0]} ended with {how}")


async def _answers(run: StepRun, guest: GuestObject) -> bool:
    from proxmox_client import ApiError

    if not guest.running:
        return False
    try:
        await run.live.read(f"{guest_path(guest.node, guest.guest, guest.vmid)}/agent/info")
    except ApiError:
        return False
    return True
