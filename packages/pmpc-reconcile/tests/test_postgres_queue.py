"""The queue in PostgreSQL: each piece waits once, and what a dead worker had is given out again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from psycopg import AsyncConnection

from pmpc_reconcile.controllers import Again, Work
from pmpc_reconcile.controllers.postgres_queue import (
    Heartbeats,
    PostgresQueue,
    open_postgres_queue,
)
from pmpc_reconcile.errors import QueueInUse, QueueUnreachable
from tests.lab.postgres import Server, running_postgres

A, B = Work("lab", "shop", "Pool/a"), Work("lab", "shop", "Pool/b")
QUICK = Heartbeats(every=0.1, dead_after=0.5, poll=0.1)


@pytest.fixture(scope="module")
def postgres() -> Iterator[Server]:
    with running_postgres() as server:
        yield server


@pytest.fixture
async def queue(postgres: Server) -> AsyncIterator[PostgresQueue]:
    async with open_postgres_queue(postgres.url("state"), "lab", QUICK) as opened:
        await run(postgres, "TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")
        yield opened


async def run(postgres: Server, statement: str) -> list[tuple[object, ...]]:
    url = postgres.url("state").replace("+psycopg", "")
    async with await AsyncConnection.connect(url) as connection:
        await connection.execute("SET search_path TO pmpc_queue")
        cursor = await connection.execute(statement.encode())
        return await cursor.fetchall() if cursor.description else []


async def its_worker_dies(postgres: Server) -> None:
    """Let all pieces be in the hands of a worker that has been silent for an hour."""
    await run(
        postgres,
        "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour')",
    )
    await run(
        postgres,
        "UPDATE procrastinate_jobs SET status = 'doing', "
        "worker_id = (SELECT max(id) FROM procrastinate_workers)",
    )


async def test_a_piece_waits_once_is_done_and_may_come_again(queue: PostgresQueue) -> None:
    stop, seen = asyncio.Event(), list[tuple[str, int]]()

    async def handle(work: Work, failures: int) -> Again | None:
        seen.append((work.address, failures))
        if len(seen) == 3:
            stop.set()
        return Again(0.0, failed=True) if seen[-1] == ("Pool/a", 0) else None

    assert await queue.put(A)
    assert not await queue.put(A)
    assert await queue.put(B)
    await asyncio.wait_for(queue.run(handle, stop, workers=1), 20)
    assert sorted(seen) == [("Pool/a", 0), ("Pool/a", 1), ("Pool/b", 0)]


async def test_one_object_is_in_one_hand_however_many_workers(queue: PostgresQueue) -> None:
    stop, busy, done = asyncio.Event(), set[str](), list[str]()

    async def handle(work: Work, failures: int) -> None:
        assert work.key not in busy
        busy.add(work.key)
        if len(done) < 4:
            await queue.put(work)  # asked for while it is being done: once more afterwards
        await asyncio.sleep(0)
        busy.discard(work.key)
        done.append(work.key)
        if len(done) == 6:
            stop.set()

    await queue.put(A)
    await queue.put(B)
    await asyncio.wait_for(queue.run(handle, stop, workers=4), 20)
    assert {done.count(A.key), done.count(B.key)} <= {2, 3, 4}


@pytest.mark.parametrize("asked_again", [False, True])
async def test_what_a_dead_worker_had_is_given_out_again(
    queue: PostgresQueue, postgres: Server, asked_again: bool
) -> None:
    await queue.put(A, failures=2)
    await its_worker_dies(postgres)
    if asked_again:  # its queueing lock would forbid a second one that waits
        await queue.put(A)
    stop, seen = asyncio.Event(), list[int]()

    async def handle(work: Work, failures: int) -> None:
        seen.append(failures)
        stop.set()

    await asyncio.wait_for(queue.run(handle, stop, workers=2), 20)
    assert seen == [0 if asked_again else 2]
    (left,) = await run(postgres, "SELECT count(*) FROM procrastinate_jobs")
    assert left == (0,)


async def test_what_a_dead_worker_had_is_not_lost_when_giving_it_out_fails(
    queue: PostgresQueue, postgres: Server
) -> None:
    await queue.put(A, failures=2)
    await its_worker_dies(postgres)
    await run(
        postgres,
        "ALTER TABLE procrastinate_jobs "
        "ADD CONSTRAINT full_disk CHECK (priority IS NULL) NOT VALID",
    )
    with pytest.raises(QueueUnreachable):
        await queue.rescue()
    await run(postgres, "ALTER TABLE procrastinate_jobs DROP CONSTRAINT full_disk")
    assert await queue.rescue() == 1
    assert await queue.rescue() == 0
    assert await run(
        postgres, "SELECT status::text, args->>'failures' FROM procrastinate_jobs"
    ) == [("todo", "2")]


async def test_clusters_do_not_take_each_others_work(
    queue: PostgresQueue, postgres: Server
) -> None:
    stop, seen = asyncio.Event(), list[str]()

    async def handle(work: Work, failures: int) -> None:
        seen.append(work.cluster)
        stop.set()

    async with open_postgres_queue(postgres.url("state"), "home", QUICK) as other:
        await queue.put(A)
        await other.put(Work("home", "shop", "Pool/a"))
        await asyncio.wait_for(other.run(handle, stop, workers=2), 20)
    assert seen == ["home"]


async def test_another_version_gets_new_tables_unless_workers_are_alive(
    queue: PostgresQueue, postgres: Server
) -> None:
    await queue.put(A)
    await run(postgres, "COMMENT ON SCHEMA pmpc_queue IS 'procrastinate 1.0'")
    await run(postgres, "INSERT INTO procrastinate_workers DEFAULT VALUES")
    with pytest.raises(QueueInUse, match=r"1 workers use procrastinate 1\.0"):
        async with open_postgres_queue(postgres.url("state"), "lab", QUICK):
            raise AssertionError
    await run(postgres, "DELETE FROM procrastinate_workers")
    async with open_postgres_queue(postgres.url("state"), "lab", QUICK) as fresh:
        assert await fresh.put(A), "the old tables' work is gone and need not be kept"


async def test_work_goes_on_when_the_database_was_away(
    queue: PostgresQueue, postgres: Server
) -> None:
    stop, seen = asyncio.Event(), list[str]()

    async def handle(work: Work, failures: int) -> None:
        seen.append(work.address)
        if len(seen) == 1:
            await asyncio.to_thread(postgres.restart)
            async with open_postgres_queue(postgres.url("state"), "lab", QUICK) as again:
                await again.put(B)
        else:
            stop.set()

    await queue.put(A)
    await asyncio.wait_for(queue.run(handle, stop, workers=2), 20)
    assert B.address in seen


async def test_a_worker_that_was_taken_for_dead_ends_its_piece_in_peace(
    queue: PostgresQueue, postgres: Server
) -> None:
    stop, seen = asyncio.Event(), list[str]()

    async def handle(work: Work, failures: int) -> None:
        seen.append(work.address)
        if work == A:
            await run(postgres, "DELETE FROM procrastinate_jobs")  # as a rescuer does
            await queue.put(B)
        else:
            stop.set()

    await queue.put(A)
    await asyncio.wait_for(queue.run(handle, stop, workers=1), 20)
    assert seen == ["Pool/a", "Pool/b"]


async def test_a_cluster_may_have_a_long_name(postgres: Server) -> None:
    name = "a-cluster-with-a-name-that-says-where-it-stands-and-whose-it-is"
    async with open_postgres_queue(postgres.url("state"), name, QUICK) as queue:
        assert await queue.put(Work(name, "shop"))


async def test_no_release_waits_until_another_one_has_no_more(queue: PostgresQueue) -> None:
    stop, done = asyncio.Event(), list[str]()

    async def handle(work: Work, failures: int) -> None:
        done.append(work.release)
        if len(done) == 14:
            stop.set()

    for number in range(12):
        await queue.put(Work("lab", "large", f"Pool/{number}"))
    for number in range(2):
        await queue.put(Work("lab", "small", f"Pool/{number}"))
    await asyncio.wait_for(queue.run(handle, stop, workers=1), 20)
    assert max(index for index, release in enumerate(done) if release == "small") <= 4, done


async def test_of_many_processes_one_adds_the_periodic_work_of_a_period(
    queue: PostgresQueue, postgres: Server
) -> None:
    stop, done = asyncio.Event(), list[int]()

    async def handle(work: Work, failures: int) -> None:
        done.append(failures)
        stop.set()

    async with open_postgres_queue(postgres.url("state"), "lab", QUICK) as other:
        assert await queue.put_once(A, 7)
        assert not await other.put_once(A, 7)
        await asyncio.wait_for(queue.run(handle, stop, workers=1), 20)
        assert not await other.put_once(A, 7), "it was done already"
        assert await other.put_once(A, 8)
    assert done == [0]
