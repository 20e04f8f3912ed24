"""Take back what a failed step staged: nothing half done waits for the next apply of somebody."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from pmpc_reconcile.execute.steprun import StepRun
from pmpc_reconcile.execute.trouble import Call


@runtime_checkable
class Staged(Protocol):
    """A goal that stages changes before it commits them."""

    async def take_back(self, run: StepRun) -> str:
        """Drop what was staged and return how it ended, for people; empty if nothing was."""
        ...


async def after_failure(goal: object, run: StepRun, reason: str) -> str:
    """Take back what a goal staged and return the reason with how that ended."""
    from proxmox_client import PveError

    if not isinstance(goal, Staged):
        return reason
    try:
        ending = await goal.take_back(run)
    except PveError as error:
        ending = f"what was staged could not be taken back: {error}"
    return f"{reason}; {ending}" if ending else reason


async def send(run: StepRun, call: Call, result: str | None = None) -> Any:
    """Send a request that starts no task, journal included, and return its answer.

    Args:
        run: The step.
        call: The request.
        result: Name under which the journal keeps the answer; not at all by default.

    Raises:
        PveError: It failed; the journal says so.
    """
    from proxmox_client import PveError

    entry = await run.announce(call)
    try:
        answer = await run.live.write(call.method, call.path, call.params)
    except PveError as error:
        await run.journal.failed(entry, str(error))
        raise
    await run.journal.done(entry, None if result is None else {result: answer})
    return answer
