"""The queue in one process: each piece waits once and is done by one worker at a time."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from pmpc_reconcile.controllers import Again, MemoryQueue, Work

A, B = Work("lab", "shop", "Pool/a"), Work("lab", "shop", "Pool/b")


class Clock:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


async def test_a_piece_waits_once_and_in_order() -> None:
    queue, done = MemoryQueue(), list[Work]()
    assert await queue.put(A)
    assert await queue.put(B)
    assert not await queue.put(A)

    async def handle(work: Work, failures: int) -> None:
        done.append(work)

    await queue.drain(handle)
    assert done == [A, B]
    assert len(queue) == 0


async def test_a_failure_comes_again_when_its_pause_is_over_and_is_counted() -> None:
    clock = Clock()
    queue, seen = MemoryQueue(clock), list[int]()

    async def handle(work: Work, failures: int) -> Again | None:
        seen.append(failures)
        return Again(10.0, failed=True) if failures < 2 else None

    await queue.put(A)
    for _ in range(5):
        await queue.drain(handle)
        clock.at += 9.0
    assert seen == [0, 1, 2]


async def test_what_is_asked_for_while_it_is_done_is_done_once_more() -> None:
    queue, done = MemoryQueue(), list[str]()

    async def handle(work: Work, failures: int) -> None:
        done.append(work.address)
        if len(done) == 1:
            assert await queue.put(work)
            assert not await queue.put(work)

    await queue.put(A)
    await queue.drain(handle)
    assert done == ["Pool/a", "Pool/a"]


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=30), st.integers(1, 4))
def test_no_object_is_ever_done_by_two_workers(asked: list[tuple[int, bool]], workers: int) -> None:
    async def scenario() -> None:
        queue, stop = MemoryQueue(), asyncio.Event()
        busy, done = set[str](), list[str]()

        async def handle(work: Work, failures: int) -> Again | None:
            assert work.key not in busy
            busy.add(work.key)
            await asyncio.sleep(0)
            busy.discard(work.key)
            done.append(work.key)
            if not len(queue) - len(busy) - 1:
                stop.set()
            return None

        wanted = {Work("lab", "shop", str(number)).key for number, _ in asked}
        for number, _ in asked:
            await queue.put(Work("lab", "shop", str(number)))
        if asked:
            await queue.run(handle, stop, workers=workers)
            await queue.drain(handle)
        assert set(done) == wanted

    asyncio.run(scenario())


async def test_the_end_waits_for_what_was_begun_and_begins_nothing_more() -> None:
    queue, stop, done = MemoryQueue(), asyncio.Event(), list[str]()

    async def handle(work: Work, failures: int) -> None:
        stop.set()
        await asyncio.sleep(0)
        done.append(work.address)

    await queue.put(A)
    await queue.put(B)
    await queue.run(handle, stop, workers=1)
    assert done == ["Pool/a"]
    assert len(queue) == 1


async def test_no_release_waits_until_another_one_has_no_more() -> None:
    queue, done = MemoryQueue(), list[str]()

    async def handle(work: Work, failures: int) -> None:
        done.append(work.release)

    for number in range(50):
        await queue.put(Work("lab", "large", f"Pool/{number}"))
    for number in range(2):
        await queue.put(Work("lab", "small", f"Pool/{number}"))
    await queue.drain(handle)
    assert [index for index, release in enumerate(done) if release == "small"] == [1, 3]
    assert len(done) == 52


async def test_periodic_work_comes_once_in_a_period() -> None:
    queue, done = MemoryQueue(), list[Work]()

    async def handle(work: Work, failures: int) -> None:
        done.append(work)

    for moment in (7, 7, 8):
        await queue.put_once(A, moment)
        await queue.drain(handle)
    assert done == [A, A]
