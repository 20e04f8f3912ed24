"""Pain: a reused vmid destroys a stranger (CAPMOX#856); two creators take one id (bpg#1521)."""

from __future__ import annotations

from typing import Any

from pmpc_reconcile.plans.model import ObjectAction

WEB = """
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {name: web-1}
spec:
  source: {clone: {template: debian-13}}
  config: {cores: 2}
"""


def destroy(lab: Any, vmid: int) -> None:
    guest = lab.cluster.guests[vmid]
    lab.cluster.call("DELETE", f"/nodes/{guest.node}/qemu/{vmid}")
    lab.cluster.clock.advance(30)
    assert vmid not in lab.cluster.guests


async def test_a_stranger_with_our_vmid_is_never_touched(lab: Any) -> None:
    await lab.applied(WEB)
    vmid = int(lab.vmid("web-1"))
    destroy(lab, vmid)
    lab.cluster.add_vm("pve2", vmid, {"name": "theirs", "cores": 3}, status="running")
    before = dict(lab.config(vmid))
    plan = await lab.plan(WEB.replace("cores: 2", "cores: 4"))
    assert plan.objects[0].action is ObjectAction.CREATE
    assert "theirs on pve2" in plan.objects[0].notes[0]
    assert (await lab.engine.apply(plan)).ok
    assert dict(lab.config(vmid)) == before
    assert lab.vmid("web-1") != vmid


async def test_deleting_the_release_spares_the_stranger(lab: Any) -> None:
    await lab.applied(WEB)
    vmid = int(lab.vmid("web-1"))
    destroy(lab, vmid)
    lab.cluster.add_vm("pve2", vmid, {"name": "theirs"}, status="running")
    lab.forget_writes()
    plan = await lab.engine.delete("shop")
    assert plan.counts() == {"forget": 1}
    assert "it is left alone" in plan.explain()
    assert (await lab.engine.apply(plan)).ok
    assert lab.writes == []
    assert lab.status(vmid) == "running"


async def test_a_stranger_that_comes_between_plan_and_delete_is_spared(lab: Any) -> None:
    await lab.applied(WEB)
    vmid = int(lab.vmid("web-1"))
    plan = await lab.engine.delete("shop")
    destroy(lab, vmid)
    lab.cluster.add_vm("pve1", vmid, {"name": "theirs"})
    lab.forget_writes()
    assert (await lab.engine.apply(plan)).ok
    assert lab.writes == []


async def test_a_rival_that_takes_our_vmid_first_costs_only_another_one(lab: Any) -> None:
    taken: list[int] = []
    ask = lab.recorder.inner.handle_async_request

    async def rival(request: Any) -> Any:
        if request.method == "POST" and request.url.path.endswith("/clone") and not taken:
            taken.append(100)
            lab.cluster.add_vm("pve2", 100, {"name": "rival"})
        return await ask(request)

    lab.recorder.inner.handle_async_request = rival
    report = await lab.applied(WEB)
    assert lab.config(100)["name"] == "rival"
    assert lab.vmid("web-1") != 100
    assert report.results[0].wrote == 2
    assert len([vmid for vmid in lab.vmids() if vmid != 100]) == 1


async def test_a_vmid_asked_for_that_is_taken_is_refused_beforehand(lab: Any) -> None:
    lab.cluster.add_vm("pve2", 500, {"name": "theirs"})
    plan = await lab.plan(WEB.replace("spec:", "spec:\n  vmid: 500"))
    assert plan.empty
    assert "vmid 500 belongs to another guest (theirs on pve2)" in plan.errors[0].message


async def test_a_clone_of_our_guest_is_not_taken_for_it(lab: Any) -> None:
    await lab.applied(WEB)
    vmid = int(lab.vmid("web-1"))
    node = lab.cluster.guests[vmid].node
    lab.cluster.call("POST", f"/nodes/{node}/qemu/{vmid}/clone", {"newid": 700, "full": 1})
    lab.cluster.clock.advance(120)
    assert "managed-by: pmpc" in lab.config(700)["description"]
    plan = await lab.plan(WEB)
    assert plan.empty, plan.explain()
    assert plan.objects[0].vmid == vmid
    await lab.engine.apply(await lab.engine.delete("shop"))
    assert lab.vmids() == [700]


async def test_many_guests_made_at_once_get_different_ids(lab: Any) -> None:
    text = "\n---\n".join(WEB.replace("web-1", f"web-{number}") for number in range(12))
    report = await lab.applied(text)
    assert [item.wrote for item in report.results] == [1] * 24, "no clone met another's id"
    assert len(set(lab.vmids())) == 12
