"""Saved plans are applied once; the journal is written ahead, in order and fenced."""

from __future__ import annotations

import pytest

from pmpc_state import (
    AlreadyRecorded,
    Lease,
    LeaseLost,
    NotRecorded,
    PlanStatus,
    RunStatus,
    StaleStatus,
    State,
    StepPhase,
)
from proxmox_client.testing.clock import VirtualClock


def _plan(state: State, plan_id: str = "p-1234") -> None:
    state.writer().plans.save(plan_id, "lab", "shop", {"steps": []}, version=1, actor="alice")


def _lease(state: State) -> Lease:
    return state.writer().leases.acquire("apply/lab/shop", holder="me", seconds=60)


def _run(state: State, lease: Lease) -> str:
    state.writer().journal.begin("r-1", "lab", "shop", lease=lease, actor="alice")
    return "r-1"


def test_a_plan_is_found_by_its_id_or_the_beginning_of_it(state: State) -> None:
    _plan(state)
    _plan(state, "p-1299")
    plans = state.reader().plans
    assert plans.get("p-1234").document == {"steps": []}
    assert plans.get("p-123").id == "p-1234"
    for bad, why in (
        ("p-12", "several"),
        ("q", "cannot find"),
        ("", "cannot find"),
        ("p_1", "find"),
    ):
        with pytest.raises(NotRecorded, match=why):
            plans.get(bad)
    assert [plan.id for plan in plans.list("lab")] == ["p-1234", "p-1299"]
    assert plans.list("lab", release="other") == ()


def test_a_plan_id_is_taken_once(state: State) -> None:
    _plan(state)
    with pytest.raises(AlreadyRecorded):
        _plan(state)


def test_a_plan_is_applied_once(state: State, clock: VirtualClock) -> None:
    _plan(state)
    plans = state.writer().plans
    clock.advance(10)
    moved = plans.set_status("p-1234", PlanStatus.APPLYING, expected={PlanStatus.PLANNED})
    assert (moved.updated_at - moved.created_at).total_seconds() == 10
    with pytest.raises(StaleStatus, match="it is applying"):
        plans.set_status("p-1234", PlanStatus.APPLYING, expected={PlanStatus.PLANNED})
    with pytest.raises(NotRecorded):
        plans.set_status("other", PlanStatus.APPLIED)


def test_each_phase_of_a_step_leaves_its_moment(state: State, clock: VirtualClock) -> None:
    journal = state.writer().journal
    run = _run(state, _lease(state))
    journal.intend(run, "s1", position=1, address="VirtualMachine/web", intent={"call": "clone"})
    for phase in ("called", "upid", "done", "verified"):
        clock.advance(1)
        if phase == "upid":
            journal.upid(run, "s1", "UPID:x")
        elif phase == "done":
            journal.done(run, "s1", {"vmid": 100})
        else:
            getattr(journal, phase)(run, "s1")
    [step] = journal.steps(run)
    moments = [step.intent_at, step.called_at, step.upid_at, step.done_at, step.verified_at]
    assert None not in moments
    assert moments == sorted(set(moments))  # type: ignore[type-var]  # none is None
    assert (step.phase, step.upid, step.result) == (StepPhase.VERIFIED, "UPID:x", {"vmid": 100})
    assert step.intent == {"call": "clone"}
    assert not step.open


def test_steps_keep_their_order(state: State) -> None:
    journal = state.writer().journal
    run = _run(state, _lease(state))
    for position, name in ((2, "a"), (1, "b"), (10, "c")):
        journal.intend(run, name, position=position, address="x", intent={})
    assert [step.step for step in journal.steps(run)] == ["b", "a", "c"]


def test_a_call_is_never_forgotten_by_intending_again(state: State) -> None:
    journal = state.writer().journal
    run = _run(state, _lease(state))
    journal.intend(run, "s", position=1, address="x", intent={"try": 1})
    journal.intend(run, "s", position=1, address="x", intent={"try": 2})
    journal.called(run, "s")
    with pytest.raises(StaleStatus, match="it is called"):
        journal.intend(run, "s", position=1, address="x", intent={})
    journal.failed(run, "s", "500 no")
    [failed] = journal.steps(run)
    assert failed.error == "500 no"
    journal.intend(run, "s", position=1, address="x", intent={"try": 3})
    [again] = journal.steps(run)
    assert (again.phase, again.error, again.called_at) == (StepPhase.INTENT, None, None)


def test_phases_cannot_be_skipped_backwards(state: State) -> None:
    journal = state.writer().journal
    run = _run(state, _lease(state))
    with pytest.raises(NotRecorded, match="never intended"):
        journal.called(run, "s")
    journal.intend(run, "s", position=1, address="x", intent={})
    with pytest.raises(StaleStatus):
        journal.verified(run, "s")
    journal.done(run, "s")
    journal.verified(run, "s")
    with pytest.raises(StaleStatus):
        journal.failed(run, "s", "too late")


def test_whoever_lost_the_lease_cannot_write(state: State, clock: VirtualClock) -> None:
    journal = state.writer().journal
    old = _lease(state)
    run = _run(state, old)
    journal.intend(run, "s", position=1, address="x", intent={})
    clock.advance(61)
    new = _lease(state)
    with pytest.raises(LeaseLost):
        journal.called(run, "s")
    with pytest.raises(LeaseLost):
        journal.begin("r-2", "lab", "shop", lease=old, actor="alice")
    with pytest.raises(LeaseLost):
        journal.finish(run, RunStatus.DONE)
    [left] = state.reader().journal.runs("lab", status=RunStatus.RUNNING)
    assert left.id == run
    assert journal.resume(run, new).token == new.token
    [step] = journal.steps(run)
    assert step.open
    journal.called(run, "s")
    journal.finish(run, RunStatus.PARTIAL)


def test_a_finished_run_is_closed(state: State) -> None:
    journal = state.writer().journal
    lease = _lease(state)
    run = _run(state, lease)
    journal.finish(run, RunStatus.DONE)
    for write in (
        lambda: journal.intend(run, "s", position=1, address="x", intent={}),
        lambda: journal.finish(run, RunStatus.DONE),
        lambda: journal.resume(run, lease),
    ):
        with pytest.raises(StaleStatus, match="it is done"):
            write()
    assert state.reader().journal.runs("lab", status=RunStatus.RUNNING) == ()
    assert state.reader().journal.run(run).finished_at is not None
    with pytest.raises(AlreadyRecorded):
        _run(state, lease)
    with pytest.raises(NotRecorded):
        state.reader().journal.run("none")
    assert state.reader().journal.runs("lab", release="other") == ()
