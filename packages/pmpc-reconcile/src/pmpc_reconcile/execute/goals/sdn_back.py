"""Back to the networks as they ran before: staged changes dropped, or the former ones applied."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Self

import attrs

from pmpc_reconcile.execute.goals.sdn_lock import (
    INTENT,
    LOCK,
    LOCK_PATH,
    RELOADING,
    TOKEN,
    SdnLock,
    call_name,
)
from pmpc_reconcile.execute.retreat import send
from pmpc_reconcile.execute.steprun import StepRun
from pmpc_reconcile.execute.trouble import Call, StepFailure, Wait
from pmpc_reconcile.groups.sdn.staging import next_staging
from pmpc_reconcile.groups.sdn.state import SECTIONS, Objects, Options, SdnState
from pmpc_reconcile.live.reloads import read_reloads
from pmpc_reconcile.live.sdn import SDN_PATH, read_sdn
from pmpc_state import StepPhase

if TYPE_CHECKING:
    from pmpc_reconcile.live import LiveCluster
    from pmpc_state import JournalStep

_BEFORE: Final = "before"
_LOCK_AGAIN: Final = f"{LOCK} to take back"


@attrs.frozen
class Former:
    """Objects as they ran before a step, as `zones.lab`; None for one that was not there."""

    objects: Mapping[str, Options | None]

    @classmethod
    def of(cls, running: Objects, names: Iterable[str]) -> Self:
        """Keep objects of a configuration."""
        return cls({name: _find(running, name) for name in names})

    @classmethod
    def read(cls, intent: Mapping[str, Any]) -> Self | None:
        """Return what the journal kept; None if it is not there."""
        return cls(intent[_BEFORE]) if _BEFORE in intent else None

    def to_intent(self) -> dict[str, Any]:
        """Return it for the journal."""
        return {_BEFORE: {name: None if o is None else dict(o) for name, o in self.objects.items()}}

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the objects."""
        return tuple(self.objects)

    def only(self, names: Iterable[str]) -> Self:
        """Return some of them."""
        return attrs.evolve(self, objects={name: self.objects[name] for name in names})

    def over(self, objects: Objects) -> Objects:
        """Return a configuration in which these objects are as they were."""
        found = {section: dict(objects[section]) for section in SECTIONS}
        for name, options in self.objects.items():
            section, _, item = name.partition(".")
            if options is None:
                found[section].pop(item, None)
            else:
                found[section][item] = options
        return found


async def drop_staged(run: StepRun, lock: SdnLock, mine: Collection[str], state: SdnState) -> str:
    """Drop what we staged, leave what others staged, and release the lock."""
    lock.spent = False  # nothing was applied, so it is still held
    if lock.token and not set(state.pending) - set(mine):
        await roll_back(run.live, lock.token)
        lock.used()
        return "what was staged is rolled back and the lock is released"
    if lock.token is None:
        await lock.release(run)  # the one of a process that died
    await _stage(run, lock, Former.of(state.running, [n for n in state.pending if n in mine]))
    await lock.release(run)
    return "what was staged is taken back"


async def put_back(run: StepRun, lock: SdnLock, former: Former, state: SdnState) -> str:
    """Apply our objects as they ran before an apply that failed; others' edits stay.

    Returns:
        How it ended, for people: what is in force where.
    """
    from proxmox_client import PveError

    stays = "it was applied before it failed and stays in force"
    strange = [name for name in state.pending if name not in former.names]
    if strange:
        return f"{stays}: somebody staged {', '.join(strange)}, which would be committed along"
    try:
        await _take_again(run, lock, state)
        await _stage(run, lock, former)
        call = Call("apply as before", "PUT", SDN_PATH, lock.params, RELOADING)
        upid = str(await send(run, call))
    except (Wait, StepFailure, PveError) as error:
        after = await read_sdn(run.live)
        if lock.token or set(after.pending) & set(former.names):
            await drop_staged(run, lock, former.names, after)
        return f"{stays}: {error}"
    lock.used()
    return await _ending(run, upid)


async def _take_again(run: StepRun, lock: SdnLock, state: SdnState) -> None:
    """Take the lock, and wait a while for whoever has it.

    Raises:
        Wait: He has it still.
        StepFailure: Somebody staged something.
    """
    until = run.now() + 2 * run.patience.effect
    waits = bool(state.pending)
    while True:
        try:
            return await lock.take(run, _LOCK_AGAIN, {}, ours_waits=waits, empty=not waits)
        except Wait:
            if run.now() >= until:
                raise
        await run.keep()
        await run.sleep(run.patience.longest)


