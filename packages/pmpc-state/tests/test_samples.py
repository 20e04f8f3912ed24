"""Metrics: batches, tiers, retention, downsampling; on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, event

from pmpc_state import Retention, Sample, SampleRetention, State, Tier, forget_old, measure, sync
from pmpc_state.metrics import statistics_samples, tier_of
from pmpc_state.testing import Recorder
from proxmox_client import AsyncClient
from proxmox_client.testing import SimulatedCluster
from proxmox_client.testing.clock import VirtualClock

START = datetime(2026, 11, 22, 10, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def uid(state: State, recorder: Recorder) -> str:
    recorder.look("qemu", {"100": {"name": "web"}, "101": {"name": "db"}})
    return state.reader().resource("lab", "qemu", "100").uid


def _every(step: timedelta, values: list[float], key: str = "100") -> list[Sample]:
    return [
        Sample("qemu", key, "cpu", START + number * step, value)
        for number, value in enumerate(values)
    ]


def test_samples_are_thinned_into_minutes_hours_and_days(state: State, uid: str) -> None:
    writer = state.writer().samples
    assert writer.record("lab", _every(10 * timedelta(seconds=1), [0, 1, 2, 3, 4, 5, 6])) == 7
    reader = state.reader().samples
    minutes = reader.points(uid, "cpu", START, START + HOUR)
    assert [(one.at, one.mean, one.low, one.high, one.count) for one in minutes] == [
        (START, 2.5, 0, 5, 6),
        (START + MINUTE, 6, 6, 6, 1),
    ]
    [hour] = reader.points(uid, "cpu", START - DAY, START + DAY, step=HOUR)
    assert (hour.at, hour.mean, hour.count) == (START, 3, 7)
    [day] = reader.points(uid, "cpu", START - DAY, START + DAY, step=DAY)
    assert (day.at, day.mean) == (START.replace(hour=0), 3)
    assert reader.metrics(uid) == ("cpu",)


def test_what_comes_later_corrects_the_span_it_falls_in(state: State, uid: str) -> None:
    writer = state.writer().samples
    for second, value in ((0, 1.0), (10, 3.0), (0, 5.0)):
        writer.record(
            "lab", [Sample("qemu", "100", "cpu", START + timedelta(seconds=second), value)]
        )
    [minute] = state.reader().samples.points(uid, "cpu", START, START + MINUTE)
    assert (minute.mean, minute.count, minute.low, minute.high) == (4, 2, 3, 5)


def test_old_tiers_go_and_the_coarser_ones_stay_exact(
    state: State, uid: str, clock: VirtualClock
) -> None:
    writer = state.writer().samples
    now = state.clock()
    begun = datetime.fromtimestamp(now.timestamp() // 86400 * 86400, UTC)
    values = [
        Sample("qemu", "100", "cpu", begun + number * MINUTE, number) for number in range(180)
    ]
    writer.record("lab", values)
    clock.advance(86400 * 2)
    assert writer.expire(SampleRetention(raw=HOUR, minute=DAY)) == 360
    reader = state.reader().samples
    until = begun + DAY
    hours = reader.points(uid, "cpu", begun, until, step=HOUR)
    assert [one.mean for one in hours] == [29.5, 89.5, 149.5]
    assert reader.points(uid, "cpu", begun, until) == hours  # the finest that is left
    # A new sample in a span that is already thinned away does not undo it.
    writer.record("lab", [Sample("qemu", "100", "cpu", begun + 3 * DAY, 7)])
    assert reader.points(uid, "cpu", begun, until, step=HOUR) == hours


def test_a_late_sample_does_not_make_a_thinned_span_forget_what_it_was_made_of(
    state: State, uid: str, clock: VirtualClock
) -> None:
    """PVE's own statistics of a week arrive in spans whose minutes are gone already."""
    writer, reader = state.writer().samples, state.reader().samples
    begun = datetime.fromtimestamp(state.clock().timestamp() // 86400 * 86400, UTC)
    values = [
        Sample("qemu", "100", "cpu", begun + number * MINUTE, number) for number in range(180)
    ]
    writer.record("lab", values)
    before = reader.points(uid, "cpu", begun, begun + DAY, step=HOUR)
    clock.advance(86400 * 5)
    writer.expire(SampleRetention(raw=HOUR, minute=DAY))
    late = [Sample("qemu", "100", "cpu", begun + number * 30 * MINUTE, 1.0) for number in range(6)]
    writer.record("lab", late, Tier.MINUTE)
    writer.record("lab", late[::2], Tier.HOUR)
    assert reader.points(uid, "cpu", begun, begun + DAY, step=HOUR) == before
    [day] = reader.points(uid, "cpu", begun, begun + DAY, step=DAY)
    assert (day.mean, day.low, day.high, day.count) == (89.5, 0, 179, 180)


def test_ten_thousand_samples_take_few_statements(state: State, uid: str) -> None:
    statements: list[str] = []

    def heard(_c: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", heard)
    state.writer().samples.record("lab", _every(timedelta(seconds=10), [1.0] * 10_000))
    event.remove(Engine, "before_cursor_execute", heard)
    assert len(statements) < 25


def test_what_is_not_recorded_is_left_out(state: State, uid: str) -> None:
    assert state.writer().samples.record("lab", [Sample("qemu", "999", "cpu", START, 1)]) == 0


def test_forgetting_a_resource_forgets_its_samples(
    state: State, recorder: Recorder, uid: str, clock: VirtualClock
) -> None:
    state.writer().samples.record("lab", _every(MINUTE, [1.0], key="101"))
    clock.advance(60)
    recorder.look("qemu", {"100": {"name": "web"}})
    clock.advance(86400 * 4000)
    assert forget_old(state, "lab", Retention()).resources == 1


@given(
    st.lists(
        st.tuples(st.integers(0, 7200), st.floats(-1e6, 1e6)), min_size=1, max_size=40,
        unique_by=lambda one: one[0],
    )
)  # fmt: skip
def test_statistics_pass_what_they_hold(rows: list[tuple[int, float]]) -> None:
    entries = [
        {"time": 1_795_000_000 + second, "cpu": value, "maxcpu": 4} for second, value in rows
    ]
    found = list(statistics_samples("qemu", "1", [*entries, {"time": 1}], START))
    assert sorted(one.value for one in found) == sorted(value for _, value in rows)
    assert {one.metric for one in found} == {"cpu"}


def test_the_tier_follows_the_step_of_the_answer() -> None:
    for step, tier in ((60, Tier.MINUTE), (1800, Tier.MINUTE), (3600, Tier.HOUR),
                       (43200, Tier.HOUR), (604_800, Tier.DAY)):  # fmt: skip
        assert tier_of([{"time": number * step} for number in range(5)]) is tier
    assert tier_of([]) is Tier.MINUTE


async def test_a_sync_samples_the_lists_and_measuring_takes_over_pves_statistics(url: str) -> None:
    cluster = SimulatedCluster(nodes=("pve1", "pve2"), seed=1)
    cluster.add_vm("pve1", 100, {"name": "web", "memory": 1024}, status="running")
    cluster.add_vm("pve1", 101, {"name": "off", "memory": 1024})
    cluster.clock.advance(7200)
    with State.open(url, now=cluster.clock.now) as state:
        async with AsyncClient(
            "https://pve1",
            token=cluster.create_token("root@pam", "demo"),
            transport=cluster.async_transport(),
            sleep=cluster.clock.asleep,
            now=cluster.clock.now,
        ) as pve:
            for _ in range(3):
                await sync(state, pve, "lab", metrics=True)
                cluster.clock.advance(20)
            reader = state.reader()
            now, web = state.clock(), reader.resource("lab", "qemu", "100").uid
            off = reader.resource("lab", "qemu", "101").uid
            up = reader.samples.points(web, "up", now - HOUR, now, step=HOUR)
            assert [(one.mean, one.count) for one in up] in (
                [(1, 3)],
                [(1, 1), (1, 2)],
                [(1, 2), (1, 1)],
            )
            down = reader.samples.points(off, "up", now - HOUR, now, step=HOUR)
            assert {one.mean for one in down} == {0}
            assert reader.samples.metrics(reader.resource("lab", "storage", "local").uid) == (
                "disk",
            )
            assert await measure(state, pve, "lab", timeframe="hour") > 50
        netin = reader.samples.points(web, "netin", now - HOUR, now)
        assert len(netin) > 30
        assert {one.at.second for one in netin} == {0}
