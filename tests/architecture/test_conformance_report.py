"""The figures of `nox -s conformance -- --json` have the agreed form and add up."""

from __future__ import annotations

from tests.conformance import replay


def test_every_exchange_of_an_area_is_replayed_excluded_or_a_mismatch() -> None:
    areas = replay.run().areas
    assert {"qemu", "lxc", "storage", "node", "tasks"} <= {result.area for result in areas}
    for result in areas:
        found = result.to_dict()
        assert set(found) == {"exchanges", "polls", "share", "replayed", "excluded", "mismatches"}
        assert found["exchanges"] == found["replayed"] + sum(found["excluded"].values())
        assert all(reason and number > 0 for reason, number in found["excluded"].items())
        assert found["mismatches"] == []
