"""Goals about pools. They have no digest and no task: read, write, read again."""

from __future__ import annotations

from pmpc_reconcile.diff import Action
from pmpc_reconcile.execute.goals.base import ExistingGuestGoal
from pmpc_reconcile.execute.steprun import StepRun
from pmpc_reconcile.execute.trouble import Call, StepFailure
from pmpc_reconcile.identity import strip_marker, with_marker
from pmpc_reconcile.live import PoolObject
from pmpc_reconcile.plans.steps import Configure
from pmpc_reconcile.values import Absent

POOL_EVIDENCE = "pool"
"""In an object's evidence: the name of a pool that was recorded as ours and lost its marker."""

_GUESTS = "guests."
_STORAGE = "storage."


async def own_pool(run: StepRun) -> PoolObject | None:
    """Read the pool and prove it ours; None if there is none.

    Raises:
        StepFailure: It is somebody else's.
    """
    name = run.item.name
    if not await run.live.has_pool(name):
        return None
    pool = await run.live.pool(name)
    remembered = pool.marker is None and run.item.evidence.get(POOL_EVIDENCE) == name
    if pool.marker != run.marker and not remembered:
        raise StepFailure(
            f"pool {name} is not ours: its comment lacks our marker; it is left alone"
        )
    return pool


class CreatePoolGoal(ExistingGuestGoal):
    """The pool exists and carries our marker."""

    async def next_call(self, run: StepRun) -> Call | None:
        """Return the creation until the pool is there."""
        if await own_pool(run) is not None:
            return None
        own = run.item.desired.get("comment")
        comment = with_marker(None if own is None else str(own), run.marker)
        params: dict[str, object] = {"poolid": run.item.name, "comment": comment}
        return Call("create", "POST", "/pools", params, {"pool": run.item.name})

    def taken(self, run: StepRun, call: Call) -> None:
        """Look at the pool that is there; it may be ours."""


class ConfigurePoolGoal(ExistingGuestGoal):
    """The pool's comment and members are as declared."""

    def __init__(self, step: Configure) -> None:
        self.step = step

    async def next_call(self, run: StepRun) -> Call | None:
        """Return the next write: comment, additions, removals."""
        pool = await own_pool(run)
        if pool is None:
            raise StepFailure(f"pool {run.item.name} does not exist any more; plan again")
        wanted = self._comment(strip_marker(pool.comment))
        if pool.marker is None or strip_marker(pool.comment) != wanted:
            return self._put(run, "comment", {"comment": with_marker(wanted, run.marker)})
        for remove in (False, True):
            params = self._members(run, pool, remove=remove)
            if params:
                verb = "remove members" if remove else "add members"
                return self._put(run, verb, {**params, "delete": 1} if remove else params)
        return None

    def _comment(self, now: str) -> str:
        """Return the comment to write; the present one where none is to be changed.

        Raises:
            StepFailure: Somebody changed it since the plan was made.
        """
        for change in self.step.changes:
            if change.path != "comment":
                continue
            wanted = "" if change.action is Action.REMOVE else str(change.desired)
            reviewed = "" if isinstance(change.live, Absent) else str(change.live)
            if now in (wanted, reviewed):
                return wanted
            if not self.step.lenient:
                raise StepFailure(
                    f"comment was {reviewed!r} when the plan was made and is {now!r} now: "
                    "somebody changed it; plan again"
                )
        return now

    def _members(self, run: StepRun, pool: PoolObject, *, remove: bool) -> dict[str, object]:
        guests: list[str] = []
        storages: list[str] = []
        for change in self.step.changes:
            if (change.action is Action.REMOVE) is not remove:
                continue
            if change.path.startswith(_GUESTS):
                vmid = _vmid(run, change.path.removeprefix(_GUESTS))
                if (vmid in pool.guests) is remove:
                    guests.append(str(vmid))
            elif change.path.startswith(_STORAGE):
                storage = change.path.removeprefix(_STORAGE)
                if (storage in pool.storages) is remove:
                    storages.append(storage)
        lists = {"vms": ",".join(guests), "storage": ",".join(storages)}
        return {key: value for key, value in lists.items() if value}

    def _put(self, run: StepRun, name: str, params: dict[str, object]) -> Call:
        return Call(name, "PUT", f"/pools/{run.item.name}", params, {"pool": run.item.name})


class DeletePoolGoal(ExistingGuestGoal):
    """The pool is gone. Members that are not ours are not put out of it."""

    async def next_call(self, run: StepRun) -> Call | None:
        """Return the deletion until the pool is gone."""
        pool = await own_pool(run)
        if pool is None:
            return None
        if pool.guests:
            members = ", ".join(str(vmid) for vmid in sorted(pool.guests))
            raise StepFailure(f"pool {pool.name} still has guests that are not ours: {members}")
        if pool.storages:
            params: dict[str, object] = {"storage": ",".join(sorted(pool.storages)), "delete": 1}
            path = f"/pools/{pool.name}"
            return Call("remove storages", "PUT", path, params, {"pool": pool.name})
        return Call("delete", "DELETE", f"/pools/{pool.name}", {}, {"pool": pool.name})


def _vmid(run: StepRun, reference: str) -> int:
    if reference.isdigit():
        return int(reference)
    other = run.others.get(reference)
    if other is None or other.vmid is None:
        raise StepFailure(f"{reference} has no vmid yet, so it cannot be put into the pool")
    return other.vmid
