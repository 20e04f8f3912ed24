"""An apply in a process of its own that is killed at a phase of the journal.

    python dying_apply.py URL FINGERPRINT TOKEN DATABASE MANIFESTS [STEP-CALL PHASE]

Without a phase it goes through. The kill is a real SIGKILL from within, right after the phase was
made durable; `called!` means after the request was sent and before its answer was looked at.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from pmpc_reconcile.engine import Reconciler
from pmpc_reconcile.execute.settings import Patience
from pmpc_reconcile.live import LiveCluster
from pmpc_reconcile.manifests import load
from pmpc_state import State, StepPhase
from pmpc_state.repositories.journal import JournalWriter
from proxmox_client import AsyncClient, Pin


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


async def main(url: str, pin: str, token: str, database: str, manifests: str) -> int:
    patience = Patience(poll=0.05, longest=0.2, lost=0.5)
    with State.open(f"sqlite:///{database}") as state:
        async with AsyncClient(url, token=token, tls=Pin(pin)) as client:
            engine = Reconciler(client, state, "lab", patience=patience)
            stored = Path(database).with_suffix(".plan")
            if stored.exists():
                plan = await engine.stored_plan(stored.read_text())
            else:
                plan = await engine.plan(load(manifests), "shop")
                stored.write_text(plan.id)
            report = await engine.apply(plan)
    for result in report.results:
        print(result.step_id, result.outcome.value, result.reason, result.resumed)
    return 0 if report.ok else 1


if __name__ == "__main__":
    if len(sys.argv) > 6:
        die_at(sys.argv[6], sys.argv[7])
    sys.exit(asyncio.run(main(*sys.argv[1:6])))
