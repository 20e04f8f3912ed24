"""The lock of the cluster's networks (PVE 9): taken, given back, and never taken from others.

Nobody can ask PVE whose lock it is. Ours is known by its token, which the journal keeps; releasing
with it is refused where the lock is somebody else's and does nothing where there is none.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from pmpc_reconcile.execute.begun import TASK_TYPES
from pmpc_reconcile.execute.retreat import send
from pmpc_reconcile.execute.steprun import StepRun
from pmpc_reconcile.execute.trouble import Call, StepFailure, Wait
from pmpc_reconcile.live.sdn import SDN_PATH
from pmpc_state import StepPhase

if TYPE_CHECKING:
    from pmpc_state import JournalStep

TOKEN: Final = "token"  # noqa: S105  # the name of a journal entry's part
LOCK: Final = "lock"
LOCK_PATH: Final = f"{SDN_PATH}/lock"
INTENT: Final[Mapping[str, Any]] = {"sdn": "cluster"}
RELOADING: Final[Mapping[str, Any]] = {**INTENT, TASK_TYPES: ["reloadnetworkall"]}


class SdnLock:
    """Our hold on the configuration of the cluster's networks.

    Attributes:
        token: What proves it; None while we have none, empty where PVE knows no locks.
        spent: It went with an apply, which takes it back when it is accepted.
    """

    def __init__(self) -> None:
        self.token: str | None = None
        self.spent = False
        self._former: tuple[datetime, str] | None = None
        self._unheard: float | None = None

    @property
    def params(self) -> dict[str, object]:
        """Return what proves it to PVE, as parameters."""
        return {"lock-token": self.token} if self.token else {}

    def resume(self, run: StepRun, entry: JournalStep) -> bool:
        """Learn of a lock that an earlier process took; return whether the entry is about one."""
        if not call_name(entry).startswith(LOCK):
            return False
        known = datetime.min.replace(tzinfo=UTC) if self._former is None else self._former[0]
        if entry.phase is StepPhase.CALLED:
            self._unheard = run.now()
        elif entry.phase is StepPhase.DONE and entry.result and entry.intent_at > known:
            self._former = (entry.intent_at, str(entry.result[TOKEN]))
        return True

    def used(self) -> None:
        """Hear that an apply or a rollback took it back."""
        self.token = None
        self.spent = False

    async def take(
        self, run: StepRun, name: str, intent: Mapping[str, Any], *, ours_waits: bool, empty: bool
    ) -> None:
        """Take the lock.

        A lock that we asked for and whose token nobody told us (the answer was lost, or the
        process died over it) is taken away after a while, unless something is staged under it.

        Args:
            run: The step.
            name: What the journal calls it.
            intent: What the journal keeps of it.
            ours_waits: Something of ours is staged already.
            empty: Nothing at all is staged.

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

        await self._drop_former(run)
        params = {"allow-pending": 1} if ours_waits else {}
        try:
            call = Call(name, "POST", LOCK_PATH, params, {**INTENT, **intent})
            self.token = str(await send(run, call, TOKEN))
        except (OperationNotImplemented, VersionUnsupported):
            self.token = ""
        except AmbiguousWrite as error:
            self._unheard = run.now()
            raise Wait("the answer with the lock's token was lost") from error
        except LockTokenInvalid as error:
            waited = -1.0 if self._unheard is None else run.now() - self._unheard
            if waited >= run.patience.effect and empty:
                await send(run, Call("break lock", "DELETE", LOCK_PATH, {"force": 1}, INTENT))
            raise Wait("somebody else holds the lock of the cluster's networks") from error
        except ApiError as error:
            raise StepFailure(f"lock: {error.reason}") from error

    async def release(self, run: StepRun) -> None:
        """Give the lock back if we have it."""
        if self.token and not self.spent:
            await send(run, Call("unlock", "DELETE", LOCK_PATH, self.params, INTENT))
        self.used()
        await self._drop_former(run)

    async def _drop_former(self, run: StepRun) -> None:
        """Give back a lock we may still have; it is refused where the lock is another's."""
        from proxmox_client import ApiError

        if self._former is None:
            return
        params = {"lock-token": self._former[1]}
        with contextlib.suppress(ApiError):
            await send(run, Call("unlock former", "DELETE", LOCK_PATH, params, INTENT))
        self._former = None


def call_name(entry: JournalStep) -> str:
    """Return what a call was for: `lock` of `Sdn/lab#configure|lock`."""
    return entry.step.partition("|")[2]
