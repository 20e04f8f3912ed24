"""Moments of an apply at which a test strikes: right after the journal wrote a phase of a call."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Mapping
from typing import Any

import attrs
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


@attrs.frozen
class Moment:
    """When to strike.

    Attributes:
        entry: Pattern of the call's entry in the journal: `VirtualMachine/web-1#create|clone`.
        phase: Name of what writes the phase, or `UNRECORDED`.
    """

    entry: str
    phase: str

    def at(self, entry: str, phase: str) -> bool:
        """Return whether this is it."""
        return phase == self.phase and fnmatch.fnmatchcase(entry, self.entry)


Strike = Callable[[str, str], None]
"""Gets what was just written: entry and phase; strikes if it is the moment."""


def watch(patch: pytest.MonkeyPatch, before: Callable[[], None], strike: Strike) -> None:
    """Watch every write of the journal and every request that writes.

    Args:
        patch: Undoing it ends the watch.
        before: Called before each of them.
        strike: Called after each of them.
    """
    under_way: dict[tuple[str, str], str] = {}

    def replaced(name: str) -> Callable[..., None]:
        write = getattr(JournalWriter, name)

        def write_and_strike(self: Any, run: str, step: str, *args: Any, **more: Any) -> None:
            before()
            write(self, run, step, *args, **more)
            if name == "intend":
                under_way[more["intent"]["method"], more["intent"]["path"]] = step
            strike(step, name)

        return write_and_strike

    for name in (*PHASES, "failed"):
        patch.setattr(JournalWriter, name, replaced(name))
    send = LiveCluster.write

    async def send_and_strike(
        self: LiveCluster, method: str, path: str, *args: Any, **more: Any
    ) -> Any:
        before()
        answer = await send(self, method, path, *args, **more)
        entry = under_way.get((method, path))
        if entry is not None:
            strike(entry, UNRECORDED)
        return answer

    patch.setattr(LiveCluster, "write", send_and_strike)
