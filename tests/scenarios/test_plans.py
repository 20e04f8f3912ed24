"""Pain: what was reviewed is not what is applied, and nobody else ever looked at it."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from pmpc_reconcile.approvals import content_of
from pmpc_reconcile.engine import Reconciler
from pmpc_reconcile.errors import PlanError, PlanRefused, PlanVersionUnsupported
from pmpc_reconcile.manifests import load_text
from pmpc_reconcile.plans.codec import PLAN_VERSION
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


SETTINGS = """
---
apiVersion: pmpc/v1
kind: Storage
metadata: {name: more}
spec: {type: dir, config: {path: /more, content: [CONTENT]}}
"""


async def test_pools_and_settings_are_stale_too(lab: Any) -> None:
    await lab.applied(web(2) + SETTINGS.replace("CONTENT", "iso"))
    text = web(2).replace("the shop", "our shop") + SETTINGS.replace("CONTENT", "iso, backup")
    plan = await lab.plan(text)
    lab.forget_writes()
    assert await lab.engine.stale(plan) == ()
    marker = lab.cluster.call("GET", "/pools/shop")["comment"].partition("the shop")[2]
    lab.cluster.call("PUT", "/pools/shop", {"comment": f"bob's shop{marker}"})
    lab.cluster.call("PUT", "/storage/more", {"content": "iso,vztmpl"})
    found = {item.address: item for item in await lab.engine.stale(plan)}
    assert set(found) == {"Pool/shop", "Storage/more"}
    assert found["Pool/shop"].reason == "somebody changed comment"
    assert found["Pool/shop"].blocking
    assert lab.writes == []
    failed = {item.address: item.reason for item in (await lab.engine.apply(plan)).failed}
    assert set(failed) == {"Pool/shop", "Storage/more"}
    assert 'is "bob\'s shop" now: somebody changed it; plan again' in failed["Pool/shop"]
    assert lab.cluster.call("GET", "/pools/shop")["comment"].startswith("bob's shop")
    lab.cluster.call("DELETE", "/storage/more")
    gone = await lab.engine.delete("shop")
    assert "Storage/more" not in {item.address for item in await lab.engine.stale(gone)}


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


# -- as files --

OLDER = Path(__file__).parents[1] / "data" / "plans"


@pytest.mark.parametrize("path", sorted(OLDER.glob("*.json")), ids=lambda path: path.stem)
def test_a_file_that_an_older_version_wrote_is_still_read(path: Path) -> None:
    """Each was written by the code of its time; fields that came later have their defaults."""
    written = json.loads(path.read_text())
    assert written["pmpcPlan"] < PLAN_VERSION
    plan = Plan.load(path)
    assert [step.id for step in plan.steps] == [step["id"] for step in written["steps"]]
    assert plan.counts() == {"none": 1, "conflict": 1, "create": 1, "delete": 1}
    assert plan.needs_approval
    assert "conflict config.memory: base 2048, ours 2048, theirs 4096" in plan.explain()
    assert plan.to_dict()["pmpcPlan"] == PLAN_VERSION
    assert Plan.from_json(plan.to_json()) == plan
    assert "->" in plan.to_graph("dot")


async def test_a_plan_goes_into_a_file_and_is_applied_from_it(lab: Any, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    plan = await lab.engine.plan(load_text(web(2)), "shop", save=False)
    plan.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "plan" not in str([name for name in os.listdir(tmp_path) if name != "plan.json"])
    loaded = Plan.load(path)
    assert loaded == plan
    assert (await lab.engine.apply(loaded)).ok
    with pytest.raises(PlanRefused, match="applied already"):
        await lab.engine.apply(Plan.load(path))


async def test_a_file_that_was_edited_is_not_the_plan_that_was_made(
    lab: Any, tmp_path: Path
) -> None:
    path = tmp_path / "plan.json"
    plan = await lab.plan(web(2))
    plan.save(path)
    path.write_text(path.read_text().replace("the shop", "my shop"))
    with pytest.raises(PlanRefused, match="is not what was stored by that id"):
        await lab.engine.apply(Plan.load(path))
    assert lab.writes == []
    assert (await lab.engine.apply(plan)).ok


async def test_a_file_of_fields_that_came_later_is_applied(lab: Any) -> None:
    plan = await lab.engine.plan(load_text(web(2)), "shop", save=False)
    data = json.loads(plan.to_json())
    data["pmpcPlan"] = 1
    del data["needs_approval"]
    for item in data["objects"]:
        del item["waits"], item["ailment"], item["because"]
    for step in data["steps"]:
        step.pop("lenient", None)
        del step["preconditions"]
    plan = Plan.from_json(json.dumps(data))
    assert not plan.needs_approval
    assert (await lab.engine.apply(plan)).ok


async def test_a_file_of_a_newer_version_is_refused_and_says_so(lab: Any, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    plan = await lab.plan(web(2))
    path.write_text(json.dumps({**plan.to_dict(), "pmpcPlan": PLAN_VERSION + 1}))
    with pytest.raises(PlanVersionUnsupported, match=r"a newer pmpc wrote it \(format 4, this one"):
        Plan.load(path)
    for text, message in (("{}", "no version"), ('{"pmpcPlan": "1"}', "no version"), ("", "JSON")):
        path.write_text(text)
        with pytest.raises(PlanError, match=message):
            Plan.load(path)
    with pytest.raises(PlanError, match="No such file"):
        Plan.load(tmp_path / "none.json")


# -- why --


async def test_a_plan_says_why_each_step_is_there_and_why_a_restart(lab: Any) -> None:
    running = web(2) + "  restart: {policy: automatic}\n"
    await lab.applied(running)
    plan = await lab.plan(running.replace("cores: 2, memory: 2048", "cores: 4, memory: 4096"))
    assert all(step.reason for step in plan.steps)
    told = plan.explain()
    assert (
        "config.cores: 2 -> 4, effective after a restart: it is read when the guest starts" in told
    )
    assert "config.memory: 2048 -> 4096, effective after a restart: hot-plug of memory" in told
    (restart,) = [step for step in plan.steps if step.type == "restart"]
    assert restart.reason == (
        "cores: it is read when the guest starts, memory: hot-plug of memory is off; "
        "its restart policy is automatic"
    )
    assert restart.downtime == "restart"
    assert f"because {restart.reason}; downtime: restart" in told
    assert Plan.from_json(plan.to_json()).explain() == told


async def test_each_step_has_what_has_to_hold_and_what_undoes_it(lab: Any) -> None:
    new = await lab.plan(web(2))
    by_id = {step.id.rpartition("/")[2]: step for step in new.steps}
    assert new.preconditions(by_id["web-1#create"]) == (
        "it is nowhere on the cluster",
        "debian-13 (9000) is there",
    )
    undone = {name: step.inverse for name, step in by_id.items()}
    assert undone == {
        "shop#create": "delete it",
        "web-1#create": "delete it",
        "web-1#configure": "delete it",
        "web-1#start": "shut it down",
    }
    await lab.applied(web(2))
    vmid = lab.vmid("web-1")
    plan = await lab.plan(web(4))
    (step,) = plan.steps
    ours = f"guest {vmid} is still VirtualMachine/web-1 of release shop"
    assert plan.preconditions(step) == (ours, "config.cores is 2")
    assert (step.inverse, step.locks) == ("write the previous values", (f"guest:{vmid}",))
    assert f"only if {ours} and config.cores is 2" in plan.explain()
    assert plan.to_dict()["steps"][0]["preconditions"] == [ours, "config.cores is 2"]
    gone = await lab.engine.delete("shop")
    held = gone.preconditions(gone.steps[0])
    assert held == (ours, "it is not protected and holds no disk of others")


async def test_what_has_to_hold_is_looked_at_when_the_step_begins(lab: Any) -> None:
    """Identity: another guest took the vmid. Value: somebody changed it."""
    await lab.applied(web(2))
    plan = await lab.plan(web(4))
    vmid = lab.vmid("web-1")
    lab.cluster.edit(vmid, description="")
    lab.cluster.guests[vmid].config["smbios1"] = "uuid=11111111-2222-3333-4444-555555555555"
    lab.cluster.guests[vmid].config["vmgenid"] = "11111111-2222-3333-4444-555555555556"
    lab.cluster.guests[vmid].config.pop("net0")
    lab.forget_writes()
    (failed,) = (await lab.engine.apply(plan)).failed
    assert "is not VirtualMachine/web-1 any more" in failed.reason
    assert lab.writes == []
