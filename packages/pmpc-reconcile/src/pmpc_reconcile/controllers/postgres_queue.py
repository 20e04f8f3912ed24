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
import hashlib
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any, Final

import attrs
import procrastinate
from procrastinate import exceptions, jobs
from procrastinate.manager import JobManager
from procrastinate.schema import SchemaManager
from procrastinate.types import TimeDeltaParams
from psycopg import AsyncConnection, sql
from psycopg.errors import RaiseException
from sqlalchemy.engine import make_url

from pmpc_reconcile.controllers.work import Handler, Work
from pmpc_reconcile.errors import QueueInUse, QueueUnreachable

log = logging.getLogger(__name__)

SCHEMA: Final = "pmpc_queue"
_TASK: Final = "pmpc.reconcile"
_WAITING: Final = """
    SELECT count(*) AS waiting FROM procrastinate_jobs
    WHERE queue_name = %(queue)s AND status = 'todo' AND args->>'release' = %(release)s
        AND (scheduled_at IS NULL OR scheduled_at <= now())
"""
_LONGEST_NAME: Final = 32  # a channel's name has at most 63 bytes, of which Procrastinate takes 23


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

    @classmethod
    def within(cls, takeover: float) -> Heartbeats:
        """Return heartbeats by which a death is noticed in good time to take the work over.

        Args:
            takeover: Seconds within which others are to go on.
        """
        return cls(every=takeover / 6, dead_after=takeover / 2, poll=min(cls().poll, takeover / 12))


class _Jobs(JobManager):
    """Procrastinate's records of jobs, for workers that may be taken for dead and are not."""

    async def finish_job_by_id_async(
        self, job_id: int, status: jobs.Status, delete_job: bool
    ) -> None:
        """Record that a job ended; one that was given to somebody else meanwhile is theirs."""
        try:
            await super().finish_job_by_id_async(job_id, status, delete_job)
        except exceptions.ConnectorException as error:
            if not isinstance(error.__cause__, RaiseException):
                raise
            log.warning("job %s took so long that another worker has it now", job_id)


class PostgresQueue:
    """A cluster's pieces of work in PostgreSQL; made by `open_postgres_queue`."""

    def __init__(self, app: procrastinate.App, cluster: str, heartbeats: Heartbeats) -> None:
        self._app = app
        self._queue = _queue_name(cluster)
        self._heartbeats = heartbeats
        self._handler: Handler | None = None
        app.task(name=_TASK, queue=self._queue)(self._perform)

    async def put(self, work: Work, *, after: float = 0.0, failures: int = 0) -> bool:
        """Add a piece of work; False if it waits already."""
        pause: TimeDeltaParams | None = {"milliseconds": int(after * 1000)} if after > 0 else None
        try:
            deferrer = await self._deferrer(work, pause)
            await deferrer.defer_async(**attrs.asdict(work), failures=failures)
        except exceptions.AlreadyEnqueued:
            return False
        except exceptions.ConnectorException as error:
            raise self._unreachable(error) from error
        return True

    async def put_once(self, work: Work, moment: int) -> bool:
        """Add a piece of periodic work, unless some process added it for that moment already."""
        kept = {**attrs.asdict(work), "failures": 0, "timestamp": moment}
        try:
            job = (await self._deferrer(work)).job.evolve(task_kwargs=kept)
            found = await self._app.job_manager.defer_periodic_job(job, work.key, moment)
        except exceptions.AlreadyEnqueued:
            return False
        except exceptions.ConnectorException as error:
            raise self._unreachable(error) from error
        return found is not None

    def _unreachable(self, error: Exception) -> QueueUnreachable:
        cause = error.__cause__ or error
        return QueueUnreachable(f"cannot reach the queue {self._queue}: {cause}")

    async def _deferrer(
        self, work: Work, schedule_in: TimeDeltaParams | None = None
    ) -> jobs.JobDeferrer:
        # The more pieces of a release wait, the later its next one comes: so no release waits
        # until another one has no more.
        row = await self._app.connector.execute_query_one_async(
            _WAITING, queue=self._queue, release=work.release
        )
        return self._app.configure_task(
            _TASK,
            queue=self._queue,
            lock=work.key,
            queueing_lock=work.key,
            schedule_in=schedule_in,
            priority=-int(row["waiting"]),
        )

    async def run(self, handler: Handler, stop: asyncio.Event, *, workers: int) -> None:
        """Give out work until `stop` is set; what was begun then is finished.

        While the database cannot be reached it is asked again and again.
        """
        self._handler = handler
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                try:
                    await self._work_until(stopping, workers)
                except exceptions.ConnectorException:
                    log.exception("cannot reach the queue of %s", self._queue)
                    await asyncio.wait([stopping], timeout=self._heartbeats.poll)
        finally:
            stopping.cancel()

    async def _work_until(self, stopping: asyncio.Task[Any], workers: int) -> None:
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
        try:
            await asyncio.wait([worker, rescuer, stopping], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (rescuer, worker):
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
            # First the new piece, then the end of the dead worker's: whoever dies in between
            # leaves both, and the next one finds a piece that waits already. Nobody can take the
            # new one before, because the dead worker's piece holds the object's lock.
            kept = {name: str(value) for name, value in job.task_kwargs.items()}
            failures = int(kept.pop("failures", "0"))
            kept.pop("timestamp", None)
            await self.put(Work(**kept), failures=failures)
            await self._app.job_manager.finish_job(
                job=job, status=jobs.Status.FAILED, delete_job=True
            )
        return len(found)

    async def _rescue_now_and_then(self) -> None:
        while True:
            await self.rescue()
            await asyncio.sleep(self._heartbeats.every)

    async def _perform(
        self, cluster: str, release: str, address: str, failures: int, timestamp: int = 0
    ) -> None:
        if self._handler is None:  # a task is only ever given out by `run`
            raise RuntimeError("work was given out without a handler")
        work = Work(cluster, release, address)
        again = await self._handler(work, failures)
        if again is not None:
            await self.put(work, after=again.after, failures=failures + again.failed)


def _queue_name(cluster: str) -> str:
    """Return the name of a cluster's queue, short enough for PostgreSQL's notifications."""
    name = f"pmpc/{cluster}"
    if len(name.encode()) <= _LONGEST_NAME:
        return name
    return f"pmpc/{hashlib.sha256(cluster.encode()).hexdigest()[: _LONGEST_NAME - 5]}"


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
        conninfo=conninfo, kwargs={"options": f"-c search_path={SCHEMA}"}, min_size=1, max_size=4
    )
    app = procrastinate.App(connector=connector)
    app.job_manager = _Jobs(app.connector)
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
