"""Pain: HA moved a VM and the tool replaces it (bpg#2081); acts on the node it was on."""

from __future__ import annotations

from typing import Any

WEB = """
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {name: web-1}
spec:
  PLACEMENT
  source: {clone: {template: debian-13, storage: shared}}
  config: {cores: CORES, memory: 2048}
  state: running
"""


def web(cores: int, placement: str = "") -> str:
    return WEB.replace("CORES", str(cores)).replace("PLACEMENT", placement)


def move(lab: Any, vmid: int, node: str) -> None:
    """Let HA move a guest: it is elsewhere, nothing of it changed."""
    lab.cluster.guests[vmid].node = node


async def test_moved_between_plan_and_apply_the_update_lands_where_it_is(lab: Any) -> None:
    await lab.applied(web(2))
    vmid = int(lab.vmid("web-1"))
    plan = await lab.plan(web(4))
    move(lab, vmid, "pve3")
    lab.forget_writes()
    report = await lab.engine.apply(plan)
    assert report.ok, [item.reason for item in report.failed]
    assert lab.writes == [f"PUT /nodes/pve3/qemu/{vmid}/config"]
    assert lab.vmids() == [vmid]


async def test_moved_before_the_plan_nothing_is_replaced(lab: Any) -> None:
    await lab.applied(web(2))
    vmid = int(lab.vmid("web-1"))
    move(lab, vmid, "pve2")
    plan = await lab.plan(web(2))
    assert plan.empty, plan.explain()
    assert plan.objects[0].node == "pve2"


async def test_a_node_the_placement_excludes_makes_exactly_one_migration(lab: Any) -> None:
    await lab.applied(web(2))
    vmid = int(lab.vmid("web-1"))
    lab.forget_writes()
    text = web(2, "placement: {nodes: [pve2, pve3]}")
    plan = await lab.plan(text)
    assert [step.type for step in plan.steps] == ["migrate"]
    report = await lab.engine.apply(plan)
    assert report.ok, [item.reason for item in report.failed]
    assert len(lab.writes) == 1
    assert lab.cluster.guests[vmid].node == "pve2"
    assert lab.status(vmid) == "running"
    assert (await lab.plan(text)).empty


async def test_a_guest_on_a_dead_node_is_unknown_and_not_made_again(lab: Any) -> None:
    await lab.applied(web(2))
    vmid = int(lab.vmid("web-1"))
    move(lab, vmid, "pve3")
    lab.cluster.nodes["pve3"].online = False
    lab.cluster.clock.advance(20)
    lab.forget_writes()
    plan = await lab.plan(web(4))
    assert plan.counts() == {"unknown": 1}
    assert plan.empty
    assert "does not answer" in plan.diagnostics[0].message
    gone = await lab.engine.delete("shop")
    assert gone.empty
    assert lab.writes == []


async def test_started_at_its_former_node_it_ends_at_the_right_one(lab: Any) -> None:
    """The former node answers 200 with a task that fails: nothing has happened."""
    await lab.applied(web(2).replace("running", "stopped"))
    vmid = int(lab.vmid("web-1"))
    ask = lab.recorder.inner.handle_async_request

    async def moved_just_now(request: Any) -> Any:
        if request.url.path.endswith(f"/nodes/pve1/qemu/{vmid}/status/start"):
            move(lab, vmid, "pve3")
        return await ask(request)

    lab.recorder.inner.handle_async_request = moved_just_now
    lab.forget_writes()
    report = await lab.apply(web(2))
    assert report.ok, [item.reason for item in report.failed]
    assert lab.writes == [
        f"POST /nodes/pve1/qemu/{vmid}/status/start",
        f"POST /nodes/pve3/qemu/{vmid}/status/start",
    ]
    assert lab.status(vmid) == "running"


async def test_moved_just_before_the_write_the_write_follows(lab: Any) -> None:
    await lab.applied(web(2))
    vmid = int(lab.vmid("web-1"))
    ask = lab.recorder.inner.handle_async_request

    async def moved_just_now(request: Any) -> Any:
        if request.method == "PUT" and "/pve1/" in request.url.path:
            move(lab, vmid, "pve2")
        return await ask(request)

    lab.recorder.inner.handle_async_request = moved_just_now
    report = await lab.apply(web(4))
    assert report.ok, [item.reason for item in report.failed]
    assert str(lab.config(vmid)["cores"]) == "4"
    assert lab.vmids() == [vmid]
