"""The page about the simulator promises what the replay shows, and names all there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxmox_client import pytest_plugin
from proxmox_client.testing import __main__, faults
from tests.conformance import figures, replay
from tests.conformance.test_operations import WITHOUT_ANSWER

pytestmark = pytest.mark.conformance
# How many points the replay may have become better before the page is to be written again.
LAG = 5


@pytest.fixture(scope="module")
def page() -> str:
    return figures.PAGE.read_text(encoding="utf-8")


@pytest.mark.requirement("documentation.figures")
def test_the_page_shows_the_figures_of_the_replay() -> None:
    shown = figures.shown()
    results = {result.area: result for result in replay.run().areas}
    assert shown.keys() == results.keys()
    for area, (exchanges, promised) in shown.items():
        assert exchanges == results[area].exchanges
        assert promised <= results[area].share * 100 < promised + LAG, area


@pytest.mark.requirement("documentation.figures")
def test_the_page_names_every_fault_fixture_and_option(page: str) -> None:
    parser = __main__._parser()  # pyright: ignore[reportPrivateUsage]
    options = {text for text in parser._option_string_actions if text.startswith("--")}
    kinds = set(faults.__all__) - {"ActiveFault", "Fault", "Faults"}
    fixtures = {name for name in vars(pytest_plugin) if name.startswith("pve_")}
    words = kinds | fixtures | options - {"--help"}
    assert sorted(word for word in words if word not in page) == []


@pytest.mark.requirement("documentation.figures")
def test_the_page_may_say_that_every_operation_answers(page: str) -> None:
    assert "Every operation of PVE 8.4, 9.0, 9.1 and 9.2 answers" in page
    assert WITHOUT_ANSWER == {}


@pytest.mark.requirement("documentation.figures")
def test_the_page_names_places_that_exist(page: str) -> None:
    root = Path(__file__).parents[2]
    for place in (
        "tests/conformance/requirements",
        "tests/conformance/replay_rules.json",
        "tests/conformance/test_sequences.py",
    ):
        assert place in page
        assert (root / place).exists()
