"""Forgetting: what is kept stays exact, the rest goes, and nothing else changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pmpc_state import Retention, State, check, forget_old
from pmpc_state.testing import Recorder
from proxmox_client.testing.clock import VirtualClock

POLICY = Retention(timedelta(days=2), timedelta(days=6), timedelta(days=20))
_CLUSTERS = count(1)
_LOOK = st.dictionaries(
    st.sampled_from(["100", "101", "102"]),
    st.fixed_dictionaries({"memory": st.integers(1, 3)}),
    max_size=3,
)


def _shown(state: State, cluster: str, moment: datetime) -> dict[str, Any]:
    return {one.key: one.config for one in state.reader().at(cluster, moment)}


def test_moments_are_midnights_and_before_mondays() -> None:
    now = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)  # a Sunday
    found = POLICY.moments(now)
    assert found[0] == datetime(2026, 11, 9, tzinfo=UTC)
    assert found[1] == datetime(2026, 11, 16, tzinfo=UTC)
    assert found[2:] == tuple(datetime(2026, 11, day, tzinfo=UTC) for day in range(17, 23))


def test_old_changes_go_and_snapshots_stay_exact(
    state: State, recorder: Recorder, clock: VirtualClock
) -> None:
    for memory in range(40):
        recorder.look("qemu", {"100": {"memory": memory}})
        if memory in (3, 5):
            state.writer().snapshot("lab", f"at-{memory}", pinned=memory == 3)
        clock.advance(3600)
    clock.advance(400 * 86400)
    recorder.look("qemu", {"100": {"memory": 1000}})
    done = forget_old(state, "lab", POLICY)
    assert (done.snapshots, done.resources) == (1, 0)
    assert [one.name for one in state.reader().snapshots("lab")] == ["at-3"]
    pinned = state.reader().find_snapshot("lab", "at-3")
    assert _shown(state, "lab", pinned.taken_at) == {"100": {"memory": 3}}
    uid = state.reader().resource("lab", "qemu", "100").uid
    memories = [one.document["config"]["memory"] for one in state.reader().observations(uid)]
    assert memories[0] == 3
    assert memories[-1] == 1000
    assert len(memories) <= 3
    assert check(state) == ()
    again = forget_old(state, "lab", POLICY)
    assert (again.intervals, again.documents) == (0, 0)


def test_what_vanished_long_ago_is_forgotten_whole(
    state: State, recorder: Recorder, clock: VirtualClock
) -> None:
    recorder.look("qemu", {"100": {"memory": 1}, "101": {"memory": 1}})
    uid = state.reader().resource("lab", "qemu", "100").uid
    recorder.look("qemu", {"101": {"memory": 1}})
    clock.advance(400 * 86400)
    done = forget_old(state, "lab", POLICY)
    assert (done.intervals, done.resources) == (1, 1)
    assert state.reader().by_uid(uid) is None
    assert [one.key for one in state.reader().resources("lab")] == ["101"]
    assert recorder.look("qemu", {"101": {"memory": 1}}).history_rows == 0
    assert check(state) == ()


def test_how_old_syncs_went_is_forgotten_with_what_they_saw_but_never_the_last(
    state: State, recorder: Recorder, clock: VirtualClock
) -> None:
    for memory in range(3):
        recorder.look("qemu", {"100": {"memory": memory}})
        recorder.look("qemu", {"100": {"memory": 1}}, cluster="other")
        clock.advance(86400)
    forget_old(state, "lab", POLICY)
    assert len(state.reader().runs("lab")) == 2  # of two days; one is older
    assert len(state.reader().runs("other")) == 3
    clock.advance(400 * 86400)
    before = state.reader().whole_at("lab")
    forget_old(state, "lab", POLICY)
    [last] = state.reader().runs("lab")
    assert last.sections == {"task": "ok", "qemu": "ok"}
    assert state.reader().whole_at("lab") == before
    assert recorder.look("qemu", {"100": {"memory": 2}}).history_rows == 0
    assert check(state) == ()


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    history=st.lists(
        st.tuples(_LOOK, st.sampled_from([1, 5, 30, 200]), st.booleans()), min_size=1, max_size=12
    )
)
def test_every_kept_moment_shows_what_it_showed(
    state: State, recorder: Recorder, clock: VirtualClock, history: list[Any]
) -> None:
    cluster = f"kept-{next(_CLUSTERS)}"
    for number, (look, hours, pinned) in enumerate(history):
        recorder.look("qemu", look, cluster=cluster)
        if pinned:
            state.writer().snapshot(cluster, str(number), pinned=True)
        clock.advance(hours * 3600)
    now = datetime.fromtimestamp(clock.now(), UTC)
    recent = [now - timedelta(hours=hours) for hours in range(0, 48, 5)]
    pinned_at = [one.taken_at for one in state.reader().snapshots(cluster)]
    moments = [*POLICY.moments(now), *pinned_at, *recent]
    before = {moment: _shown(state, cluster, moment) for moment in moments}
    forget_old(state, cluster, POLICY)
    assert {moment: _shown(state, cluster, moment) for moment in moments} == before
    assert check(state) == ()
