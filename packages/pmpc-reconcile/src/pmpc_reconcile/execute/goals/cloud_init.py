"""The goal about the cloud-init drive of a guest that runs.

PVE's list tells of most options whether the drive has them, but not of a changed `ipconfigN`,
network card, name or password. So the drive is written once in any case: doing it again is
harmless, and what the list tells says that it was done.
"""

from __future__ import annotations

from typing import Final

import attrs

from pmpc_reconcile.execute.goals.base import ExistingGuestGoal, guest_call, wait_unlocked
from pmpc_reconcile.execute.steprun import StepRun
from pmpc_reconcile.execute.trouble import Call
from pmpc_reconcile.plans.cloud_init import behind_rows, has_drive
from pmpc_reconcile.plans.steps import RegenerateCloudInit
from pmpc_state import JournalStep, StepPhase

CALL: Final = "regenerate cloud-init"
LISTED: Final = "listed"
"""In what the journal keeps of the call: options that PVE listed as waiting before it."""
_ANSWERED: Final = (StepPhase.DONE, StepPhase.VERIFIED)


class RegenerateGoal(ExistingGuestGoal):
    """The drive of a running guest has its options; a stopped one gets them at its start."""

    def __init__(self, step: RegenerateCloudInit) -> None:
        self.step = step
        self._listed: frozenset[str] = frozenset()

    def resume(self, run: StepRun, entry: JournalStep) -> None:
        """Learn what waited before the call."""
        self._listed |= frozenset(entry.intent.get(LISTED, ()))

    async def next_call(self, run: StepRun) -> Call | None:
        """Return the regeneration until it was answered or its effect is seen."""
        guest = await run.own_guest()
        if not guest.running or not has_drive(guest):
            return None
        rows = behind_rows(await run.live.cloud_init(guest))
        waiting = rows & frozenset(self.step.keys)
        answered = run.journal.phases.get(CALL) in _ANSWERED
        if not waiting and (answered or self._listed):
            return None
        wait_unlocked(guest)
        self._listed = waiting
        call = guest_call(guest, CALL, "PUT", "cloudinit", {})
        return attrs.evolve(call, intent={**call.intent, LISTED: sorted(waiting)})

    async def take_back(self, run: StepRun) -> str:
        """Say what it means that the drive was not written; nothing is staged."""
        return (
            "the options are set and the drive still has the former values; regenerating takes "
            "VM.Config.Cloudinit on the guest, a start or reboot by PVE does it, too"
        )
