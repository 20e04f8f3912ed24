"""Goals about whether a guest runs. HA only takes requests, so the status decides, not the task."""

from __future__ import annotations

from datetime import datetime

from pmpc_reconcile.diff import pending_options
from pmpc_reconcile.execute.goals.base import ExistingGuestGoal, guest_call, wait_unlocked
from pmpc_reconcile.execute.steprun import StepRun
from pmpc_reconcile.execute.trouble import Call, StepFailure
from pmpc_reconcile.live import GuestObject
from pmpc_reconcile.plans.steps import RestartGuest


async def give_up_on_ha_error(run: StepRun, guest: GuestObject) -> None:
    """Stop asking HA for a service that it holds in error: it refuses until somebody cleared it.

    Raises:
        StepFailure: HA does.
    """
    if not run.wrote:
        return
    entry = (await run.inventory.fresh()).guests.get(guest.vmid)
    if entry is not None and entry.ha_state == "error":
        raise StepFailure(
            f"HA holds guest {guest.vmid} in error state: fix the cause, set its HA state to "
            "disabled and then to started"
        )


class StartGoal(ExistingGuestGoal):
    """The guest runs."""

    async def next_call(self, run: StepRun) -> Call | None:
        """Return the start until it runs."""
        guest = await run.own_guest()
        if guest.running:
            return None
        await give_up_on_ha_error(run, guest)
        if guest.lock != "suspended":  # starting is what ends a suspension
            wait_unlocked(guest)
        return guest_call(guest, "start", "POST", "status/start", {})


class ShutdownGoal(ExistingGuestGoal):
    """The guest is stopped."""

    async def next_call(self, run: StepRun) -> Call | None:
        """Return the shutdown until it is stopped."""
        guest = await run.own_guest()
        if not guest.running:
            return None
        await give_up_on_ha_error(run, guest)
        wait_unlocked(guest)
        return guest_call(guest, "shutdown", "POST", "status/shutdown", {})


class RestartGoal(ExistingGuestGoal):
    """The guest runs with its present options; a stopped guest does at its next start."""

    def __init__(self, step: RestartGuest) -> None:
        self.step = step

    async def next_call(self, run: StepRun) -> Call | None:
        """Return the reboot until nothing of ours is pending."""
        guest = await run.own_guest()
        waiting = pending_options(run.kind, guest.running_config, guest.config, run.item.desired)
        if not guest.running or not waiting:
            return None
        until = self.step.until
        if until is not None and run.now() >= datetime.fromisoformat(until).timestamp():
            raise StepFailure(f"its window closed at {until}; the next one restarts it")
        wait_unlocked(guest)
        return guest_call(guest, "reboot", "POST", "status/reboot", {})
