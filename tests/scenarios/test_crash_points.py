"""Pain: stopped at any moment, a tool duplicates or orphans guests.

Every kind of step, at every phase of its call, in one process: the power goes off right after the
journal wrote a phase, and another engine on the same database goes on. `test_workers` has the same
with processes that are killed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from _pytest.mark import ParameterSet

from pmpc_reconcile.engine import Reconciler
from pmpc_reconcile.plans.model import Plan
from pmpc_reconcile.plans.steps import HOOK_STEPS, STEP_TYPES
from pmpc_state import State
from tests.lab.leftovers import leftovers
from tests.lab.moments import UNRECORDED, Moment
from tests.lab.power_cuts import fall
from tests.lab.step_kinds import ELSEWHERE, STEP_KINDS, StepKind, prepare

HOOKS = [row for row in STEP_KINDS if issubclass(row.step, HOOK_STEPS)]


def points(rows: Iterable[StepKind], phases: Sequence[str]) -> list[ParameterSet]:
    return [
        pytest.param(row, phase, id=f"{row}-{phase}")
        for row in rows
        for phase in phases
        if row.task or phase != "upid"
    ]


# Every phase is in `PHASES`; these are the ones after which different things are to be done.
SAME_PLAN = points(STEP_KINDS, (UNRECORDED, "upid", "verified"))
NEW_PLAN = points([row for row in STEP_KINDS if row not in HOOKS], ("called", UNRECORDED, "upid"))


@pytest.fixture
async def old_lab(tmp_path: Path, furnished: Any, lab_type: Any) -> AsyncIterator[Any]:
    cluster = furnished(version="8.4")
    with State.open(f"sqlite:///{tmp_path / 'state.db'}", now=cluster.clock.now) as state:
        lab = lab_type(cluster, state)
        async with lab.client:
            yield lab


async def needed(lab: Any, engine: Reconciler, row: StepKind) -> Plan:
    """Plan what the row wants, and insist on it where somebody changed a field."""
    if row.keep is not None:
        return await engine.delete("shop", keep=row.keep)
    plan = await engine.plan(row.manifests, "shop")
    ours = {f"{item.address}:{one.path}": "ours" for item in plan.objects for one in item.conflicts}
    return await engine.plan(row.manifests, "shop", resolve=ours) if ours else plan


async def begin(lab: Any, row: StepKind) -> Plan:
    """Bring the cluster to where the step is needed, and plan it."""
    prepare(lab.cluster)
    await lab.applied(row.declared)
    row.spoil(lab.cluster)
    lab.cluster.clock.advance(30)
    plan = await needed(lab, lab.engine, row)
    assert {step.id: type(step) for step in plan.steps}.get(row.id) is row.step, plan.explain()
    lab.forget_writes()
    return plan


async def check(lab: Any, row: StepKind) -> None:
    assert len(row.sent(lab.writes)) == row.times, lab.writes
    assert leftovers(lab.cluster, lab.state) == []
    lab.forget_writes()
    if row.keep is None:
        plan = await lab.engine_on(lab.state).plan(row.manifests, "shop")
        assert plan.empty, plan.explain()
    assert lab.writes == []


def test_every_kind_of_step_has_a_row() -> None:
    assert {row.step for row in STEP_KINDS} | ELSEWHERE == set(STEP_TYPES)


@pytest.mark.parametrize(("row", "phase"), SAME_PLAN)
async def test_the_same_plan_goes_on(lab: Any, row: StepKind, phase: str) -> None:
    plan = await begin(lab, row)
    await fall(lab.engine, plan, Moment(row.entry, phase))
    engine = lab.engine_on(lab.state)
    report = await engine.apply(await engine.stored_plan(plan.id))
    assert report.ok, [item.reason for item in report.results]
    await check(lab, row)


@pytest.mark.parametrize(("row", "phase"), NEW_PLAN)
async def test_a_new_plan_goes_on(lab: Any, row: StepKind, phase: str) -> None:
    await fall(lab.engine, await begin(lab, row), Moment(row.entry, phase))
    engine = lab.engine_on(lab.state)
    report = await engine.apply(await needed(lab, engine, row))
    assert report.ok, [item.reason for item in report.results]
    await check(lab, row)
    assert "pending" not in [item.status.value for item in await engine.history("shop")]


@pytest.mark.parametrize("row", [row for row in HOOKS if "#after" in row.id], ids=str)
async def test_a_new_plan_tells_of_a_hook_that_was_not_run(lab: Any, row: StepKind) -> None:
    """What it goes with was done, so there is nothing to plan, and nobody would hear of it."""
    dead = await begin(lab, row)
    await fall(lab.engine, dead, Moment(row.entry, "called"))
    plan = await needed(lab, lab.engine_on(lab.state), row)
    (told,) = [item.message for item in plan.diagnostics if "cut off" in item.message]
    (step,) = [step for step in dead.steps if step.id == row.id]
    assert told.startswith(f"plan {dead.id} was cut off before it could {step.summary}")


async def test_a_new_plan_takes_a_snapshot_of_its_own(lab: Any) -> None:
    """The one of the plan that was cut off is of the same guest, unchanged: neither does harm."""
    (row,) = [row for row in HOOKS if row.name == "snapshot"]
    await fall(lab.engine, await begin(lab, row), Moment(row.entry, "done"))
    engine = lab.engine_on(lab.state)
    assert (await engine.apply(await needed(lab, engine, row))).ok
    assert len(row.sent(lab.writes)) == 2
    assert leftovers(lab.cluster, lab.state) == []


@pytest.mark.parametrize("phase", ["called", UNRECORDED])
@pytest.mark.parametrize("call", ["sdn-staged", "sdn-applied"])
async def test_what_was_staged_without_a_lock_is_staged_back(
    old_lab: Any, call: str, phase: str
) -> None:
    """PVE 8.4 has neither a lock of the cluster's networks nor a way to roll them back."""
    (row,) = [row for row in STEP_KINDS if row.name == call]
    lab = old_lab
    await fall(lab.engine, await begin(lab, row), Moment(row.entry, phase))
    engine = lab.engine_on(lab.state)
    report = await engine.apply(await needed(lab, engine, row))
    assert report.ok, [item.reason for item in report.results]
    await check(lab, row)
