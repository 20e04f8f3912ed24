"""Pain: a plan that waits a quarter of an hour for a node that was mistyped, or fails half way.

What a change of an existing guest needs and the cluster does not have is said in the plan.
"""

from __future__ import annotations

from typing import Any

import pytest

from pmpc_reconcile.errors import PlanRefused

VM = """
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {name: web-1}
spec:
  source: {clone: {template: debian-13}}
  config: {cores: 1OPTIONS}
  MORE
"""
LOCAL = ", scsi1: {storage: local-lvm, size: 1G}"


def vm(options: str = "", more: str = "") -> str:
    return VM.replace("OPTIONS", options).replace("MORE", more)


@pytest.mark.parametrize(
    ("options", "more", "line", "words", "hint"),
    [
        (LOCAL, "placement: {nodes: [pv2]}", 8, "the cluster has no node pv2", "'pve2'"),
        (LOCAL, "placement: {nodes: [pve2]}", 8, "cannot be migrated to pve2", "is on pve1"),
        (", scsi1: {storage: local-lvn, size: 1G}", "", 7, "no storage local-lvn", "'local-lvm'"),
        (LOCAL + ", scsi2: {storage: two, size: 1G}", "", 7, "two is not on pve1", "is on pve2"),
        (LOCAL, "pool: shop", 8, "there is no pool shop", "kind Pool"),
    ],
)
async def test_what_is_not_there_is_refused_with_its_line(
    lab: Any, options: str, more: str, line: int, words: str, hint: str
) -> None:
    lab.cluster.call("PUT", "/storage/local-lvm", {"nodes": "pve1"})
    two = {"storage": "two", "type": "dir", "path": "/two", "content": "images", "nodes": "pve2"}
    lab.cluster.call("POST", "/storage", two)
    await lab.applied(vm(LOCAL))
    lab.forget_writes()
    plan = await lab.plan(vm(options, more))
    (found,) = plan.errors
    assert words in found.message
    assert found.line == line
    assert hint in str(found.hint)
    with pytest.raises(PlanRefused):
        await lab.engine.apply(plan)
    assert lab.writes == []


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("placement: {nodes: [pve1, pve9]}", "the cluster has no node pve9"),
        ("vmid: 200", "a guest keeps its vmid: 200 has no effect"),
    ],
)
async def test_what_does_no_harm_is_a_warning(lab: Any, more: str, words: str) -> None:
    await lab.applied(vm())
    plan = await lab.plan(vm(more=more))
    (found,) = plan.diagnostics
    assert words in found.message
    assert not found.is_error
    assert plan.empty
    assert (await lab.engine.apply(plan)).ok


async def test_a_pool_the_plan_makes_is_there(lab: Any) -> None:
    await lab.applied(vm())
    pool = "---\napiVersion: pmpc/v1\nkind: Pool\nmetadata: {name: shop}\nspec: {comment: c}\n"
    await lab.applied(vm(more="pool: shop") + pool)
    members = lab.cluster.call("GET", "/pools/shop")["members"]
    assert [str(member["vmid"]) for member in members] == [str(vmid) for vmid in lab.vmids()]
