"""Drive one step to its effect: look, call what is missing, look again.

The loop never repeats a call blindly. After a lost answer, a crash or a refusal it looks at the
object and at running tasks first; only what is still missing is called.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final, Protocol

from pmpc_reconcile.events import TaskStarted
from pmpc_reconcile.execute.begun import TASK_TYPES, tasks_begun
from pmpc_reconcile.execute.retreat import after_failure
from pmpc_reconcile.execute.steprun import StepRun
from pmpc_reconcile.execute.trouble import (
    Absent,
    Call,
    Crowded,
    NoQuorumWait,
    StepFailure,
    Taken,
    Wait,
)
from pmpc_reconcile.execute.waiting import StepClock, ToldOnce
from pmpc_state import JournalStep, StepPhase

_SERVER_ERROR: Final = 500
_CLOCKS: Final = 5.0
"""Seconds a node's clock may be behind ours."""


class Goal(Protocol):
    """What a step wants to be true."""

    async def next_call(self, run: StepRun) -> Call | None:
        """Look at the world and return the next request, None when all is as wanted.

        Raises:
            Wait: Something has to pass first.
            StepFailure: It cannot be brought about.
        """
        ...

    def resume(self, run: StepRun, entry: JournalStep) -> None:
        """Learn from what an earlier process wrote, such as the vmid it chose."""
        ...

    async def moved(self, run: StepRun, call: Call) -> bool:
        """Look whether what a call was sent to is somewhere else now."""
        ...

    def taken(self, run: StepRun, call: Call) -> None:
        """Hear that the id asked for belongs to somebody else.

        Raises:
            StepFailure: There is no other id to take.
        """
        ...


async def drive(goal: Goal, run: StepRun, earlier: tuple[JournalStep, ...]) -> None:
    """Bring a step to its effect.

    Args:
        goal: What the step wants.
        run: What it has at hand.
        earlier: What an earlier process wrote about the step.

    Raises:
        StepFailure: It cannot be brought about; the message says why, and what became of changes
            that were staged.
    """
    from proxmox_client import PveError

    try:
        await _bring_about(goal, run, earlier)
    except (StepFailure, PveError) as failure:
        raise StepFailure(await after_failure(goal, run, str(failure))) from failure


async def _bring_about(goal: Goal, run: StepRun, earlier: tuple[JournalStep, ...]) -> None:
    await _settle(goal, run, earlier)
    clock = StepClock(run)
    last: str | None = None
    while True:
        try:
            call = await _next_call(goal, run)
            if call is None:
                await run.journal.reached()
                return
            if call.name == last and run.journal.phases.get(call.name) is StepPhase.DONE:
                clock.check_effect(call)
                raise Wait(f"{call.name} is under way")
            last = call.name
            if clock.quorum_lost and not await run.live.quorate():
                raise Wait("the cluster has no quorum")
            clock.check_attempts(call)
            try:
                await _attempt(goal, run, call)
            except Absent as absent:
                if not await goal.moved(run, call):
                    raise StepFailure(str(absent)) from absent
                raise Wait("it is at another node now") from absent
            clock.called()
            run.lane.passed()
        except Wait as wait:
            clock.quorum_lost = isinstance(wait, NoQuorumWait) or clock.quorum_lost
            await clock.pause(str(wait), stay=isinstance(wait, Crowded))
        except Taken:
            last = None


async def _next_call(goal: Goal, run: StepRun) -> Call | None:
    from proxmox_client import ConnectError, NodeUnreachable, NotFound, TlsError

    try:
        return await goal.next_call(run)
    except TlsError as error:
        raise StepFailure(str(error)) from error
    except (ConnectError, NodeUnreachable) as error:
        raise Wait(str(error)) from error
    except NotFound as error:
        raise Wait(f"it was not found, so it may have moved: {error.reason}") from error


async def _attempt(goal: Goal, run: StepRun, call: Call) -> None:
    from proxmox_client import AmbiguousWrite, ApiError, ConnectError, RequestInvalid

    entry = await run.announce(call)
    sent = run.now()
    try:
        answer = await run.live.write(call.method, call.path, call.params)
    except AmbiguousWrite as error:
        run.unanswered = True
        await _look_for_tasks(run, call.intent)
        raise Wait("the answer was lost; looking for its effect") from error
    except ApiError as error:
        await run.journal.failed(entry, error.reason or str(error))
        try:
            _refused(goal, run, call, type(error), error.reason or str(error), str(error))
        except StepFailure:
            if error.status >= _SERVER_ERROR:
                await _outlast_begun(run, call, sent)
            raise
        return
    except (ConnectError, RequestInvalid) as error:
        await run.journal.failed(entry, str(error))
        if isinstance(error, ConnectError):
            raise Wait(str(error)) from error
        raise StepFailure(str(error)) from error
    upid = str(answer)
    if upid.startswith("UPID:"):
        await run.journal.upid(entry, upid)
        await _finish_task(goal, run, call, entry, upid)
    else:
        kept = {name: answer[name] for name in call.keeps}
        run.answers |= kept
        await run.journal.done(entry, kept or None)


