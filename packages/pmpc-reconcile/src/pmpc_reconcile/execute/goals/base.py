"""What goals have in common."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pmpc_reconcile.execute.steprun import StepRun
from pmpc_reconcile.execute.trouble import Call, StepFailure, Wait
from pmpc_reconcile.live import GuestObject
from pmpc_reconcile.live.cluster import guest_path
from pmpc_state import JournalStep


class ExistingGuestGoal:
    """A goal about a guest that exists: nothing to learn from the journal, no id to lose."""

    def resume(self, run: StepRun, entry: JournalStep) -> None:
        """Learn nothing: the object itself tells."""

    async def moved(self, run: StepRun, call: Call) -> bool:
        """Look whether the guest is at another node than the call was sent to."""
        node = call.intent.get("node")
        if node is None:
            return False
        run.target.node = None
        guest = await run.guest()
        return guest is not None and guest.node != node

    def taken(self, run: StepRun, call: Call) -> None:
        """Fail: an existing guest has its id."""
        raise StepFailure(f"{call.name}: something of that name is there already")


def guest_call(
    guest: GuestObject,
    name: str,
    method: str,
    below: str,
    params: dict[str, object],
    keys: Iterable[str] = (),
) -> Call:
    """Return a request to a guest at its present node."""
    path = guest_path(guest.node, guest.guest, guest.vmid)
    intent: dict[str, Any] = {
        "node": guest.node,
        "vmid": guest.vmid,
        "task_ids": [str(guest.vmid)],
        "keys": sorted(keys),
    }
    return Call(name, method, f"{path}/{below}" if below else path, params, intent)


def wait_unlocked(guest: GuestObject) -> None:
    """Let a lock pass: it belongs to a task that has not ended.

    Raises:
        Wait: There is a lock.
    """
    if guest.lock:
        raise Wait(f"guest {guest.vmid} is locked ({guest.lock})")


async def need_quorum(run: StepRun) -> None:
    """Let a loss of quorum pass: without it some writes are done by half.

    Raises:
        Wait: There is no quorum.
    """
    if not await run.live.quorate():
        raise Wait("the cluster has no quorum")
