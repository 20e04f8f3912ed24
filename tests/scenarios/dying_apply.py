"""An apply in a process of its own that is killed at a phase of the journal.

    python dying_apply.py URL FINGERPRINT TOKEN DATABASE MANIFESTS [STEP-CALL PHASE]

Without a phase it goes through; `tests.lab.dying` says what the phases are.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from pmpc_reconcile.engine import Reconciler
from pmpc_reconcile.execute.settings import Patience
from pmpc_reconcile.manifests import load
from pmpc_state import State
from proxmox_client import AsyncClient, Pin
from tests.lab.dying import die_at


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
