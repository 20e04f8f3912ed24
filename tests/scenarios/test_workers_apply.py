"""Pain: whoever deletes or forgets things dies over it, and nobody knows what is left.

What the loop never does is begun by people: three real processes apply one stored plan on
PostgreSQL, and the first in the middle of a step is killed with -9.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import partial

import pytest

from pmpc_reconcile.engine import Reconciler
from pmpc_reconcile.plans.steps import STEP_TYPES
from pmpc_state import PlanStatus, State
from tests.lab.fleet import Fleet, sent_like
from tests.lab.leftovers import leftovers
from tests.lab.moments import UNRECORDED
from tests.lab.step_kinds import ELSEWHERE, STEP_KINDS, StepKind, marks_of

BEGUN_BY_PEOPLE = [row for row in STEP_KINDS if not row.heals]
GROUPS = [BEGUN_BY_PEOPLE[first::4] for first in range(4)]
PROCESSES = 3


async def _planned(engine: Reconciler, row: StepKind) -> str:
    if row.keep is not None:
        return str((await engine.delete(row.name, keep=row.keep)).id)
    return str((await engine.plan(row.manifests, row.name)).id)


def _applied(state: State, plans: Iterable[str]) -> bool:
    reader = state.reader()
    return all(reader.plans.get(plan).status is PlanStatus.APPLIED for plan in plans)


def test_every_kind_of_step_is_killed_here_or_in_the_loop() -> None:
    assert {row.step for row in STEP_KINDS} | ELSEWHERE == set(STEP_TYPES)


@pytest.mark.e2e
@pytest.mark.parametrize("moment", ["under-way", UNRECORDED])
@pytest.mark.parametrize("rows", GROUPS, ids=lambda rows: "+".join(row.name for row in rows))
def test_of_three_processes_one_is_killed_in_each_kind_of_step(
    fleet: Fleet, rows: list[StepKind], moment: str
) -> None:
    fleet.for_cluster(f"{rows[0].name}-{moment}")
    plans: dict[str, str] = {}
    marks: dict[str, tuple[str, ...]] = {}
    for row in rows:
        fleet.declare([row])
        row.spoil(fleet.cluster)
        plans[row.name] = fleet.ask(partial(_planned, row=row))
        marks[row.name] = marks_of(fleet.cluster, row)
    begun = len(fleet.sent)
    with State.open(fleet.post.database) as state:
        for row in rows:
            under_way = "upid" if row.task else "called"
            fleet.dies(row.name, row.entry, UNRECORDED if moment == UNRECORDED else under_way)
            for _ in range(PROCESSES):
                fleet.apply(plans[row.name])
        fleet.wait("all is applied", partial(_applied, state, plans.values()))
        ended = Counter(fleet.ended())
        assert ended == {-9: len(rows), 0: (PROCESSES - 1) * len(rows)}, fleet.told()
        for row in rows:
            found = sent_like(fleet.sent[begun:], row.sends, marks[row.name])
            assert len(found) == row.times, (row.name, fleet.sent[begun:], fleet.told())
        assert leftovers(fleet.cluster, state, fleet.post.cluster) == []
