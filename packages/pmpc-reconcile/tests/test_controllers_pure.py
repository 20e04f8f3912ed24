"""The loop's pure parts: policies, back-off, conditions."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmpc_reconcile.conditions import ConditionType, Truth, conditions_of
from pmpc_reconcile.controllers import Backoff, LoopSettings, policy_for
from pmpc_reconcile.controllers.postgres_queue import Heartbeats
from pmpc_reconcile.diff import Action, FieldChange
from pmpc_reconcile.plans.model import Blame, ObjectAction, ObjectPlan
from pmpc_state import Control

MOMENT = datetime(2026, 11, 22, tzinfo=UTC)


def said(
    release: str = "",
    address: str = "",
    *,
    suspended: bool | None = None,
    self_heal: bool | None = None,
    reason: str = "",
) -> Control:
    return Control("lab", release, address, suspended, self_heal, reason, "alice", MOMENT)


def test_nothing_said_reports_and_does_not_heal() -> None:
    policy = policy_for((), "shop", "Pool/a")
    assert (policy.suspended, policy.self_heal) == (False, False)


def test_the_narrowest_word_counts_and_each_flag_by_itself() -> None:
    words = (
        said(suspended=True, reason="moving house"),
        said("shop", self_heal=True),
        said("shop", "Pool/a", suspended=False),
    )
    assert policy_for(words, "shop", "Pool/a").suspended is False
    assert policy_for(words, "shop", "Pool/a").self_heal is True
    assert policy_for(words, "shop", "Pool/b").why == "suspended by alice: moving house"
    assert policy_for(words, "web", "Pool/a").self_heal is False
    assert policy_for(words, "web", "Pool/a").suspended is True


@given(st.integers(1, 10_000), st.integers())
def test_a_pause_grows_to_its_bound_and_never_passes_it(failures: int, seed: int) -> None:
    backoff = Backoff(first=5, longest=900, jitter=0.5)
    pause = backoff.pause(failures, random.Random(seed))
    whole = min(900.0, 5.0 * 2.0 ** min(failures - 1, 62))
    assert whole / 2 <= pause <= whole


@given(st.floats(1, 100_000))
def test_the_work_of_the_dead_is_taken_over_within_the_configured_time(takeover: float) -> None:
    """Its piece is given out again, then its lease ends, then it is somebody's turn."""
    settings, life = LoopSettings(takeover=takeover), Heartbeats.within(takeover)
    noticed = life.dead_after + life.every
    longest_turn = settings.turn * 1.5
    assert noticed <= settings.lease
    assert settings.lease + longest_turn + life.poll <= takeover
    assert life.every * 2 < life.dead_after, "one late sign of life is not a death"


def test_no_failure_no_pause() -> None:
    assert Backoff().pause(0, random.Random(1)) == 0.0


CORES = FieldChange(path="config.cores", action=Action.CONFLICT, base=2, live=4, desired=2)
STATE = FieldChange(path="state", action=Action.CHANGE, live="stopped", desired="running")


@pytest.mark.parametrize(
    ("item", "recorded", "expected"),
    [
        (ObjectPlan("VirtualMachine/a", ObjectAction.NONE), True, {}),
        (
            ObjectPlan("VirtualMachine/a", ObjectAction.CREATE),
            False,
            {"Synced": "Missing", "Healthy": "Missing"},
        ),
        (
            ObjectPlan("VirtualMachine/a", ObjectAction.CREATE),
            True,
            {"Synced": "Missing", "Healthy": "Missing", "Drifted": "Deleted"},
        ),
        (
            ObjectPlan("VirtualMachine/a", ObjectAction.UPDATE, changes=(STATE,)),
            True,
            {"Synced": "Differs", "Healthy": "WrongState", "Drifted": "Changed"},
        ),
        (
            ObjectPlan("VirtualMachine/a", ObjectAction.CONFLICT, conflicts=(CORES,)),
            True,
            {"Synced": "Conflict", "Drifted": "Changed", "Conflict": "Changed"},
        ),
        (
            ObjectPlan("VirtualMachine/a", ObjectAction.NONE, restart=("cores",)),
            True,
            {"RestartRequired": "PendingValues"},
        ),
        (
            ObjectPlan("VirtualMachine/a", ObjectAction.REFUSED, notes=("not ours",)),
            True,
            {"Synced": "Refused", "Healthy": "Refused"},
        ),
    ],
)
def test_conditions_name_what_is_wrong_and_only_that(
    item: ObjectPlan, recorded: bool, expected: dict[str, str]
) -> None:
    found = conditions_of(item, recorded=recorded)
    assert [condition.type for condition in found] == list(ConditionType)
    good = {ConditionType.SYNCED: Truth.TRUE, ConditionType.HEALTHY: Truth.TRUE}
    wrong = {
        condition.type.value: condition.reason
        for condition in found
        if condition.status is not good.get(condition.type, Truth.FALSE)
    }
    assert wrong == expected


def test_a_silent_node_makes_everything_unknown() -> None:
    item = ObjectPlan("VirtualMachine/a", ObjectAction.UNKNOWN, notes=("node pve2 is offline",))
    found = {condition.type: condition for condition in conditions_of(item, recorded=True)}
    assert found.pop(ConditionType.UNKNOWN).status is Truth.TRUE
    assert {condition.status for condition in found.values()} == {Truth.UNKNOWN}
    assert {condition.message for condition in found.values()} == {"node pve2 is offline"}


def test_drift_says_who_where_it_is_known() -> None:
    item = ObjectPlan(
        "VirtualMachine/a",
        ObjectAction.CONFLICT,
        conflicts=(CORES,),
        theirs={"config.cores": Blame("bob@pve", None, "2026-11-22T10:00:00Z")},
    )
    drifted = next(
        found for found in conditions_of(item, recorded=True) if found.type is ConditionType.DRIFTED
    )
    assert drifted.message == "config.cores by bob@pve at 2026-11-22T10:00:00Z"
