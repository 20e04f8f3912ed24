"""Run steps as their dependencies and locks allow: not by a parallelism number alone.

A lock is a name. `shared:` locks exclude nobody and only say what is used; every other lock is
held by one step at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack

import attrs

from pmpc_reconcile.execute.lanes import Lanes
from pmpc_reconcile.execute.report import Outcome, StepResult
from pmpc_reconcile.plans.steps import Step

SHARED = "shared:"

Runner = Callable[[Step], Awaitable[StepResult]]
Skipper = Callable[[Step, str], StepResult]


@attrs.define
class Brake:
    """Lets steps that run come to their end and no further one begin.

    Attributes:
        reason: Why nothing more begins; empty as long as it does.
    """

    reason: str = ""

    def pull(self, reason: str) -> None:
        """Let nothing more begin; the first reason stays."""
        self.reason = self.reason or reason


async def run_steps(
    steps: Sequence[Step],
    runner: Runner,
    skipper: Skipper,
    *,
    lanes: Lanes | None = None,
    node: Callable[[Step], str | None] = lambda _step: None,
    brake: Brake | None = None,
) -> tuple[StepResult, ...]:
    """Run every step after those it waits for; return the results in the order of the steps.

    A step is skipped when one it waits for failed or was skipped; steps that do not wait for it
    go on.

    Args:
        steps: In an order that respects their dependencies.
        runner: Runs one step; must not raise.
        skipper: Makes the result of a step that is not run.
        lanes: How many steps go on at once on each node.
        node: Says on which node a step works.
        brake: Skips what has not begun once it is pulled.
    """
    held_back = brake or Brake()
    roads = lanes or Lanes()
    locks = {name: asyncio.Lock() for name in _exclusive(steps)}
    tasks: dict[str, asyncio.Task[StepResult]] = {}

    async def one(step: Step) -> StepResult:
        for other in step.after:
            if other not in tasks:
                continue
            result = await tasks[other]
            if result.outcome is not Outcome.DONE:
                return skipper(step, _because(result))
        async with AsyncExitStack() as held:
            for name in sorted(_exclusive([step])):
                await held.enter_async_context(locks[name])
            await held.enter_async_context(roads.of(node(step)).place())
            if held_back.reason:
                return skipper(step, held_back.reason)
            return await runner(step)

    async with asyncio.TaskGroup() as group:
        for step in steps:
            tasks[step.id] = group.create_task(one(step), name=step.id)
    return tuple(tasks[step.id].result() for step in steps)


def _exclusive(steps: Iterable[Step]) -> set[str]:
    return {name for step in steps for name in step.locks if not name.startswith(SHARED)}


def _because(result: StepResult) -> str:
    if result.outcome is Outcome.FAILED:
        return f"it needs `{result.summary}`, which failed"
    return f"it needs `{result.summary}`, which was skipped"


def locks_of(steps: Iterable[Step]) -> Mapping[str, tuple[str, ...]]:
    """Return for each lock the steps that want it."""
    found: dict[str, list[str]] = {}
    for step in steps:
        for name in step.locks:
            found.setdefault(name, []).append(step.id)
    return {name: tuple(users) for name, users in found.items()}
