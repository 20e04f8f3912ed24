"""Goals that keep what is there: snapshots, backups, and objects that are ours no more."""

from __future__ import annotations

from typing import Any, Final

from pmpc_reconcile.execute.goals.base import (
    ExistingGuestGoal,
    guest_call,
    need_quorum,
    wait_unlocked,
)
from pmpc_reconcile.execute.steprun import StepRun
from pmpc_reconcile.execute.trouble import Call
from pmpc_reconcile.identity import strip_marker
from pmpc_reconcile.live import GuestObject
from pmpc_reconcile.live.cluster import guest_path
from pmpc_reconcile.plans.steps import BackupGuest, DropBackups, SnapshotGuest

_NOTE: Final = "pmpc plan "


class SnapshotGoal(ExistingGuestGoal):
    """A snapshot named after the plan is there, and not too many older ones."""

    def __init__(self, step: SnapshotGuest) -> None:
        self.step = step

    async def next_call(self, run: StepRun) -> Call | None:
        """Return the snapshot, then the deletion of older ones, until both are done."""
        guest = await run.own_guest()
        path = guest_path(guest.node, guest.guest, guest.vmid)
        rows: list[dict[str, Any]] = await run.live.read(f"{path}/snapshot")
        name = f"{self.step.prefix}-{run.plan.id}"
        ours = sorted(
            (row for row in rows if str(row["name"]).rpartition("-")[0] == self.step.prefix),
            key=lambda row: int(row.get("snaptime", 0)),
        )
        if not any(row["name"] == name for row in ours):
            wait_unlocked(guest)
            await need_quorum(run)
            params: dict[str, object] = {
                "snapname": name,
                "description": f"pmpc plan {run.plan.id}",
            }
            return guest_call(guest, "snapshot", "POST", "snapshot", params)
        old = [row["name"] for row in ours if row["name"] != name]
        if len(old) < max(1, self.step.keep):
            return None
        wait_unlocked(guest)
        await need_quorum(run)
        return guest_call(guest, f"drop {old[0]}", "DELETE", f"snapshot/{old[0]}", {})


class BackupGoal(ExistingGuestGoal):
    """A backup made for the plan is on the storage."""

    def __init__(self, step: BackupGuest) -> None:
        self.step = step

    async def next_call(self, run: StepRun) -> Call | None:
        """Return the backup until it is there."""
        guest = await run.own_guest()
        if await self._there(run, guest):
            return None
        wait_unlocked(guest)
        await need_quorum(run)
        step = self.step
        params: dict[str, object] = {
            "vmid": str(guest.vmid),
            "storage": step.storage,
            "mode": step.mode,
            "notes-template": self._note(run),
        }
        intent: dict[str, Any] = {
            "node": guest.node,
            "vmid": guest.vmid,
            "task_ids": [str(guest.vmid)],
        }
        # Named after the node: asked at another one it says OK and does nothing.
        return Call(
            f"backup on {guest.node}", "POST", f"/nodes/{guest.node}/vzdump", params, intent
        )

    async def _there(self, run: StepRun, guest: GuestObject) -> bool:
        rows: list[dict[str, Any]] = await run.live.read(
            f"/nodes/{guest.node}/storage/{self.step.storage}/content",
            {"content": "backup", "vmid": guest.vmid},
        )
        note = self._note(run)
        return any(str(row.get("notes", "")).strip() == note for row in rows)

    def _note(self, run: StepRun) -> str:
        words = (f"{_NOTE}{run.plan.id}", self.step.when, run.item.address)
        return " ".join(word for word in words if word)


class DropBackupsGoal(ExistingGuestGoal):
    """Of the backups that hooks made of a guest, only the newest are there.

    They are known by their notes, which name the plan and the object: those of a job, of somebody
    else and of whoever had the vmid before or has it since stay, and so do protected ones.
    """

    def __init__(self, step: DropBackups) -> None:
        self.step = step

    async def moved(self, run: StepRun, call: Call) -> bool:
        """Return no: backups stay where they are."""
        return False

    async def next_call(self, run: StepRun) -> Call | None:
        """Return the deletion of the oldest one until few enough are left."""
        node, vmid, storage = run.item.node, run.item.vmid, self.step.storage
        rows: list[dict[str, Any]] = await run.live.read(
            f"/nodes/{node}/storage/{storage}/content", {"content": "backup", "vmid": vmid}
        )
        ours = sorted((row for row in rows if _made_for(row, run)), key=lambda row: -row["ctime"])
        old = [row["volid"] for row in ours[self.step.keep :] if not row.get("protected")]
        if not old:
            return None
        await need_quorum(run)
        intent = {"node": node, "vmid": vmid, "task_ids": [f"{vmid}@{storage}"]}
        path = f"/nodes/{node}/storage/{storage}/content/{old[-1]}"
        return Call(f"drop {old[-1]}", "DELETE", path, {}, intent)


def _made_for(row: dict[str, Any], run: StepRun) -> bool:
    notes = str(row.get("notes", "")).strip()
    return notes.startswith(_NOTE) and notes.endswith(f" {run.item.address}")


class ForgetGoal(ExistingGuestGoal):
    """The object is there as it was, without our marker."""

    async def next_call(self, run: StepRun) -> Call | None:
        """Return the write that takes the marker out."""
        if run.item.kind == "Pool":
            return await self._pool(run)
        guest = await run.guest()
        if guest is None or guest.marker is None or guest.marker != run.marker:
            return None  # gone, or nobody's already
        wait_unlocked(guest)
        own = strip_marker(guest.description)
        params: dict[str, object] = {"description": own} if own else {"delete": "description"}
        params["digest"] = guest.digest
        return guest_call(guest, "forget", "PUT", "config", params)

    async def _pool(self, run: StepRun) -> Call | None:
        name = run.item.name
        if not await run.live.has_pool(name):
            return None
        pool = await run.live.pool(name)
        if pool.marker is None or pool.marker != run.marker:
            return None
        params: dict[str, object] = {"comment": strip_marker(pool.comment)}
        return Call("forget", "PUT", f"/pools/{pool.name}", params, {"pool": pool.name})
