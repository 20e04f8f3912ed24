"""Goals about where a guest is: its node and its pool."""

from __future__ import annotations

from pmpc_reconcile.execute.goals.base import (
    ExistingGuestGoal,
    guest_call,
    need_quorum,
    wait_unlocked,
)
from pmpc_reconcile.execute.steprun import StepRun
from pmpc_reconcile.execute.trouble import Call, StepFailure, Wait
from pmpc_reconcile.identity.disks import disks_of
from pmpc_reconcile.live import Inventory
from pmpc_reconcile.plans.steps import MigrateGuest, SetPool


class MigrateGoal(ExistingGuestGoal):
    """The guest is on a node its placement allows."""

    def __init__(self, step: MigrateGuest) -> None:
        self.step = step

    async def next_call(self, run: StepRun) -> Call | None:
        """Return the migration until the guest is there and unlocked."""
        guest = await run.own_guest()
        if guest.node in self.step.targets:
            if guest.lock == "migrate":
                raise Wait(f"guest {guest.vmid} is still migrating")
            return None
        wait_unlocked(guest)
        await need_quorum(run)
        inventory = await run.inventory.recent()
        online = [node for node in self.step.targets if inventory.reachable(node)]
        if not online:
            raise Wait(f"none of {', '.join(self.step.targets)} is online")
        disks = {disk.volume.partition(":")[0] for disk in disks_of(guest.config)}
        fitting = [
            node
            for node in online
            if all(node in inventory.storages.get(storage, (node,)) for storage in disks)
        ]
        target = (fitting or online)[0]
        params: dict[str, object] = {"target": target}
        if guest.running and guest.guest == "qemu":
            params |= {"online": 1, "with-local-disks": 1}
        elif guest.running:
            params["restart"] = 1
        return guest_call(guest, f"migrate to {target}", "POST", "migrate", params)


class SetPoolGoal(ExistingGuestGoal):
    """The guest is in its pool. Pools have no digest: read, write, read again."""

    def __init__(self, step: SetPool) -> None:
        self.step = step

    async def next_call(self, run: StepRun) -> Call | None:
        """Return the change of membership until it is made."""
        guest = await run.own_guest()
        # What is a second old may say that a call is needed, never that none is.
        current = _pool_of(await run.inventory.recent(), guest.vmid)
        if run.wrote or current != self.step.previous:
            current = _pool_of(await run.inventory.fresh(), guest.vmid)
        wanted = self.step.pool
        if current == wanted:
            return None
        if current != self.step.previous:
            if self.step.lenient:
                return None
            raise StepFailure(
                f"it was in pool {self.step.previous or 'none'} when the plan was made and is in "
                f"{current or 'none'} now: somebody changed it; plan again"
            )
        params: dict[str, object] = {"vms": str(guest.vmid)}
        if wanted is None:
            return self._call(
                guest.vmid, f"leave pool {current}", str(current), params, remove=True
            )
        if current is not None:
            params["allow-move"] = 1
        return self._call(guest.vmid, f"join pool {wanted}", wanted, params)

    def _call(
        self,
        vmid: int,
        name: str,
        pool: str,
        params: dict[str, object],
        *,
        remove: bool = False,
    ) -> Call:
        if remove:
            params["delete"] = 1
        return Call(name, "PUT", f"/pools/{pool}", params, {"vmid": vmid, "pool": pool})


def _pool_of(inventory: Inventory, vmid: int) -> str | None:
    entry = inventory.guests.get(vmid)
    return None if entry is None else entry.pool
