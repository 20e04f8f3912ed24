"""What a sweep reads: pure decisions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pmpc_state.freshness import Sweep, Unit, choose, summary_of

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def _units(count: int, age: timedelta = timedelta(0)) -> list[Unit]:
    return [Unit(("qemu", str(number)), NOW - age) for number in range(count)]


def test_a_tenth_of_the_time_reads_a_tenth() -> None:
    assert len(choose(_units(100), Sweep(HOUR), NOW, NOW - HOUR / 10)) == 10


def test_the_oldest_come_first_and_what_was_never_read_before_them() -> None:
    units = [
        Unit(("qemu", "new"), NOW - timedelta(minutes=1)),
        Unit(("qemu", "never"), None),
        *(Unit(("qemu", f"old{number}"), NOW - timedelta(minutes=30)) for number in range(18)),
    ]
    chosen = choose(units, Sweep(HOUR), NOW, NOW - timedelta(minutes=3))
    assert ("qemu", "never") in chosen
    assert ("qemu", "new") not in chosen


def test_a_cap_holds_even_when_everything_is_too_old() -> None:
    units = [Unit(("qemu", str(number)), None, requests=2) for number in range(50)]
    assert len(choose(units, Sweep(HOUR, most=7), NOW, NOW - HOUR)) == 3


def test_a_list_dearer_than_the_cap_is_read_alone_not_never() -> None:
    assert choose([Unit(("node-dns", ""), None, 32)], Sweep(HOUR, 5), NOW, NOW) == {
        ("node-dns", "")
    }


def test_the_first_time_and_no_time_at_all_read_everything() -> None:
    assert len(choose(_units(9), Sweep(HOUR), NOW, None)) == 9
    assert len(choose(_units(9), Sweep(timedelta(0)), NOW, NOW)) == 9


@given(
    count=st.integers(0, 60),
    minutes=st.integers(1, 25),
    costs=st.lists(st.integers(1, 3), min_size=60, max_size=60),
)
def test_at_a_steady_pace_nothing_is_ever_older_than_asked(
    count: int, minutes: int, costs: list[int]
) -> None:
    step, proven = timedelta(minutes=minutes), dict.fromkeys(range(count), NOW)
    spent: list[int] = []
    for turn in range(1, 200 // minutes):
        now = NOW + turn * step
        units = [Unit(("qemu", str(one)), proven[one], costs[one]) for one in proven]
        chosen = choose(units, Sweep(HOUR), now, now - step)
        proven |= {one: now for one in proven if ("qemu", str(one)) in chosen}
        spent.append(sum(costs[one] for one in proven if ("qemu", str(one)) in chosen))
        assert all(now - moment <= HOUR for moment in proven.values())
    assert max(spent, default=0) <= sum(costs[:count])


def test_a_summary_tells_settings_from_use() -> None:
    entry = {"name": "web", "status": "running", "cpu": 0.1, "maxmem": 1024, "node": "pve1"}
    before = summary_of("qemu", [entry])
    assert summary_of("qemu", [{**entry, "cpu": 0.9, "status": "paused"}]) == before
    for change in ({"name": "db"}, {"maxmem": 2048}, {"tags": "prod"}, {"status": "stopped"}):
        assert summary_of("qemu", [{**entry, **change}]) != before


def test_a_storage_is_the_same_in_whatever_order_it_is_listed() -> None:
    one = {"node": "pve1", "content": "iso,images", "plugintype": "nfs"}
    two = {**one, "node": "pve2", "content": "images,iso"}
    swapped = [{**one, "node": "pve2"}, {**two, "node": "pve1"}]
    assert summary_of("storage", [one, two]) == summary_of("storage", swapped)
