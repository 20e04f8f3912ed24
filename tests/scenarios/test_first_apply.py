"""Pain: shows diffs for ever; a second apply writes again (bpg#2199, #321, #850, #1083)."""

from __future__ import annotations

from typing import Any

from pmpc_reconcile.manifests import load_text
from pmpc_reconcile.plans.model import Plan
from pmpc_state import State

WEB = """
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
  config:
    description: mine
    cores: 2
    memory: 2048
    scsi0: {size: 16G}
    net0: {model: virtio, bridge: vmbr0, tag: 20}
    tags: [web, prod]
  state: running
---
apiVersion: pmpc/v1
kind: Container
metadata: {name: cache-1}
spec:
  source: {template: "local:vztmpl/debian-13-standard.tar.zst"}
  pool: shop
  config:
    cores: 1
    memory: 512
    rootfs: {storage: local-lvm, size: 8G}
    net0: {name: eth0, bridge: vmbr0, ip: dhcp}
  state: running
"""


async def test_a_stack_is_made_as_declared(lab: Any) -> None:
    plan = await lab.plan(WEB)
    assert not plan.diagnostics, [item.render() for item in plan.diagnostics]
    assert plan.counts() == {"create": 3}
    report = await lab.engine.apply(plan)
    assert report.ok, [result.reason for result in report.results]
    web = lab.config(lab.vmid("web-1"))
    assert str(web["cores"]) == "2"
    assert "size=16G" in web["scsi0"]
    assert "tag=20" in web["net0"]
    assert web["tags"] == "prod;web"
    assert web["description"].startswith("mine\n")
    assert "managed-by: pmpc release=shop object=VirtualMachine/web-1" in web["description"]
    assert lab.status(lab.vmid("web-1")) == "running"
    assert lab.status(lab.vmid("cache-1")) == "running"
    members = lab.cluster.call("GET", "/pools/shop")["members"]
    assert {item["vmid"] for item in members} == set(lab.vmids())


async def test_applied_again_it_writes_nothing(lab: Any) -> None:
    await lab.applied(WEB)
    lab.forget_writes()
    for _ in range(3):
        plan = await lab.plan(WEB)
        assert plan.empty, plan.explain()
        report = await lab.engine.apply(plan)
        assert report.ok
        assert report.revision is None
    assert lab.writes == []
    history = await lab.engine.history("shop")
    assert [item.number for item in history] == [1]


async def test_a_plan_loaded_from_text_does_the_same(lab: Any) -> None:
    plan = Plan.from_json((await lab.plan(WEB)).to_json())
    report = await lab.engine.apply(plan)
    assert report.ok, [result.reason for result in report.results]
    assert (await lab.plan(WEB)).empty


async def test_the_database_can_be_lost(lab: Any, tmp_path: Any) -> None:
    """Pain: without its state file a tool makes everything again."""
    await lab.applied(WEB)
    lab.forget_writes()
    with State.open(f"sqlite:///{tmp_path / 'new.db'}", now=lab.cluster.clock.now) as state:
        engine = lab.engine_on(state)
        plan = await engine.plan(load_text(WEB), "shop")
        assert plan.empty, plan.explain()
        assert (await engine.apply(plan)).ok
        assert lab.writes == []
        gone = await engine.delete("shop")
        assert (await engine.apply(gone)).ok
    assert lab.vmids() == []
