"""What takes time happens in the recorded order and at the recorded times, within a tolerance."""

from __future__ import annotations

import pytest

from tests.conformance import replay
from tests.conformance.answers import exchanges
from tests.conformance.sequences import SCENES, Scene, disagreements

pytestmark = pytest.mark.conformance
VIEWS = [(scene, view.name) for scene in SCENES for view in scene.views]


@pytest.fixture(scope="module")
def report() -> replay.Report:
    return replay.run()


@pytest.mark.requirement("sequences.order-and-time")
@pytest.mark.parametrize(
    ("scene", "view"), VIEWS, ids=[f"{scene.name}: {view}" for scene, view in VIEWS]
)
def test_the_same_changes_in_the_same_order_at_the_same_times(
    report: replay.Report, scene: Scene, view: str
) -> None:
    recorded, simulated = report.courses[scene.name, view]
    assert recorded, "nothing was recorded of it"
    assert disagreements(recorded, simulated, scene.tolerance) == []


# The first call to a lost host, and calls while it comes up, end when the asking host's network
# says so; the recorded ones differ among themselves.
_UP_TO_THE_NETWORK = {
    ("cluster/offline", 225),
    ("cluster/noquorum", 109),
    ("cluster/noquorum", 210),
    ("cluster/noquorum", 307),
}


@pytest.mark.requirement("sequences.waits")
@pytest.mark.parametrize("area", ["cluster/offline", "cluster/noquorum"])
def test_refusals_take_as_long_as_recorded(report: replay.Report, area: str) -> None:
    refused = [
        exchange
        for exchange in exchanges(area)
        if exchange.status >= 500 and (area, exchange.fields["n"]) not in _UP_TO_THE_NETWORK
    ]
    differ = [
        f"{exchange.where} {exchange.path}: {simulated:.1f} s, recorded {recorded:.1f} s"
        for exchange in refused
        for recorded, simulated in [report.waits[area, exchange.fields["n"]]]
        if abs(recorded - simulated) > 0.6
    ]
    assert len(refused) > 30
    assert differ == []
