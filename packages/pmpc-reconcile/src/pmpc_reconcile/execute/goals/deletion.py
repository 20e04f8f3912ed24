"""The goal that removes a guest: proven ours once more, then waited for until it is gone."""

from __future__ import annotations

import attrs

from pmpc_reconcile.execute.goals.base import (
    ExistingGuestGoal,
    guest_call,
    need_quorum,
    wait_unlocked,
)
from pmpc_reconcile.execute.steprun import StepRun
from pmpc_reconcile.execute.trouble import Call, StepFailure
from pmpc_reconcile.identity.disks import (
    Disk,
    disks_of,
    foreign_disks,
    own_disks,
    read_disks,
)
from pmpc_reconcile.live import GuestObject
from pmpc_reconcile.plans.steps import DeleteGuest


class DeleteGuestGoal(ExistingGuestGoal):
    """The guest is gone."""

    def __init__(self, step: DeleteGuest) -> None:
        self.step = step

    async def next_call(self, run: StepRun) -> Call | None:
        """Return the stop, then the deletion, until the guest is gone."""
        guest = await run.guest()
        if guest is None or not self._is_ours(run, guest):
            return None  # gone; whoever has its vmid now is a stranger, or what replaces it
        if guest.protected and not self.step.fresh:
            raise StepFailure(f"guest {guest.vmid} is protected; set config.protection to 0 first")
        foreign = disks_of(guest.config) - self._own(run, guest)
        if foreign:
            raise StepFailure(foreign_disks(guest.vmid, foreign))
        wait_unlocked(guest)
        await need_quorum(run)
        if guest.protected:  # by this very plan
            params: dict[str, object] = {"delete": "protection", "digest": guest.digest}
            return guest_call(guest, "unprotect", "PUT", "config", params)
        if guest.running:
            return guest_call(guest, "stop", "POST", "status/stop", {})
        return guest_call(guest, "delete", "DELETE", "", {"purge": 1})

    def _is_ours(self, run: StepRun, guest: GuestObject) -> bool:
        if self.step.former and guest.marker is not None:
            return guest.marker == attrs.evolve(run.marker, id=self.step.former)
        return run.is_ours(guest)

    def _own(self, run: StepRun, guest: GuestObject) -> frozenset[Disk]:
        """Return the disks that may go: those known, of a fresh guest those it had when made."""
        if not self.step.fresh:
            return own_disks(guest.config, read_disks(run.item.evidence), ())
        if not run.target.disks:
            return disks_of(guest.config)
        return own_disks(guest.config, run.target.disks, ())
