"""Pain: what was reviewed is not what is applied, and nobody else ever looked at it."""

from __future__ import annotations

from typing import Any

import pytest

from pmpc_reconcile.approvals import content_of
from pmpc_reconcile.engine import Reconciler
from pmpc_reconcile.errors import PlanRefused
from pmpc_reconcile.manifests import load_text
from pmpc_reconcile.plans.model import Plan
from pmpc_reconcile.risk import Risk

STACK = """
apiVersion: pmpc/v1
kind: Pool
metadata: {name: shop}
spec: {comment: the shop}
---
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {name: web-1}
spec:
  source: {clone: {template: debian-13}}
  pool: shop
  config: {cores: CORES, memory: 2048}
  state: running
"""


def web(cores: int) -> str:
    return STACK.replace("CORES", str(cores))


def engine_of(lab: Any, actor: str, **options: Any) -> Reconciler:
    clock = lab.cluster.clock
    return Reconciler(
        lab.client, lab.state, "lab", now=clock.now, sleep=clock.asleep, actor=actor, **options
    )


async def test_one_makes_a_plan_and_another_approves_it(lab: Any) -> None:
    anna, bert = engine_of(lab, "anna"), engine_of(lab, "bert")
    plan = await anna.plan(load_text(web(2)), "shop", needs_approval=True)
    with pytest.raises(PlanRefused, match="needs the approval of somebody else"):
        await anna.apply(plan)
    with pytest.raises(PlanRefused, match="anna made it"):
        await anna.approve(plan.id)
    assert lab.writes == []
    await bert.approve(plan.id, "looks right")
    (approval,) = await anna.approvals(plan)
    assert (approval.actor, approval.note) == ("bert", "looks right")
    stored = await anna.stored_plan(plan.id)
    assert stored.needs_approval
    assert (await anna.apply(stored)).ok
    with pytest.raises(PlanRefused, match="applied already"):
        await bert.approve(plan.id)
    assert lab.state.reader().audit.first_broken() is None


async def test_an_approval_holds_for_exactly_what_was_reviewed(lab: Any) -> None:
    import attrs

    anna, bert = engine_of(lab, "anna"), engine_of(lab, "bert")
    plan = await anna.plan(load_text(web(2)), "shop", needs_approval=True)
    await bert.approve(plan.id)
    other = attrs.evolve(plan, steps=plan.steps[:-1])
    assert content_of(other) != content_of(plan)
    with pytest.raises(PlanRefused, match="needs the approval"):
        await anna.apply(other)
    with pytest.raises(PlanRefused, match="needs the approval"):
        await engine_of(lab, "anna").apply(attrs.evolve(plan, id="ffffffffffff"))
    assert lab.writes == []


async def test_whoever_runs_it_can_demand_approval_from_a_risk_on(lab: Any) -> None:
    strict = engine_of(lab, "anna", approval_from=Risk.DESTRUCTIVE)
    assert (await strict.apply(await strict.plan(load_text(web(2)), "shop"))).ok
    plan = await strict.delete("shop")
    with pytest.raises(PlanRefused, match="needs the approval"):
        await strict.apply(plan)
    await engine_of(lab, "bert").approve(plan.id)
    assert (await strict.apply(plan)).ok


async def test_staleness_is_told_object_by_object(lab: Any) -> None:
    await lab.applied(web(2) + "\n---" + web(2).partition("---")[2].replace("web-1", "web-2"))
    text = web(4) + "\n---" + web(4).partition("---")[2].replace("web-1", "web-2")
    plan = await lab.plan(text)
    assert await lab.engine.stale(plan) == ()
    first, second = lab.vmid("web-1"), lab.vmid("web-2")
    lab.cluster.edit(first, cores=8)
    lab.cluster.edit(second, onboot=1)
    found = {item.address: item for item in await lab.engine.stale(plan)}
    assert found["VirtualMachine/web-1"].reason == "somebody changed config.cores"
    assert found["VirtualMachine/web-1"].blocking
    assert not found["VirtualMachine/web-2"].blocking
    report = await lab.engine.apply(plan)
    assert {item.address for item in report.failed} == {"VirtualMachine/web-1"}
    assert {item.address for item in report.done} == {"VirtualMachine/web-2"}


async def test_moved_and_deleted_guests_are_stale(lab: Any) -> None:
    await lab.applied(web(2))
    plan = await lab.plan(web(4))
    vmid = lab.vmid("web-1")
    lab.cluster.guests[vmid].node = "pve3"
    (moved,) = await lab.engine.stale(plan)
    assert (moved.reason, moved.blocking) == ("it moved from pve1 to pve3", False)
    del lab.cluster.guests[vmid]
    (gone,) = await lab.engine.stale(plan)
    assert gone.blocking


async def test_a_plan_is_a_graph_and_says_what_undoes_each_step(lab: Any) -> None:
    plan = await lab.plan(web(2))
    dot, mermaid = plan.to_graph("dot"), plan.to_graph("mermaid")
    assert '"Pool/shop#create" -> "VirtualMachine/web-1#create";' in dot
    assert dot.count(" -> ") == mermaid.count(" --> ") == sum(len(s.after) for s in plan.steps)
    assert dot.count("label=") == len(plan.steps)
    assert mermaid.startswith("graph TD\n")
    assert "risk: change" in mermaid
    assert "undo: delete it" in plan.explain()
    await lab.applied(web(2))
    gone = await lab.engine.delete("shop")
    assert "cannot be undone" in gone.explain()
    assert "color=red" in gone.to_graph("dot")
    assert "downtime: stop" in gone.to_graph("dot")


async def test_an_older_plan_file_is_still_read(lab: Any) -> None:
    """Fields that came later have their defaults."""
    import json

    data = json.loads((await lab.plan(web(2))).to_json())
    del data["needs_approval"]
    for item in data["objects"]:
        del item["waits"], item["ailment"]
    for step in data["steps"]:
        step.pop("lenient", None)
    plan = Plan.from_json(json.dumps(data))
    assert not plan.needs_approval
    assert (await lab.engine.apply(plan)).ok
