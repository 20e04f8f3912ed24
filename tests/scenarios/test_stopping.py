"""Pain: Ctrl-C in the middle of an apply leaves half a step, and nobody knows what was done."""

from __future__ import annotations

from typing import Any

import pytest

from pmpc_reconcile.events import ApplyProgress, Event, StepStarted, StepWaiting
from pmpc_reconcile.execute.report import Outcome
from pmpc_reconcile.execute.schedule import Brake
from pmpc_reconcile.manifests import load_text
from pmpc_state import RunStatus

VM = """
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {name: NAME}
spec:
  source: {clone: {template: debian-13}}
  config: {cores: 2}
  state: running
"""


def stack(*names: str) -> str:
    return "---".join(VM.replace("NAME", name) for name in names)


async def test_progress_comes_with_the_time_that_is_left(lab: Any) -> None:
    plan = await lab.plan(stack("web-1", "web-2"))
    assert "about 36 s." in plan.explain()
    assert (await lab.engine.apply(plan)).ok
    told = [event for event in lab.events if isinstance(event, ApplyProgress)]
    assert [event.done for event in told] == list(range(1, 7))
    assert told[-1].seconds_left == 0
    assert all(event.seconds_left > 0 for event in told[:-1])


async def test_what_runs_ends_and_nothing_more_begins(lab: Any) -> None:
    brake = Brake()
    begun: list[str] = []

    def watch(event: Event) -> None:
        if isinstance(event, StepStarted):
            begun.append(event.step_id)
            brake.pull("it was stopped")

    plan = await lab.plan(stack("web-1"))
    report = await lab.engine.apply(plan, watch, brake=brake)
    assert [item.outcome for item in report.results] == [
        Outcome.DONE,
        Outcome.SKIPPED,
        Outcome.SKIPPED,
    ]
    assert begun == [report.results[0].step_id]
    assert report.results[1].reason == "it was stopped"
    (vmid,) = lab.vmids()
    assert lab.config(vmid).get("lock") is None
    again = await lab.engine.plan(load_text(stack("web-1")), "shop")
    assert (await lab.engine.apply(again)).ok
    assert lab.vmids() == [vmid]
    assert lab.status(vmid) == "running"


async def test_a_step_that_only_waits_waits_no_longer(lab: Any) -> None:
    await lab.applied(stack("web-1"))
    vmid = lab.vmid("web-1")
    lab.cluster.guests[vmid].config["lock"] = "backup"
    brake = Brake()

    def watch(event: Event) -> None:
        if isinstance(event, StepWaiting):
            brake.pull("it was stopped")

    plan = await lab.plan(stack("web-1").replace("cores: 2", "cores: 4"))
    began = lab.cluster.clock.now()
    report = await lab.engine.apply(plan, watch, brake=brake)
    assert report.failed[0].reason == (
        f"it was stopped; it was still waiting: guest {vmid} is locked (backup)"
    )
    assert lab.cluster.clock.now() - began < 10


async def test_stopped_under_all_or_nothing_it_is_taken_back(lab: Any) -> None:
    brake = Brake()

    def watch(event: Event) -> None:
        if isinstance(event, StepStarted) and event.step_id.endswith("#configure"):
            brake.pull("it was stopped")

    report = await lab.engine.apply(await lab.plan(stack("web-1")), watch, brake=brake, atomic=True)
    assert report.taken_back
    assert lab.vmids() == []


async def test_a_listener_that_fails_stops_nothing_in_the_middle(lab: Any) -> None:
    def watch(event: Event) -> None:
        if isinstance(event, StepStarted):
            raise LookupError("the window is gone")

    plan = await lab.plan(stack("web-1", "web-2"))
    with pytest.raises(LookupError, match="the window is gone"):
        await lab.engine.apply(plan, watch)
    assert all("lock" not in lab.config(vmid) for vmid in lab.vmids())
    assert all(lab.status(vmid) == "stopped" for vmid in lab.vmids()), "nothing more begins"
    journal = lab.state.reader().journal
    assert not journal.runs("lab", status=RunStatus.RUNNING)
    assert (await lab.engine.apply(await lab.plan(stack("web-1", "web-2")))).ok
    assert len(lab.vmids()) == 2
