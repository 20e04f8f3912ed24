"""Pain: after a crash nobody knows which hooks have run: one is missed, another one runs twice."""

from __future__ import annotations

from typing import Any

import pytest

from pmpc_reconcile.engine import Reconciler
from pmpc_reconcile.errors import PlanRefused
from pmpc_reconcile.plans.model import Plan
from tests.lab.hooked import done, snapshots, stack, with_a_command
from tests.lab.moments import UNRECORDED, Moment
from tests.lab.power_cuts import cut_at, is_cut

# -- crashes --


@pytest.mark.parametrize("phase", ["intend", "called", UNRECORDED, "upid", "done", "verified"])
async def test_a_crash_in_the_middle_of_a_hook_takes_one_snapshot(lab: Any, phase: str) -> None:
    await lab.applied(stack())
    plan = await lab.plan(stack(4))
    lab.forget_writes()
    await fall(lab, plan, "*#before-1-of-Release/shop|snapshot", phase)
    assert not any(name.endswith("/config") for name in lab.writes)
    again = Reconciler(
        lab.client, lab.state, "lab", now=lab.cluster.clock.now, sleep=lab.cluster.clock.asleep
    )
    report = await again.apply(await again.stored_plan(plan.id))
    assert report.ok, [item.reason for item in report.results]
    assert snapshots(lab) == snapshots(lab, "db-1") == [f"pmpc-before-{plan.id}"]
    assert sum(name.endswith("/snapshot") for name in lab.writes) == 2


@pytest.mark.parametrize("phase", ["intend", "done", "verified"])
async def test_a_crash_around_a_command_runs_it_once(lab: Any, phase: str) -> None:
    plan, inside = await with_a_command(lab)
    await fall(lab, plan, "*|run", phase)
    assert (await lab.engine.apply(await lab.engine.stored_plan(plan.id))).ok
    assert inside.ran == [["now"]]
    assert str(lab.config(lab.vmid("web-1"))["cores"]) == "4"


@pytest.mark.parametrize("phase", ["called", UNRECORDED])
async def test_a_command_that_may_have_run_is_not_run_again(lab: Any, phase: str) -> None:
    """The crash came between the call and its answer."""
    plan, inside = await with_a_command(lab)
    await fall(lab, plan, "*|run", phase)
    report = await lab.engine.apply(await lab.engine.stored_plan(plan.id))
    (failed,) = report.failed
    assert "nobody knows whether freeze-db was started" in failed.reason
    assert inside.ran == ([["now"]] if phase == UNRECORDED else [])
    assert str(lab.config(lab.vmid("web-1"))["cores"]) == "2"


async def test_a_command_whose_answer_was_lost_is_not_run_again(lab: Any) -> None:
    plan, inside = await with_a_command(lab)
    lab.recorder.lose.add("/agent/exec")
    (failed,) = (await lab.engine.apply(plan)).failed
    assert "nobody knows whether freeze-db was started" in failed.reason
    assert inside.ran == [["now"]]


async def fall(lab: Any, plan: Plan, entry: str, phase: str) -> None:
    """Apply a plan until the power goes off."""
    with pytest.MonkeyPatch.context() as patch:
        cut_at(patch, Moment(entry, phase))
        with pytest.raises(BaseException) as caught:  # noqa: PT011 (a cut comes alone or in groups)
            await lab.engine.apply(plan)
        assert is_cut(caught.value), caught.value


# -- all or nothing --


async def test_all_or_nothing_counts_hooks_too(lab: Any) -> None:
    """A hook that fails afterwards takes everything back, and guests run as they did."""
    await lab.applied(stack(more="state: running"))
    hooks = """{preApply: [{shutdown: {}}, {snapshot: {}}],
      postApply: [{backup: {storage: bak}}]}"""
    lab.cluster.call("POST", "/storage", {"storage": "bak", "type": "dir", "path": "/bak"})
    plan = await lab.plan(stack(4, hooks, more=""))
    lab.cluster.call("DELETE", "/storage/bak")
    report = await lab.engine.apply(plan, atomic=True)
    assert not report.ok
    assert report.undone
    assert report.taken_back, [item.reason for item in report.undone]
    for name in ("web-1", "db-1"):
        vmid = lab.vmid(name)
        assert (str(lab.config(vmid)["cores"]), lab.status(vmid)) == ("2", "running")


async def test_all_or_nothing_is_refused_where_a_command_would_run(lab: Any) -> None:
    plan, inside = await with_a_command(lab)
    with pytest.raises(PlanRefused, match="run freeze-db in web-1: nothing undoes it"):
        await lab.engine.apply(plan, atomic=True)
    assert inside.ran == []


async def test_a_stored_plan_with_hooks_is_the_same_plan(lab: Any) -> None:
    plan, inside = await with_a_command(lab)
    assert Plan.from_json(plan.to_json()).steps == plan.steps
    await done(lab, await lab.engine.stored_plan(plan.id))
    assert inside.ran == [["now"]]
