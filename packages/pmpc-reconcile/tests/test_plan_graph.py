from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmpc_reconcile.errors import PlanError
from pmpc_reconcile.plans.graph import dependants, ordered, to_dot, to_mermaid
from pmpc_reconcile.plans.steps import StartGuest, Step


def step(name: str, *after: str) -> Step:
    return StartGuest(id=name, address=f"VirtualMachine/{name}", summary=name, after=after)


@given(st.permutations(range(8)), st.data())
def test_every_step_follows_those_it_waits_for(order: list[int], data: st.DataObject) -> None:
    after: dict[int, set[int]] = {0: set()}
    for number in range(1, 8):
        after[number] = data.draw(st.sets(st.sampled_from(range(number))))
    steps = [step(str(number), *map(str, sorted(after[number]))) for number in order]
    seen: set[str] = set()
    for item in ordered(steps):
        assert set(item.after) <= seen
        seen.add(item.id)
    assert len(seen) == 8


def test_steps_without_dependencies_keep_their_order() -> None:
    assert [item.id for item in ordered([step("b"), step("a")])] == ["b", "a"]


def test_a_reference_to_something_that_is_there_already_is_no_obstacle() -> None:
    assert len(ordered([step("a", "Pool/shop#create")])) == 1


def test_a_circle_is_an_error_that_names_it() -> None:
    with pytest.raises(PlanError, match="circle: a, b"):
        ordered([step("a", "b"), step("b", "a")])


def test_the_graph_can_be_drawn() -> None:
    steps = [step("a"), step("b", "a")]
    assert dependants(steps) == {"a": ("b",), "b": ()}
    assert '"a" -> "b"' in to_dot(steps)
    assert "s0 --> s1" in to_mermaid(steps)
