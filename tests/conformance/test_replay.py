"""The simulator answers what a running PVE was asked as that PVE did."""

from __future__ import annotations

import pytest

from tests.conformance import replay

pytestmark = pytest.mark.conformance
AREAS = [area for areas in replay.rules()["order"].values() for area in areas]


@pytest.fixture(scope="module")
def report() -> replay.Report:
    return replay.run()


@pytest.mark.requirement("replay.areas")
@pytest.mark.parametrize("area", AREAS)
def test_every_exchange_is_answered_as_recorded_or_excluded_with_a_reason(
    report: replay.Report, area: str
) -> None:
    result = next(result for result in report.areas if result.area == area)
    assert result.mismatches == []
    assert result.replayed + sum(result.excluded.values()) == result.exchanges


@pytest.mark.requirement("replay.areas")
def test_every_exclusion_still_covers_a_difference(report: replay.Report) -> None:
    assert list(report.stale) == []


@pytest.mark.requirement("replay.areas")
def test_every_exclusion_has_a_reason_in_words() -> None:
    reasons = [entry["reason"] for entry in replay.rules()["exclusions"]]
    assert all(len(reason.split()) > 2 for reason in reasons)


@pytest.mark.requirement("replay.areas")
def test_nearly_all_exchanges_with_one_node_are_compared(report: replay.Report) -> None:
    alone = [result for result in report.areas if not result.area.startswith("cluster/")]
    exchanges = sum(result.exchanges for result in alone)
    assert exchanges > 1500
    assert sum(result.replayed for result in alone) >= 0.95 * exchanges


@pytest.mark.requirement("replay.areas")
@pytest.mark.parametrize("area", [area for area in AREAS if area.startswith("cluster/")])
def test_four_in_five_exchanges_with_three_nodes_that_are_no_polls_are_compared(
    report: replay.Report, area: str
) -> None:
    result = next(result for result in report.areas if result.area == area)
    assert result.share >= 0.8
