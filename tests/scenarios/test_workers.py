"""Pain: two workers do the same thing twice, and a dead worker's half-done work stays half done.

Three real processes share the work of the reconcile loop through PostgreSQL, and whoever is first
in the middle of a step is killed with -9 there: for every kind of step the loop does. What it did
stays done once, the others do the rest, and nothing is left behind.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pmpc_state import State
from tests.lab.fleet import Fleet, sent_like
from tests.lab.leftovers import leftovers
from tests.lab.moments import UNRECORDED
from tests.lab.step_kinds import STEP_KINDS, StepKind, marks_of

HEALED = [row for row in STEP_KINDS if row.heals]
GROUPS = [HEALED[first::7] for first in range(7)]
"""Rows that stand behind each other are about one object, or about the same requests."""
SEVERAL = ("clone", "options", "snapshot", "backup")
TAKEOVER = 10.0
WORKERS = 3


@pytest.mark.e2e
@pytest.mark.parametrize("moment", ["under-way", UNRECORDED])
@pytest.mark.parametrize("rows", GROUPS, ids=lambda rows: "+".join(row.name for row in rows))
def test_of_three_workers_one_is_killed_in_each_kind_of_step(
    fleet: Fleet, rows: list[StepKind], moment: str
) -> None:
    # One piece at once: whoever dies is in the middle of that one step and no other.
    fleet.for_cluster(f"{rows[0].name}-{moment}", takeover=TAKEOVER, at_once=1)
    _taken_over(fleet, rows, rows, moment)


@pytest.mark.e2e
@pytest.mark.parametrize("moment", ["under-way", UNRECORDED])
def test_a_worker_killed_in_the_middle_of_several_steps_at_once_is_taken_over_in_all(
    fleet: Fleet, moment: str
) -> None:
    rows = [row for row in HEALED if row.name in SEVERAL]
    fleet.for_cluster(f"several-{moment}", takeover=TAKEOVER / 2, at_once=len(rows))
    _taken_over(fleet, rows, rows[-1:], moment)


def _taken_over(
    fleet: Fleet, rows: Sequence[StepKind], armed: Sequence[StepKind], moment: str
) -> None:
    """Kill whoever is first in the steps that are armed; all that rows need is done once."""
    fleet.declare(rows)
    begun = len(fleet.sent)
    for row in rows:
        if row in armed:
            under_way = "upid" if row.task else "called"
            fleet.dies(row.name, row.entry, UNRECORDED if moment == UNRECORDED else under_way)
        row.spoil(fleet.cluster)
    for _ in range(WORKERS):  # not before: what is spoiled by half may need another step
        fleet.start()
    fleet.look(*(row.name for row in rows))
    killed = 0

    def done() -> bool:
        nonlocal killed
        dead = fleet.replace_the_dead()
        killed += dead
        if dead:  # nobody waits until the dead one's piece is given out again
            fleet.look(*(row.name for row in rows if not fleet.synced(state, row)))
        return killed == len(armed) and fleet.quiet(state, rows)

    with State.open(fleet.post.database) as state:
        fleet.wait("all is as declared", done)
        assert set(fleet.end()) == {0}, fleet.told()
        sent = fleet.sent[begun:]
        for row in rows:
            found = sent_like(sent, row.sends, marks_of(fleet.cluster, row))
            assert len(found) == row.times, (row.name, sent, fleet.told())
        assert leftovers(fleet.cluster, state, fleet.post.cluster) == []
