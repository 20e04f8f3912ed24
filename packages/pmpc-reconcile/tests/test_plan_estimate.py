"""About how long a plan takes: the longest chain, and what runs beside each other."""

from __future__ import annotations

import pytest

from pmpc_reconcile.plans.estimate import USUAL, Estimate
from pmpc_reconcile.plans.steps import CloneGuest, StartGuest, Step


def clone(name: str) -> Step:
    return CloneGuest(
        id=name, address=name, summary=name, template=1, template_node="a", template_name="t"
    )


def start(name: str, *after: str) -> Step:
    return StartGuest(id=name, address=name, summary=name, after=after)


def test_the_longest_chain_counts() -> None:
    steps = [clone("a"), start("b", "a"), clone("c")]
    assert Estimate(steps).left() == USUAL["clone"] + USUAL["start"]


def test_more_than_go_on_at_once_take_longer() -> None:
    steps = [clone(f"c{number}") for number in range(80)]
    assert Estimate(steps).left() == 10 * USUAL["clone"]


def test_what_was_measured_counts_from_then_on() -> None:
    estimate = Estimate([clone("a"), start("b", "a"), clone("c"), start("d", "c")])
    estimate.learn(clone("a"), 100.0)
    estimate.learn(clone("a"), 50.0)
    assert estimate.left({"a"}) == 75.0 + USUAL["start"]
    assert estimate.left({"a", "b", "c", "d"}) == pytest.approx(0.0)


def test_nothing_to_do_takes_no_time() -> None:
    assert Estimate([]).left() == 0.0
