"""The goal that removes a guest: proven ours once more, then waited for until it is gone."""

from __future__ import annotations

from pmpc_reconcile.execute.goals.base import (
    ExistingGuestGoal,
    guest_call,
    need_quorum,
    wait_unlocked,
)
from pmpc_reconcile.execute.steprun import StepRun
from pmpc_reconcile.execute.trouble import Call, StepFailure
from pmpc_reconcile.identity.disks import disks_of, foreign_disks, own_disks, read_disks


class DeleteGuestGoal(ExistingGuestGoal):
    """The guest is gone."""

    async def next_call(self, run: StepRun) -> Call | None:
        """Return the stop, then the deletion, until the guest is gone."""
        guest = await run.guest()
        if guest is None or not run.is_ours(guest):
            return None  # gone; whoever has its vmid now is a stranger
        if guest.protected:
            raise StepFailure(f"guest {guest.vmid} is protected; set config.protection to 0 first")
        foreign = disks_of(guest.config) - own_disks(
            guest.config, read_disks(run.item.evidence), ()
        )
        if foreign:
            raise StepFailure(foreign_disks(guest.vmid, foreign))
        wait_unlocked(guest)
        await need_quorum(run)
        if guest.running:
            return guest_call(guest, "stop", "POST", "status/stop", {})
        return guest_call(guest, "delete", "DELETE", "", {"purge": 1})
