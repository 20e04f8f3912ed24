"""The goal about the cluster's networks: locked, staged, applied once, or all of it taken back.

PVE 9 has a lock for this configuration and a rollback; before it, what was staged is staged back.
An apply that PVE accepted and a node did not carry out is taken back by applying what ran before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from pmpc_reconcile.execute.goals.base import ExistingGuestGoal, need_quorum
from pmpc_reconcile.execute.goals.sdn_back import Former, drop_staged, put_back, unfinished_reloads
from pmpc_reconcile.execute.goals.sdn_back import abandon_staged as abandon_staged
from pmpc_reconcile.execute.goals.sdn_lock import INTENT, LOCK, RELOADING, SdnLock, call_name
from pmpc_reconcile.execute.reviewed import still_missing, valued
from pmpc_reconcile.execute.steprun import StepRun
from pmpc_reconcile.execute.trouble import Call, StepFailure
from pmpc_reconcile.groups.sdn.staging import Staging, next_staging
from pmpc_reconcile.groups.sdn.state import Objects, SdnState, different, sdn_live, sdn_target
from pmpc_reconcile.live.reloads import newest_apply
from pmpc_reconcile.live.sdn import SDN_PATH, read_sdn
from pmpc_reconcile.plans.steps import Configure
from pmpc_reconcile.values.items import split_item
from pmpc_state import StepPhase

if TYPE_CHECKING:
    from pmpc_state import JournalStep

SDN: Final = "Sdn/"
APPLY: Final = "apply"


class SdnGoal(ExistingGuestGoal):
    """The running configuration has the declared values, and nothing of it waits for an apply."""

    def __init__(self, step: Configure) -> None:
        self.step = attrs.evolve(step, changes=step.together, along=())
        self._mine = {_item(change.path) for change in step.together}
        self._lock = SdnLock()
        self._former: Former | None = None
        self._target: Objects | None = None
        self._staged = False
        self._applied = False
        self._upid: str | None = None

    def resume(self, run: StepRun, entry: JournalStep) -> None:
        """Learn the lock's token, what ran before, and whether something was staged or applied."""
        if self._former is None:
            self._former = Former.read(entry.intent)
        name = call_name(entry)
        if self._lock.resume(run, entry):
            return
        self._staged = True
        if name == APPLY and (entry.upid or entry.phase is not StepPhase.FAILED):
            self._applied = entry.phase is not StepPhase.INTENT
            self._upid = entry.upid

    async def next_call(self, run: StepRun) -> Call | None:
        """Return the next call: staging by staging, then the one apply."""
        await need_quorum(run)
        state = await read_sdn(run.live)
        live = sdn_live(state.running, valued(self.step.changes))
        self._target = sdn_target(state.running, still_missing("Sdn", self.step, live))
        names = different(state.running, self._target)
        if self._former is None:
            self._former = Former.of(state.running, names)
        if not names and not (self._staged and self._mine & set(state.pending)):
            return await self._reached(run, state)
        self._refuse_foreign(state)
        if self._lock.token is None:
            intent = self._former.to_intent()
            await self._lock.take(
                run, LOCK, intent, ours_waits=self._staged, empty=not state.pending
            )
        staging = next_staging(state, self._target)
        if staging is not None:
            self._staged = True
            return self._staging_call(state, staging)
        await _dry_run(run)
        return self._apply()

    async def take_back(self, run: StepRun) -> str:
        """Drop what was staged, or apply what ran before, and release the lock."""
        state = await read_sdn(run.live)
        names = self._in_force(state)
        if self._former is not None and names:
            await self._lock.release(run)
            return await put_back(run, self._lock, self._former.only(names), state)
        if self._staged or self._lock.token:
            return await drop_staged(run, self._lock, self._mine, state)
        return ""

    async def _reached(self, run: StepRun, state: SdnState) -> Call | None:
        """Return None when every node has it; an apply whose task failed is sent again.

        Raises:
            StepFailure: A node did not reload.
        """
        await self._lock.release(run)
        if self._applied:
            if run.journal.phases.get(APPLY) is StepPhase.FAILED:
                self._refuse_foreign(state)
                return self._apply()
            upid = run.upids[-1] if run.upids else self._upid or await newest_apply(run.live)
            failed = await unfinished_reloads(run, upid)
            if failed:
                raise StepFailure(f"the networks were applied, but {failed}")
        return None

    def _apply(self) -> Call:
        self._applied = self._lock.spent = True
        return Call(APPLY, "PUT", SDN_PATH, self._lock.params, RELOADING)

    def _in_force(self, state: SdnState) -> tuple[str, ...]:
        """Return which of our objects run as we want them and did not before."""
        if self._former is None or self._target is None or not self._applied:
            return ()
        ours = set(self._former.names)
        return tuple(
            name
            for name in different(state.running, self._former.over(state.running))
            if name in ours and name not in different(state.running, self._target)
        )

    def _refuse_foreign(self, state: SdnState) -> None:
        """Refuse to commit what others staged.

        Raises:
            StepFailure: Something waits that is not ours.
        """
        ours = self._mine if self._staged else set[str]()
        strange = [name for name in state.pending if name not in ours]
        if strange:
            raise StepFailure(
                f"somebody staged {', '.join(strange)} and has not applied it: it would be "
                "committed along; apply it or roll it back, then plan again"
            )

    def _staging_call(self, state: SdnState, staging: Staging) -> Call:
        params = {**staging.params, **self._lock.params}
        digest = state.digests.get(staging.section or "")
        if digest is not None:
            params["digest"] = digest
        return Call(staging.name, staging.method, staging.path, params, INTENT)


async def _dry_run(run: StepRun) -> None:
    """Let each node that answers work out what is staged, where PVE can.

    Raises:
        StepFailure: A node cannot.
    """
    from proxmox_client import (
        ApiError,
        NodeUnreachable,
        OperationNotImplemented,
        VersionUnsupported,
    )

    nodes = (await run.inventory.recent()).nodes
    for node in sorted(name for name, online in nodes.items() if online):
        try:
            await run.live.read(f"{SDN_PATH}/dry-run", {"node": node})
        except (OperationNotImplemented, VersionUnsupported):
            return
        except NodeUnreachable:
            continue
        except ApiError as error:
            raise StepFailure(f"dry-run on {node}: {error.reason}") from error


def _item(path: str) -> str:
    section, name, _ = split_item(path)
    return f"{section}.{name}"
