"""What the worker processes of the tests do: run the reconcile loop, or apply a stored plan.

They are forked from a process that has imported everything, so a test can afford many of them.
"""

from __future__ import annotations

import asyncio
import ctypes
import logging
import multiprocessing
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any

import attrs

from pmpc_reconcile.controllers import LoopSettings, ReconcileLoop
from pmpc_reconcile.controllers.backoff import Backoff
from pmpc_reconcile.controllers.postgres_queue import Heartbeats, open_postgres_queue
from pmpc_reconcile.engine import Reconciler
from pmpc_reconcile.errors import PlanRefused
from pmpc_reconcile.execute.settings import Patience
from pmpc_reconcile.risk import Risk
from pmpc_state import LeaseHeld, LeaseLost, State
from proxmox_client import AsyncClient, Pin
from tests.lab.dying import die_when_told

ROOT = Path(__file__).parents[2]
_NEW_HOST_NAME = 0x04000000
"""Linux's flag for a namespace with a host name of its own; needs root."""


@attrs.frozen
class Post:
    """Where a worker works.

    Attributes:
        url: The cluster's API.
        pin: Fingerprint of its certificate.
        token: The worker's own token.
        database: URL of the state.
        folder: Where moments to die at are told, and where it writes its log.
        cluster: The cluster's name in the state.
        takeover: Within how many seconds others go on after a death.
        at_once: Most pieces of work at once in one process.
        elsewhere: Be on a machine of that name, so that others cannot see that it is dead.
    """

    url: str
    pin: str
    token: str
    database: str
    folder: Path
    cluster: str = "lab"
    takeover: float = 12.0
    at_once: int = 3
    elsewhere: str = ""

    @property
    def settings(self) -> LoopSettings:
        """Return how the loop goes about it."""
        return LoopSettings(
            every=600.0,  # the tests ask for a look when they want one
            workers=self.at_once,
            disruptions=3,
            max_risk=Risk.DISRUPTIVE,
            backoff=Backoff(first=0.3, longest=1.0),
            takeover=self.takeover,
        )

    @property
    def patience(self) -> Patience:
        """Return deadlines that fit a cluster whose clock runs fast."""
        return Patience(poll=0.05, longest=0.2, lost=0.3, effect=3.0, lease=self.settings.lease)


def keep_as_declared(post: Post) -> None:
    """Run the reconcile loop until SIGTERM comes."""
    _begin(post)
    asyncio.run(_loop(post))


def apply_stored(post: Post, plan_id: str) -> None:
    """Apply a stored plan, or wait until whoever does it has; exit with 1 if it failed."""
    _begin(post)
    sys.exit(asyncio.run(_apply(post, plan_id)))


def process(work: Any, *arguments: object) -> ForkServerProcess:
    """Start a process that does that."""
    os.environ["PYTHONPATH"] = str(ROOT) + os.pathsep + os.environ.get("PYTHONPATH", "")
    context: ForkServerContext = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    made = context.Process(target=work, args=arguments, daemon=True)
    made.start()
    return made


def _begin(post: Post) -> None:
    log = post.folder / f"{os.getpid()}.log"
    logging.basicConfig(filename=log, level=logging.WARNING, format="%(asctime)s %(message)s")
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    if post.elsewhere:
        _move_to(post.elsewhere)
    die_when_told(post.folder)


def _move_to(machine: str) -> None:
    """Be a machine of that name: a namespace of our own if we may have one, else a pretence."""
    unshare = getattr(ctypes.CDLL(None), "unshare", None)
    if unshare is not None and unshare(_NEW_HOST_NAME) == 0:
        socket.sethostname(machine)
    else:
        socket.gethostname = lambda: machine


@asynccontextmanager
async def _engine(post: Post) -> AsyncGenerator[Reconciler, None]:
    with State.open(post.database) as state:
        async with AsyncClient(post.url, token=post.token, tls=Pin(post.pin)) as client:
            yield Reconciler(client, state, post.cluster, patience=post.patience)


async def _loop(post: Post) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    life = Heartbeats.within(post.takeover)
    async with _engine(post) as engine, open_postgres_queue(post.database, post.cluster, life) as q:
        await ReconcileLoop(engine, q, post.settings, on_news=_tell).run(stop)


def _tell(news: object) -> None:
    print(f"{time.time() % 1000:.2f} {news}", flush=True)


async def _apply(post: Post, plan_id: str) -> int:
    async with _engine(post) as engine:
        while True:
            try:
                report = await engine.apply(await engine.stored_plan(plan_id))
            except (LeaseHeld, LeaseLost):
                await asyncio.sleep(0.1)
            except PlanRefused as refusal:  # another one has applied it
                print(refusal)
                return 0
            else:
                print(report)
                return 0 if report.ok else 1
