"""Run the loop for a cluster as a process does: the queue that fits the database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from pmpc_reconcile.actions.spec import ActionContext
from pmpc_reconcile.controllers.loop import ReconcileLoop
from pmpc_reconcile.controllers.memory_queue import MemoryQueue
from pmpc_reconcile.controllers.news import NewsSink
from pmpc_reconcile.controllers.settings import LoopSettings
from pmpc_reconcile.controllers.work import Queue
from pmpc_reconcile.engine import Reconciler
from pmpc_reconcile.errors import ExtraMissing
from pmpc_reconcile.execute.settings import Patience


async def serve(
    context: ActionContext,
    database: str,
    settings: LoopSettings,
    stop: asyncio.Event,
    on_news: NewsSink,
) -> None:
    """Keep a cluster's releases as declared until `stop` is set.

    Args:
        context: The cluster, its state and the connection to it.
        database: URL of the state: PostgreSQL shares the work with other processes.
        settings: How to go about it.
        stop: Ends it; what was begun then is finished.
        on_news: Gets told what happens.

    Raises:
        ExtraMissing: The state is in PostgreSQL and what the queue needs is not installed.
        QueueInUse: Other workers have another version of the queue.
    """
    engine = Reconciler(
        context.connection(),
        context.state,
        context.cluster,
        now=context.now,
        sleep=context.sleep,
        actor=context.actor,
        patience=Patience(lease=settings.lease),
    )
    async with _queue(database, context.cluster, settings) as queue:
        await ReconcileLoop(engine, queue, settings, on_news=on_news).run(stop)


@asynccontextmanager
async def _queue(
    database: str, cluster: str, settings: LoopSettings
) -> AsyncGenerator[Queue, None]:
    if not database.startswith("postgres"):
        yield MemoryQueue()
        return
    try:
        from pmpc_reconcile.controllers.postgres_queue import Heartbeats, open_postgres_queue
    except ModuleNotFoundError as error:
        raise ExtraMissing(
            f"cannot share work through PostgreSQL: {error.name} is not installed; "
            "install pmpc-reconcile[postgres]"
        ) from error
    life = Heartbeats.within(settings.takeover)
    async with open_postgres_queue(database, cluster, life) as queue:
        yield queue
