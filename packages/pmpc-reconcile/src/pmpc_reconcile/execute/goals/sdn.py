"""The goal about the cluster's networks: locked, staged, applied once, or rolled back.

PVE 9 has a lock for this configuration and a rollback; before it, what was staged is staged back.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from pmpc_reconcile.diff import FieldChange
from pmpc_reconcile.execute.goals.base import ExistingGuestGoal, need_quorum
from pmpc_reconcile.execute.retreat import send
from pmpc_reconcile.execute.reviewed import still_missing
from pmpc_reconcile.execute.steprun import StepRun
from pmpc_reconcile.execute.trouble import Call, StepFailure, Wait
from pmpc_reconcile.groups.sdn.staging import Staging, next_staging
from pmpc_reconcile.groups.sdn.state import Objects, SdnState, different, sdn_live, sdn_target
from pmpc_reconcile.live.sdn import SDN_PATH, read_sdn
from pmpc_reconcile.plans.steps import Configure
from pmpc_state import StepPhase

if TYPE_CHECKING:
    from pmpc_reconcile.live import LiveCluster
    from pmpc_state import JournalStep

SDN: Final = "Sdn/"
TOKEN: Final = "token"  # noqa: S105  # the name of a journal entry's part
_LOCK: Final = "lock"
_LOCK_PATH: Final = f"{SDN_PATH}/lock"
_NO_LOCKS: Final = ""
_INTENT: Final = {"sdn": "cluster"}


class SdnGoal(ExistingGuestGoal):
    """The running configuration has the declared values, and nothing waits for an apply."""

    def __init__(self, step: Configure) -> None:
        self.step = step
        self._token: str | None = None
        self._staged = False
        self._applied = False
        self._unheard: float | None = None

    def resume(self, run: StepRun, entry: JournalStep) -> None:
        """Learn the lock's token and whether something was staged or applied."""
        name = entry.step.partition("|")[2]
        if name == _LOCK and entry.result is not None:
            self._token = str(entry.result[TOKEN])
        elif name == _LOCK and entry.phase is StepPhase.CALLED:
            self._unheard = run.now()
        elif name.startswith("apply"):
            self._applied = True
        elif name != _LOCK:
            self._staged = True

    async def next_call(self, run: StepRun) -> Call | None:
        """Return the next call: staging by staging, then the one apply."""
        await need_quorum(run)
        state = await read_sdn(run.live)
        changes = _missing(state, self.step)
        target = sdn_target(state.running, changes)
        if not different(state.running, target) and not state.pending:
            await self._let_go(run)
            return None
        if self._token is None:
            self._refuse_foreign(state, target)
            await self._lock(run, state)
        staging = next_staging(state, target)
        if staging is not None:
            self._staged = True
            return self._staging_call(state, staging)
        await _dry_run(run)
        self._applied = True
        return Call("apply", "PUT", SDN_PATH, self._with_token(), _INTENT)

    async def take_back(self, run: StepRun) -> str:
        """Roll back what was staged and release the lock."""
        if not self._staged and self._token in (None, _NO_LOCKS):
            return ""
        state = await read_sdn(run.live)
        if self._token:
            await roll_back(run.live, self._token)
            verb = "rolled back and the lock is released"
        else:
            await _stage_back(run, state)
            verb = "taken back"
        self._token = None
        if self._applied and not state.pending:
            return "it was applied before it failed; the running configuration was not taken back"
        return f"what was staged is {verb}"

    async def _lock(self, run: StepRun, state: SdnState) -> None:
        """Take the lock of the configuration.

        A lock that we asked for and whose token nobody told us (the answer was lost, or the
        process died over it) is taken away after a while, unless something is staged under it.

        Raises:
            Wait: Somebody else holds it.
            StepFailure: Somebody staged something meanwhile.
        """
        from proxmox_client import (
            AmbiguousWrite,
            ApiError,
            LockTokenInvalid,
            OperationNotImplemented,
            VersionUnsupported,
        )

        params = {"allow-pending": 1} if self._staged else {}
        call = Call(_LOCK, "POST", _LOCK_PATH, params, _INTENT)
        try:
            self._token = str(await send(run, call, TOKEN))
        except (OperationNotImplemented, VersionUnsupported):
            self._token = _NO_LOCKS
        except AmbiguousWrite as error:
            self._unheard = run.now()
            raise Wait("the answer with the lock's token was lost") from error
        except LockTokenInvalid as error:
            waited = -1.0 if self._unheard is None else run.now() - self._unheard
            if waited >= run.patience.effect and not state.pending:
                await send(run, Call("break lock", "DELETE", _LOCK_PATH, {"force": 1}, _INTENT))
            raise Wait("somebody else holds the lock of the cluster's networks") from error
        except ApiError as error:
            raise StepFailure(f"lock: {error.reason}") from error

    def _refuse_foreign(self, state: SdnState, target: Objects) -> None:
        """Refuse to commit what others staged.

        Raises:
            StepFailure: Something waits that is not ours.
        """
        ours = set(different(state.running, target)) if self._staged else set[str]()
        strange = [name for name in state.pending if name not in ours]
        if strange:
            raise StepFailure(
                f"somebody staged {', '.join(strange)} and has not applied it: it would be "
                "committed along; apply it or roll it back, then plan again"
            )

    def _staging_call(self, state: SdnState, staging: Staging) -> Call:
        params = {**staging.params, **self._with_token()}
        digest = state.digests.get(staging.section or "")
        if digest is not None:
            params["digest"] = digest
        return Call(staging.name, staging.method, staging.path, params, _INTENT)

    def _with_token(self) -> dict[str, object]:
        return {"lock-token": self._token} if self._token else {}

    async def _let_go(self, run: StepRun) -> None:
        """Release a lock that an apply did not release: there was nothing to apply any more."""
        if self._token and not self._applied:
            call = Call("unlock", "DELETE", _LOCK_PATH, self._with_token(), _INTENT)
            await send(run, call)
            self._token = None


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


async def roll_back(live: LiveCluster, token: str) -> None:
    """Drop what was staged under a lock and release it."""
    await live.write("POST", f"{SDN_PATH}/rollback", {"lock-token": token, "release-lock": 1})


async def abandon_staged(live: LiveCluster, steps: Sequence[JournalStep]) -> None:
    """Roll back what a run left staged that nobody goes on with."""
    from proxmox_client import ApiError

    calls = {step.step.partition("|")[2]: step for step in steps if step.intent.get("sdn")}
    lock = calls.get(_LOCK)
    released = any(name.startswith(("apply", "unlock")) for name in calls)
    if lock is None or released:
        return
    with contextlib.suppress(ApiError):  # somebody took the lock away by force
        if lock.result is not None:
            await roll_back(live, str(lock.result[TOKEN]))
        elif lock.phase is StepPhase.CALLED and not (await read_sdn(live)).pending:
            await live.write("DELETE", _LOCK_PATH, {"force": 1})


async def _stage_back(run: StepRun, state: SdnState) -> None:
    """Stage what runs, call by call, where PVE knows no rollback."""
    while True:
        staging = next_staging(state, state.running)
        if staging is None:
            return
        name = f"take back: {staging.name}"
        await send(run, Call(name, staging.method, staging.path, staging.params, _INTENT))
        state = await read_sdn(run.live)


def _missing(state: SdnState, step: Configure) -> tuple[FieldChange, ...]:
    """Return the changes that do not run yet, each checked against what was reviewed."""
    live = sdn_live(state.running, [change.path for change in step.changes])
    return still_missing("Sdn", step, live)
