"""The power goes off right after the journal wrote a phase: a crash, without a process to kill.

`tests.lab.dying` is the same for processes.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from pmpc_reconcile.live import LiveCluster
from pmpc_state import StepPhase
from pmpc_state.repositories.journal import JournalWriter

PHASES: Mapping[str, str] = {
    "intend": StepPhase.INTENT.value,
    "called": StepPhase.CALLED.value,
    "upid": StepPhase.UPID.value,
    "done": StepPhase.DONE.value,
    "verified": StepPhase.VERIFIED.value,
}
"""What writes a phase, and the phase."""

UNRECORDED = "called!"
"""Not a phase: after the request was answered, and before anything of the answer is recorded."""


class PowerCut(BaseException):
    """Nothing of ours catches this."""


def is_cut(error: BaseException) -> bool:
    """Return whether it is a power cut, alone or in a group."""
    if isinstance(error, PowerCut):
        return True
    inner = tuple[BaseException, ...](getattr(error, "exceptions", ()))
    return bool(inner) and all(is_cut(one) for one in inner)


def cut_at(patch: pytest.MonkeyPatch, entry: str, phase: str) -> None:
    """Let the power go off at a phase of a call.

    Args:
        patch: Undoing it brings the power back.
        entry: Pattern of the call's entry in the journal: `VirtualMachine/web-1#create|clone`.
        phase: Name of what writes the phase, or `UNRECORDED`.
    """
    fallen = False
    under_way: list[str] = []

    def replaced(name: str) -> Callable[..., None]:
        write = getattr(JournalWriter, name)

        def write_and_fall(self: Any, run: str, step: str, *args: Any, **more: Any) -> None:
            nonlocal fallen
            if fallen:
                raise PowerCut  # nothing of this process gets through any more
            write(self, run, step, *args, **more)
            if not fnmatch.fnmatchcase(step, entry):
                return
            if name == phase:
                fallen = True
                raise PowerCut
            if name == "called":
                under_way.append(step)

        return write_and_fall

    for name in (*PHASES, "failed"):
        patch.setattr(JournalWriter, name, replaced(name))
    send = LiveCluster.write

    async def send_and_fall(self: LiveCluster, *args: Any, **more: Any) -> Any:
        nonlocal fallen
        if fallen:
            raise PowerCut
        answer = await send(self, *args, **more)
        if phase == UNRECORDED and under_way:
            fallen = True
            raise PowerCut
        return answer

    patch.setattr(LiveCluster, "write", send_and_fall)