async def unfinished_reloads(run: StepRun, upid: str | None) -> str:
    """Return which nodes failed to reload after an apply, for people; empty if none did.

    Nodes that do not answer reload when they come back.
    """
    if upid is None:
        return ""
    nodes = [name for name, online in (await run.inventory.recent()).nodes.items() if online]
    found = await read_reloads(run.live, nodes, upid)
    for task in found.running:
        await run.live.client.task(task).wait(timeout=run.patience.lease / 3)
    if found.running:
        found = await read_reloads(run.live, nodes, upid)
    if found.unseen:
        run.warnings.append(f"whether {', '.join(found.unseen)} reloaded could not be seen")
    return ", ".join(f"{node} did not reload ({text})" for node, text in found.failed.items())


async def roll_back(live: LiveCluster, token: str) -> None:
    """Drop what was staged under a lock and release it."""
    await live.write("POST", f"{SDN_PATH}/rollback", {"lock-token": token, "release-lock": 1})


async def abandon_staged(live: LiveCluster, steps: Sequence[JournalStep]) -> None:
    """Drop what a run left staged that nobody goes on with, and release its lock.

    Whether a lock is held is learnt by asking for it. Only ours is rolled back: our token proves
    it. One whose token never reached us is broken when nothing is staged under it: since we asked
    for it, our lease ran out, and nobody used it.
    """
    from proxmox_client import ApiError

    calls = [step for step in steps if step.intent.get("sdn")]
    locks = sorted((s for s in calls if call_name(s).startswith(LOCK)), key=lambda s: s.intent_at)
    if not locks or all(step.phase is StepPhase.VERIFIED for step in locks):
        return
    with contextlib.suppress(ApiError):  # then planning says what waits there
        if not any(step.result or step.phase is StepPhase.CALLED for step in locks):
            former = next((each for s in locks if (each := Former.read(s.intent))), None)
            await _stage_back(live, former)  # PVE 8 knows no locks
        elif await _is_held(live):
            await _release_ours(live, locks)


async def _release_ours(live: LiveCluster, locks: Sequence[JournalStep]) -> None:
    for step in locks:
        if step.result and await _rolled_back(live, str(step.result[TOKEN])):
            return
    if locks[-1].phase is StepPhase.CALLED and not (await read_sdn(live)).pending:
        await live.write("DELETE", LOCK_PATH, {"force": 1})


async def _rolled_back(live: LiveCluster, token: str) -> bool:
    from proxmox_client import LockTokenInvalid

    try:
        await roll_back(live, token)
    except LockTokenInvalid:
        return False
    return True


async def _is_held(live: LiveCluster) -> bool:
    """Return whether somebody has the lock; if nobody has, nothing of ours can be under it."""
    from proxmox_client import ApiError, LockTokenInvalid

    try:
        token = await live.write("POST", LOCK_PATH)
    except LockTokenInvalid:
        return True
    except ApiError:  # nobody has it, and somebody staged something
        return False
    await live.write("DELETE", LOCK_PATH, {"lock-token": token})
    return False


async def _stage_back(live: LiveCluster, former: Former | None) -> None:
    while former is not None:
        state = await read_sdn(live)
        waits = [name for name in state.pending if name in former.names]
        staging = next_staging(state, Former.of(state.running, waits).over(state.staged))
        if staging is None:
            return
        await live.write(staging.method, staging.path, staging.params)


async def _stage(run: StepRun, lock: SdnLock, former: Former) -> None:
    """Stage objects as they were, call by call."""
    while True:
        state = await read_sdn(run.live)
        staging = next_staging(state, former.over(state.staged))
        if staging is None:
            return
        params = {**staging.params, **lock.params}
        name = f"take back: {staging.name}"
        await send(run, Call(name, staging.method, staging.path, params, INTENT))


async def _ending(run: StepRun, upid: str) -> str:
    from proxmox_client import TaskFailed

    result = await run.live.client.task(upid).wait(timeout=run.patience.task)
    failed = await unfinished_reloads(run, upid)
    if isinstance(result, TaskFailed):
        failed = ", ".join(filter(None, (f"its task failed ({result.message})", failed)))
    if failed:
        return f"the networks before are configured again, but {failed}"
    return "the networks before are applied again and the lock is released"


def _find(objects: Objects, name: str) -> Options | None:
    section, _, item = name.partition(".")
    return objects[section].get(item)
