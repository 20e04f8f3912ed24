"""Pains: nobody goes on when a worker dies; a worker that was only slow wakes up and writes.

Real processes on PostgreSQL, each with a host name of its own as on machines of their own, so that
none can see whether another one is dead: only the lease and the signs of life tell.
"""

from __future__ import annotations

import os
import signal
import time

import pytest

from pmpc_state import RunStatus, State
from tests.lab.dying import struck
from tests.lab.fleet import Fleet, sent_like
from tests.lab.leftovers import leftovers
from tests.lab.step_kinds import STEP_KINDS, marks_of

TAKEOVER = 5.0
SLACK = 10.0
"""More seconds, for a machine that is busy with other tests; `test_controllers_pure` has none."""
(CLONE,) = [row for row in STEP_KINDS if row.name == "clone"]


def _hire(fleet: Fleet, number: int) -> None:
    """Start a worker on a machine of its own."""
    fleet.for_cluster(fleet.post.cluster, elsewhere=f"machine-{number}")
    fleet.start()


def _stricken(fleet: Fleet, phase: str, number: int) -> None:
    """Let one of three workers be hit in the middle of a clone, and wait until it is."""
    fleet.for_cluster(f"stricken-{phase}-{number}", takeover=TAKEOVER)
    fleet.declare([CLONE])
    fleet.dies("hit", CLONE.entry, phase, number)
    CLONE.spoil(fleet.cluster)
    for machine in range(3):
        _hire(fleet, machine)
    fleet.look(CLONE.name)
    fleet.wait("one is hit", lambda: struck(fleet.post.folder, "hit"))


@pytest.mark.e2e
def test_the_work_of_a_dead_worker_is_taken_over_within_the_configured_time(
    fleet: Fleet,
) -> None:
    _stricken(fleet, "upid", signal.SIGKILL)
    died = time.monotonic()
    with State.open(fleet.post.database) as state:
        (left,) = state.reader().journal.runs(fleet.post.cluster, status=RunStatus.RUNNING)

        def taken() -> bool:
            return state.reader().journal.run(left.id).token != left.token

        fleet.wait("somebody takes the run over", taken, TAKEOVER + SLACK)
        waited = time.monotonic() - died
        assert waited > TAKEOVER / 4, "nobody could know so soon that it was dead"
        fleet.wait("all is as declared", lambda: fleet.quiet(state, [CLONE]))
        fleet.end()
        found = sent_like(fleet.sent, CLONE.sends, marks_of(fleet.cluster, CLONE))
        assert len(found) == CLONE.times, fleet.told()
        assert leftovers(fleet.cluster, state, fleet.post.cluster) == []


@pytest.mark.e2e
@pytest.mark.parametrize("phase", ["intend", "called", "upid"])
def test_a_worker_that_was_only_stopped_finds_its_lease_stolen_and_writes_nothing_more(
    fleet: Fleet, phase: str
) -> None:
    begun = len(fleet.sent)
    _stricken(fleet, phase, signal.SIGSTOP)
    pid = struck(fleet.post.folder, "hit")
    (slow,) = [each for each in fleet.workers if each.pid == pid]
    with State.open(fleet.post.database) as state:
        fleet.wait("the others do it", lambda: fleet.quiet(state, [CLONE]))
        before = len(fleet.sent)
        assert pid is not None
        os.kill(pid, signal.SIGCONT)
        assert fleet.end() == [0, 0, 0], fleet.told()
        assert [each for each in fleet.sent[before:] if each.who == slow.name] == []
        found = sent_like(fleet.sent[begun:], CLONE.sends, marks_of(fleet.cluster, CLONE))
        assert len(found) == CLONE.times, fleet.told()
        assert leftovers(fleet.cluster, state, fleet.post.cluster) == []
