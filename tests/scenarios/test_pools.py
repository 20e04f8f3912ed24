"""Pools declared with their members, by vmid and by address."""

from __future__ import annotations

from typing import Any

STACK = """
apiVersion: pmpc/v1
kind: Pool
metadata: {name: shop}
spec:
  comment: COMMENT
  guests: [MEMBERS]
  storage: [shared]
---
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {name: web-1}
spec:
  source: {clone: {template: debian-13}}
"""


def stack(members: str, comment: str = "ours") -> str:
    return STACK.replace("MEMBERS", members).replace("COMMENT", comment)


def members(lab: Any) -> set[Any]:
    rows = lab.cluster.call("GET", "/pools/shop")["members"]
    return {row.get("vmid", row.get("storage")) for row in rows}


async def test_members_that_are_made_by_the_same_plan(lab: Any) -> None:
    text = stack("VirtualMachine/web-1, 9000")
    await lab.applied(text)
    assert members(lab) == {lab.vmid("web-1"), 9000, "shared"}
    lab.forget_writes()
    plan = await lab.plan(text)
    assert plan.empty, plan.explain()
    await lab.engine.apply(plan)
    assert (await lab.plan(text)).empty
    assert lab.writes == []


async def test_members_and_comment_change_and_foreign_members_stay(lab: Any) -> None:
    await lab.applied(stack("9000"))
    lab.cluster.add_vm("pve1", 800, {"name": "theirs"})
    lab.cluster.call("PUT", "/pools/shop", {"vms": "800"})
    await lab.applied(stack("VirtualMachine/web-1", comment="other words"))
    assert members(lab) == {lab.vmid("web-1"), 800, "shared"}
    comment = lab.cluster.call("GET", "/pools/shop")["comment"]
    assert comment.startswith("other words\n")
    assert "managed-by: pmpc" in comment


async def test_an_edited_comment_is_a_conflict_and_keeps_the_marker_rule(lab: Any) -> None:
    await lab.applied(stack("9000"))
    lab.cluster.call("PUT", "/pools/shop", {"comment": "alice's words"})
    plan = await lab.plan(stack("9000"))
    assert [change.path for change in plan.object("Pool/shop").conflicts] == ["comment"]
    report = await lab.apply(stack("9000"), resolve={"comment": "ours"})
    assert report.ok, [item.reason for item in report.failed]
    assert (await lab.plan(stack("9000"))).empty
