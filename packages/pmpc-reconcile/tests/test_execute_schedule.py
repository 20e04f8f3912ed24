from __future__ import annotations

import asyncio

from pmpc_reconcile.execute.lanes import Lanes, Pace
from pmpc_reconcile.execute.report import Outcome, StepResult
from pmpc_reconcile.execute.schedule import run_steps
from pmpc_reconcile.plans.steps import StartGuest, Step

ONE = Pace(first=1, most=1)


def step(name: str, *after: str, locks: tuple[str, ...] = ()) -> Step:
    return StartGuest(id=name, address=name, summary=name, after=after, locks=locks)


class World:
    """Runs steps by letting the loop turn a few times, and watches who runs beside whom."""

    def __init__(self, failing: tuple[str, ...] = ()) -> None:
        self.failing = failing
        self.running: set[str] = set()
        self.together: set[frozenset[str]] = set()
        self.begun: list[str] = []

    async def run(self, item: Step) -> StepResult:
        self.begun.append(item.id)
        self.running.add(item.id)
        for _ in range(5):
            self.together |= {frozenset((item.id, other)) for other in self.running - {item.id}}
            await asyncio.sleep(0)
        self.running.discard(item.id)
        outcome = Outcome.FAILED if item.id in self.failing else Outcome.DONE
        return StepResult(item.id, item.address, item.summary, outcome)

    def skip(self, item: Step, reason: str) -> StepResult:
        return StepResult(item.id, item.address, item.summary, Outcome.SKIPPED, reason)


async def test_steps_with_one_lock_never_run_together() -> None:
    world = World()
    steps = [step(name, locks=("guest:1",)) for name in "abc"]
    await run_steps(steps, world.run, world.skip)
    assert world.together == set()


async def test_shared_locks_exclude_nobody() -> None:
    world = World()
    steps = [step(name, locks=("shared:template:9000",)) for name in "ab"]
    await run_steps(steps, world.run, world.skip)
    assert frozenset("ab") in world.together


async def test_no_more_run_at_once_than_allowed() -> None:
    world = World()
    await run_steps([step(name) for name in "abcdef"], world.run, world.skip, lanes=Lanes(ONE))
    assert world.together == set()


async def test_dependants_of_a_failure_are_skipped_and_others_go_on() -> None:
    world = World(failing=("a",))
    steps = [step("a"), step("b", "a"), step("c", "b"), step("d")]
    results = await run_steps(steps, world.run, world.skip)
    assert [item.outcome for item in results] == [
        Outcome.FAILED,
        Outcome.SKIPPED,
        Outcome.SKIPPED,
        Outcome.DONE,
    ]
    assert results[1].reason == "it needs `a`, which failed"
    assert results[2].reason == "it needs `b`, which was skipped"
    assert world.begun == ["a", "d"]


async def test_two_locks_in_any_order_do_not_block_each_other() -> None:
    world = World()
    steps = [step("a", locks=("x", "y")), step("b", locks=("y", "x"))]
    results = await asyncio.wait_for(run_steps(steps, world.run, world.skip), 5)
    assert all(item.outcome is Outcome.DONE for item in results)
