"""A worker of the reconcile loop in a process of its own, on PostgreSQL.

    python -m tests.scenarios.loop_worker URL FINGERPRINT TOKEN STATE [STEP-CALL PHASE]

Prints what the loop tells, one line each, and ends when its standard input does. With a phase it
kills itself there (`tests.lab.dying`).
"""

from __future__ import annotations

import asyncio
import sys

from pmpc_reconcile.controllers import LoopSettings, News, ReconcileLoop
from pmpc_reconcile.controllers.backoff import Backoff
from pmpc_reconcile.controllers.postgres_queue import Heartbeats, open_postgres_queue
from pmpc_reconcile.engine import Reconciler
from pmpc_reconcile.execute.settings import Patience
from pmpc_state import State
from proxmox_client import AsyncClient, Pin
from tests.lab.dying import die_at

SETTINGS = LoopSettings(every=1.0, backoff=Backoff(first=0.5), busy=0.3, takeover=2.0)
HEARTBEATS = Heartbeats(every=0.3, dead_after=1.5, poll=0.5)


def tell(news: News) -> None:
    print(news, flush=True)


async def main(url: str, pin: str, token: str, database: str) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin, stop.set)
    patience = Patience(poll=0.05, longest=0.2, lost=0.5, lease=SETTINGS.takeover)
    with State.open(database) as state:
        async with (
            AsyncClient(url, token=token, tls=Pin(pin)) as client,
            open_postgres_queue(database, "lab", HEARTBEATS) as queue,
        ):
            engine = Reconciler(client, state, "lab", patience=patience)
            await ReconcileLoop(engine, queue, SETTINGS, on_news=tell).run(stop)


if __name__ == "__main__":
    if len(sys.argv) > 5:
        die_at(sys.argv[5], sys.argv[6])
    asyncio.run(main(*sys.argv[1:5]))