async def _finish_task(goal: Goal, run: StepRun, call: Call, entry: str, upid: str) -> None:
    from proxmox_client import TaskFailed
    from proxmox_client.wire.answer import error_class

    result = await _watch(run, upid)
    if isinstance(result, TaskFailed):
        await run.journal.failed(entry, result.message)
        lines = (result.message, *reversed(result.tail))
        kind = next((found for found in map(error_class, lines) if found is not None), None)
        tail = "\n".join(("", *result.tail)) if result.tail else ""
        _refused(goal, run, call, kind, result.message, f"{result.message}{tail}")
        return
    await run.journal.done(entry)


async def _watch(run: StepRun, upid: str) -> Any:
    """Wait for a task and return its result; lost ones count as ended, the effect decides."""
    from proxmox_client import TaskRunning, TaskWarnings

    run.upids.append(upid)
    run.emit(TaskStarted(run.step.id, run.step.address, upid))
    log, until = ToldOnce(run, upid), run.now() + run.patience.task
    while True:
        log.rewind()
        result = await run.live.client.task(upid).wait(
            timeout=run.patience.lease / 3, on_log=log.line
        )
        if not isinstance(result, TaskRunning):
            break
        if run.now() >= until:
            raise StepFailure(
                f"task {upid} still runs after {run.patience.task:.0f} s; it is left running, and "
                "the next apply goes on waiting for it"
            )
        await run.keep()
    if isinstance(result, TaskWarnings):
        run.warnings.extend(result.lines)
    return result


def _refused(
    goal: Goal, run: StepRun, call: Call, kind: type[Any] | None, reason: str, text: str
) -> None:
    """Decide what a refusal means; returning means: look again at once."""
    from proxmox_client import (
        AlreadyExists,
        DigestMismatch,
        GuestLocked,
        LockTimeout,
        NodeUnreachable,
        NoQuorum,
        NotFound,
        WrongState,
    )

    if kind is None:
        raise StepFailure(f"{call.name}: {text}")
    if issubclass(kind, DigestMismatch):
        return
    if issubclass(kind, AlreadyExists):
        goal.taken(run, call)
        raise Taken(reason)
    if issubclass(kind, NotFound):
        raise Absent(f"{call.name}: {text}")
    if issubclass(kind, NoQuorum):
        raise NoQuorumWait(reason)
    if issubclass(kind, LockTimeout):
        run.lane.refused(run.now())
        raise Crowded(reason)
    if issubclass(kind, (GuestLocked, NodeUnreachable, WrongState)):
        raise Wait(reason)
    raise StepFailure(f"{call.name}: {text}")


async def _settle(goal: Goal, run: StepRun, earlier: tuple[JournalStep, ...]) -> None:
    """After a crash: wait for what was begun, so that looking at the object tells the truth."""
    from proxmox_client import TaskFailed

    for entry in earlier:
        goal.resume(run, entry)
        if entry.phase is StepPhase.UPID and entry.upid is not None:
            result = await _watch(run, entry.upid)
            name = entry.step.partition("|")[2]
            if isinstance(result, TaskFailed):
                await run.journal.failed(name, result.message)
        elif entry.phase is StepPhase.CALLED:
            await _look_for_tasks(run, entry.intent)


async def _outlast(run: StepRun, upid: str) -> None:
    """Wait for a task that may be ours or not; the lease is kept meanwhile."""
    from proxmox_client import TaskRunning

    until = run.now() + run.patience.task
    while run.now() < until:
        result = await run.live.client.task(upid).wait(timeout=run.patience.lease / 3)
        if not isinstance(result, TaskRunning):
            return
        await run.keep()


async def _outlast_begun(run: StepRun, call: Call, sent: float) -> None:
    """Wait for tasks a call began although it was answered with an error.

    Whoever undoes the step must not look before they have done what they do. Older tasks of the
    same object, such as a backup, are somebody else's.
    """
    from proxmox_client import PveError, Upid

    with suppress(PveError):  # what the call failed with counts
        for text in await tasks_begun(run.live, call.intent):
            if Upid.parse(text).starttime >= sent - _CLOCKS:
                await _outlast(run, text)


async def _look_for_tasks(run: StepRun, intent: Any) -> None:
    """Wait for tasks that may belong to a call whose answer nobody has."""
    deadline = run.now() + run.patience.lost
    watched: set[str] = set()
    while intent.get("node") is not None or intent.get(TASK_TYPES):
        for upid in await tasks_begun(run.live, intent):
            if upid not in watched:
                watched.add(upid)
                await _outlast(run, upid)
        if run.now() >= deadline:
            return
        await run.sleep(run.patience.poll)
