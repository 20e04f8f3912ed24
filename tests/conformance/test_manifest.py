"""The manifest is whole: requirements have tests, tests name requirements, sources exist."""

from __future__ import annotations

import pytest

from tests.conformance import manifest

pytestmark = pytest.mark.conformance


@pytest.mark.requirement("manifest.both-ways")
def test_every_requirement_is_named_by_a_test() -> None:
    named = {name for test in manifest.naming_tests() for name in test.names}
    assert sorted(manifest.requirements().keys() - named) == []


@pytest.mark.requirement("manifest.both-ways")
def test_every_test_of_the_simulator_names_a_requirement() -> None:
    silent = [test.where for test in manifest.naming_tests() if not test.names]
    assert silent == []


@pytest.mark.requirement("manifest.both-ways")
def test_every_named_requirement_exists() -> None:
    wrong = [
        f"{test.where}: {name}"
        for test in manifest.naming_tests()
        for name in test.names
        if name not in manifest.requirements()
    ]
    assert wrong == []


@pytest.mark.requirement("manifest.sources")
def test_every_source_exists() -> None:
    wrong = [
        f"{entry.id}: {source}"
        for entry in manifest.requirements().values()
        for source in entry.sources or ("none",)
        if not manifest.is_known(source)
    ]
    assert wrong == []


@pytest.mark.requirement("manifest.sources")
def test_every_point_of_the_fact_sheets_is_required_or_left_out_with_a_reason() -> None:
    used = {source for entry in manifest.requirements().values() for source in entry.sources}
    reasons = manifest.left_out()
    assert sorted(manifest.points() - used - reasons.keys()) == []
    assert sorted(reasons.keys() - manifest.points()) == []
    assert sorted(reasons.keys() & used) == []
    assert all(len(reason.split()) > 3 for reason in reasons.values())
