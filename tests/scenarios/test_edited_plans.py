"""Pain: a plan reviewed as one thing is applied as another, or to another cluster."""

from __future__ import annotations

import json
from typing import Any

import attrs
import pytest

from pmpc_reconcile.engine import Reconciler
from pmpc_reconcile.errors import PlanRefused
from pmpc_reconcile.plans.model import Plan

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
  config: {cores: 2, memory: 2048}
"""


def take_a_step(data: dict[str, Any]) -> None:
    data["steps"].pop()


def want_another_value(data: dict[str, Any]) -> None:
    data["objects"][1]["desired"].update({"config.cores": 64})


def need_no_approval(data: dict[str, Any]) -> None:
    data.update(needs_approval=False)


def name_another_release(data: dict[str, Any]) -> None:
    data.update(release="other")


def claim_another_proof(data: dict[str, Any]) -> None:
    data["objects"][1].update(marker_id="0" * 16)


@pytest.mark.parametrize(
    "edit",
    [
        take_a_step,
        want_another_value,
        need_no_approval,
        name_another_release,
        claim_another_proof,
    ],
)
async def test_a_plan_file_edited_by_hand_is_refused(lab: Any, tmp_path: Any, edit: Any) -> None:
    plan = await lab.plan(STACK, needs_approval=True)
    plan.save(tmp_path / "plan.json")
    data = json.loads((tmp_path / "plan.json").read_text())
    edit(data)
    (tmp_path / "plan.json").write_text(json.dumps(data))
    changed = Plan.load(tmp_path / "plan.json")
    clock = lab.cluster.clock
    bert = Reconciler(lab.client, lab.state, "lab", now=clock.now, sleep=clock.asleep, actor="bert")
    await bert.approve(plan.id)
    with pytest.raises(PlanRefused, match=r"not what was stored|needs the approval"):
        await lab.engine.apply(changed)
    assert lab.writes == []
    plan.save(tmp_path / "plan.json")
    assert (await lab.engine.apply(Plan.load(tmp_path / "plan.json"))).ok


async def test_a_plan_of_another_cluster_is_refused(lab: Any) -> None:
    plan = attrs.evolve(await lab.plan(STACK), cluster="away")
    with pytest.raises(PlanRefused, match="is for cluster 'away', and this is 'lab'"):
        await lab.engine.apply(plan)
    assert lab.writes == []
