"""What people tell the reconcile loop, and the conditions it finds."""

from __future__ import annotations

from pmpc_state import State
from proxmox_client.testing.clock import VirtualClock


def test_what_is_said_adds_up_and_can_be_taken_back(state: State) -> None:
    controls = state.writer().controls
    controls.set("lab", suspended=True, reason="moving house", actor="alice")
    controls.set("lab", "shop", self_heal=True, actor="bob")
    controls.set("lab", "shop", suspended=False, reason="not this one", actor="alice")
    wide, narrow = state.reader().controls.list("lab")
    assert (wide.release, wide.address, wide.suspended, wide.self_heal) == ("", "", True, None)
    assert (narrow.release, narrow.suspended, narrow.self_heal) == ("shop", False, True)
    assert (narrow.reason, narrow.actor) == ("not this one", "alice")
    controls.forget("lab", "shop")
    controls.forget("elsewhere")
    assert state.reader().controls.list("lab") == (wide,)
    assert state.reader().controls.list("elsewhere") == ()


def test_a_condition_keeps_the_moment_it_turned(state: State, clock: VirtualClock) -> None:
    controls = state.writer().controls
    controls.observe("lab", "shop", {"Pool/a": {"Synced": ("true", "InSync", "")}})
    clock.advance(60)
    controls.observe("lab", "shop", {"Pool/a": {"Synced": ("true", "InSync", "still")}})
    (same,) = state.reader().controls.conditions("lab")
    assert same.seen_at > same.changed_at
    clock.advance(60)
    turned = {
        "Pool/a": {"Synced": ("false", "Drifted", "comment")},
        "Pool/b": {"Synced": ("unknown", "NodeOffline", "pve2 does not answer")},
    }
    controls.observe("lab", "shop", turned)
    first, second = state.reader().controls.conditions("lab", "shop")
    assert (first.status, first.changed_at) == ("false", first.seen_at)
    assert (second.address, second.reason) == ("Pool/b", "NodeOffline")


def test_objects_that_are_gone_have_no_conditions_unless_only_some_were_looked_at(
    state: State,
) -> None:
    controls = state.writer().controls
    controls.observe("lab", "shop", {"Pool/a": {"Synced": ("true", "InSync", "")}})
    controls.observe("lab", "shop", {"Pool/b": {"Synced": ("true", "InSync", "")}}, whole=False)
    controls.observe("lab", "web", {"Pool/c": {"Synced": ("true", "InSync", "")}})
    reader = state.reader().controls
    assert [row.address for row in reader.conditions("lab", "shop")] == ["Pool/a", "Pool/b"]
    controls.observe("lab", "shop", {})
    assert [row.address for row in reader.conditions("lab")] == ["Pool/c"]
