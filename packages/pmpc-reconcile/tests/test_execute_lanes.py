"""How many steps go on at once: grows while all goes well, halves when locks time out."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmpc_reconcile.execute.lanes import Lane, Lanes, Pace


def test_a_lane_grows_fast_until_something_is_refused_and_slowly_afterwards() -> None:
    lane = Lane(Pace(first=4, most=16))
    for _ in range(4):
        lane.passed()
    assert lane.width == 8
    lane.refused(0.0)
    assert lane.width == 4
    for _ in range(4):
        lane.passed()
    assert lane.width == 4
    lane.passed()
    assert lane.width == 5
    for _ in range(500):
        lane.passed()
    assert lane.width == 16


def test_refusals_of_one_moment_cut_once() -> None:
    lane = Lane(Pace(first=8, rest=15))
    for second in range(10):
        lane.refused(float(second))
    assert lane.width == 4
    lane.refused(20.0)
    assert lane.width == 2


@given(st.lists(st.one_of(st.none(), st.floats(0, 1e6)), max_size=200))
def test_a_lane_is_never_wider_or_narrower_than_allowed(events: list[float | None]) -> None:
    lane = Lane(Pace(first=8, least=1, most=32, rest=0))
    for moment in events:
        if moment is None:
            lane.passed()
        else:
            lane.refused(moment)
        assert 1 <= lane.width <= 32


@given(st.integers(1, 5), st.integers(1, 20), st.sets(st.integers(0, 19)))
def test_no_more_than_its_width_at_once_and_nobody_is_forgotten(
    width: int, count: int, cancelled: set[int]
) -> None:
    async def scenario() -> list[int]:
        lane, busy, most, order = Lane(Pace(first=width, most=width)), 0, 0, list[int]()

        async def one(number: int) -> None:
            nonlocal busy, most
            async with lane.place():
                busy += 1
                most = max(most, busy)
                order.append(number)
                try:
                    await asyncio.sleep(0)
                finally:
                    busy -= 1

        tasks = [asyncio.create_task(one(number)) for number in range(count)]
        await asyncio.sleep(0)
        for number in cancelled & set(range(count)):
            tasks[number].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert most <= width
        async with lane.place():
            pass  # every place was given back
        return order

    order = asyncio.run(scenario())
    assert order == sorted(order), "who came first goes first"
    assert set(range(count)) - cancelled <= set(order)


async def test_each_node_has_a_lane_of_its_own() -> None:
    lanes = Lanes(Pace(first=1))
    assert lanes.of("pve1") is lanes.of("pve1")
    async with lanes.of("pve1").place(), lanes.of("pve2").place(), lanes.of(None).place():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01), lanes.of("pve1").place():
                raise AssertionError


async def test_what_only_waits_leaves_its_place_to_others_and_comes_back_in_turn() -> None:
    lane, order = Lane(Pace(first=1, most=1)), list[str]()
    away, back = asyncio.Event(), asyncio.Event()

    async def waits() -> None:
        async with lane.place():
            async with lane.away():
                away.set()
                await back.wait()
            order.append("back")

    async def goes_on(name: str) -> None:
        async with lane.place():
            order.append(name)
            back.set()
            await asyncio.sleep(0)

    waiting = asyncio.create_task(waits())
    await away.wait()
    await asyncio.gather(waiting, goes_on("one"), goes_on("two"))
    assert order == ["one", "two", "back"]


async def test_who_is_cancelled_while_away_takes_no_place_with_it() -> None:
    lane, away = Lane(Pace(first=1, most=1)), asyncio.Event()

    async def waits() -> None:
        async with lane.place(), lane.away():
            away.set()
            await asyncio.Event().wait()

    waiting = asyncio.create_task(waits())
    await away.wait()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    async with asyncio.timeout(5), lane.place():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01), lane.place():
                raise AssertionError
