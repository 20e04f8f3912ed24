"""The queue in PostgreSQL, for workers on several machines: Procrastinate does the work.

Its tables live in a schema of their own. A piece of work holds Procrastinate's `lock` of its
object while it is done and its `queueing_lock` while it waits. A worker that stops sending
heartbeats is taken to be dead, and what it was doing is given out again; if it was not dead, the
lease it has lost keeps it from writing (see `execute`).

Nothing in these tables is worth keeping: every piece can be found again by a look at the cluster.
So another version of Procrastinate gets new tables rather than migrated ones.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Final

import attrs
import procrastinate
from procrastinate import exceptions, jobs
from procrastinate.schema import SchemaManager
from psycopg import AsyncConnection, sql
from sqlalchemy.engine import make_url

from pmpc_reconcile.controllers.work import Handler, Work
from pmpc_reconcile.errors import QueueInUse

SCHEMA: Final = "pmpc_queue"
_TASK: Final = "pmpc.reconcile"


@attrs.frozen
class Heartbeats:
    """When a worker is taken to be dead.

    Attributes:
        every: Seconds between two signs of life.
        dead_after: Seconds of silence after which its work is given to others.
        poll: Seconds between two looks for work that no notification told of.
    """

    every: float = 10.0
    dead_after: float = 30.0
    poll: float = 5.0


class PostgresQueue:
    """A cluster's pieces of work in PostgreSQL; made by `open_postgres_queue`."""

    def __init__(self, app: procrastinate.App, cluster: str, heartbeats: Heartbeats) -> None:
        self._app = app
        self._queue = f"pmpc/{cluster}"
        self._heartbeats = heartbeats
        self._handler: Handler | None = None
        app.task(name=_TASK, queue=self._queue)(self._perform)

    async def put(self, work: Work, *, after: float = 0.0, failures: int = 0) -> bool:
        """Add a piece of work; False if it waits already."""
        seconds = max(0, round(after))
        deferrer = self._app.configure_task(
            _TASK,
            queue=self._queue,
            lock=work.key,
            queueing_lock=work.key,
            schedule_in={"seconds": seconds} if seconds else None,
        )
        try:
            await deferrer.defer_async(**attrs.asdict(work), failures=failures)
        except exceptions.AlreadyEnqueued:
            return False
        return True

    async def run(self, handler: Handler, stop: asyncio.Event, *, workers: int) -> None:
        """Give out work until `stop` is set; what was begun then is finished."""
        self._handler = handler
        life = self._heartbeats
        worker = asyncio.create_task(
            self._app.run_worker_async(
                queues=[self._queue],
                concurrency=workers,
                install_signal_handlers=False,
                delete_jobs=jobs.DeleteJobCondition.ALWAYS,
                fetch_job_polling_interval=life.poll,
                update_heartbeat_interval=life.every,
                stalled_worker_timeout=life.dead_after,
            )
        )
        rescuer = asyncio.create_task(self._rescue_now_and_then())
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait([worker, rescuer, stopping], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (stopping, rescuer, worker):
                task.cancel()
            ended = await asyncio.gather(worker, rescuer, return_exceptions=True)
        for outcome in ended:
            if isinstance(outcome, Exception):
                raise outcome

    async def rescue(self) -> int:
        """Give out again what dead workers were doing; return how many pieces that were."""
        found = list(
            await self._app.job_manager.get_stalled_jobs(
                queue=self._queue, seconds_since_heartbeat=self._heartbeats.dead_after
            )
        )
        for job in found:
            # The same object may wait a second time by now, and its queueing lock forbids two
            # that wait: so the dead worker's piece ends, and a new one waits unless one does.
            with contextlib.suppress(exceptions.ConnectorException):  # another rescuer was first
                await self._app.job_manager.finish_job(
                    job=job, status=jobs.Status.FAILED, delete_job=True
                )
            kept = {name: str(value) for name, value in job.task_kwargs.items()}
            failures = int(kept.pop("failures", "0"))
            await self.put(Work(**kept), failures=failures)
        return len(found)

    async def _rescue_now_and_then(self) -> None:
        while True:
            await self.rescue()
            await asyncio.sleep(self._heartbeats.every)

    async def _perform(self, cluster: str, release: str, address: str, failures: int) -> None:
        if self._handler is None:  # a task is only ever given out by `run`
            raise RuntimeError("work was given out without a handler")
        work = Work(cluster, release, address)
        again = await self._handler(work, failures)
        if again is not None:
            await self.put(work, after=again.after, failures=failures + again.failed)


@asynccontextmanager
async def open_postgres_queue(
    url: str, cluster: str, heartbeats: Heartbeats | None = None
) -> AsyncGenerator[PostgresQueue, None]:
    """Open a cluster's queue in the state's database, making its tables if need be.

    Args:
        url: The state's URL, `postgresql+psycopg://…`.
        cluster: The cluster's name.
        heartbeats: When a worker is taken to be dead.

    Raises:
        QueueInUse: Workers with another version of Procrastinate are at work.
    """
    life = heartbeats or Heartbeats()
    conninfo = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    await _prepare(conninfo, life)
    connector = procrastinate.PsycopgConnector(
        conninfo=conninfo, kwargs={"options": f"-c search_path={SCHEMA}"}, min_size=1, max_size=8
    )
    app = procrastinate.App(connector=connector)
    async with app.open_async():
        yield PostgresQueue(app, cluster, life)


async def _prepare(conninfo: str, life: Heartbeats) -> None:
    wanted = f"procrastinate {version('procrastinate')}"
    schema = sql.Identifier(SCHEMA)
    async with await AsyncConnection.connect(conninfo) as connection:
        # One process makes the tables; the others wait here until it has.
        await connection.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [SCHEMA])
        row = await (
            await connection.execute(
                "SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = %s",
                [SCHEMA],
            )
        ).fetchone()
        if row is not None and row[0] == wanted:
            return
        if row is not None:
            await _refuse_if_alive(connection, life, str(row[0]), wanted)
            await connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(schema))
        await connection.execute(sql.SQL("CREATE SCHEMA {}").format(schema))
        await connection.execute(sql.SQL("SET LOCAL search_path TO {}").format(schema))
        await connection.execute(SchemaManager.get_schema())
        await connection.execute(
            sql.SQL("COMMENT ON SCHEMA {} IS {}").format(schema, sql.Literal(wanted))
        )


async def _refuse_if_alive(
    connection: AsyncConnection[tuple[object, ...]], life: Heartbeats, there: str, wanted: str
) -> None:
    query = sql.SQL(
        "SELECT count(*) FROM {} WHERE last_heartbeat > now() - make_interval(secs => %s)"
    ).format(sql.Identifier(SCHEMA, "procrastinate_workers"))
    row = await (await connection.execute(query, [life.dead_after])).fetchone()
    if row is not None and row[0]:
        raise QueueInUse(
            f"cannot open the queue: {row[0]} workers use {there} and this one has {wanted}; "
            "stop them first, or install the same version everywhere"
        )
