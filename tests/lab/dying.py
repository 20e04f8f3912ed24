"""How a process of the tests dies: a real SIGKILL from within, at a phase of the journal.

Right after the phase was made durable; `called!` means after the request was sent and before its
answer was looked at.
"""

from __future__ import annotations

import os
import signal
from typing import Any

from pmpc_reconcile.live import LiveCluster
from pmpc_state import StepPhase
from pmpc_state.repositories.journal import JournalWriter


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_at(where: str, phase: str) -> None:
    """Replace what writes the phase by something that dies right after it."""
    if phase == "called!":
        send = LiveCluster.write

        async def send_and_die(
            self: LiveCluster, method: str, path: str, params: Any = None
        ) -> None:
            await send(self, method, path, params or {})
            if f"{method} {path}".endswith(where):
                die()

        LiveCluster.write = send_and_die  # type: ignore[method-assign]  # a crash has no API
        return
    name = {StepPhase.INTENT.value: "intend"}.get(phase, phase)
    write = getattr(JournalWriter, name)

    def write_and_die(self: JournalWriter, run: str, step: str, *args: Any, **more: Any) -> None:
        write(self, run, step, *args, **more)
        if step.endswith(where):
            die()

    setattr(JournalWriter, name, write_and_die)
