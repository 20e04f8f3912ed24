"""Pains: reboots for a tag; clean plan while old values run (bpg#2516); resize reverted (#1909)."""

from __future__ import annotations

from typing import Any

VM = """
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {name: web-1}
spec:
  source: {clone: {template: debian-13}}
  config: {CONFIG}
  state: STATE
  restart: {policy: POLICY}
"""


def web(config: str, state: str = "running", policy: str = "never") -> str:
    return VM.replace("CONFIG", config).replace("STATE", state).replace("POLICY", policy)


async def test_tags_are_live_and_cores_wait_and_nothing_more_is_written(lab: Any) -> None:
    await lab.applied(web("cores: 2"))
    vmid = int(lab.vmid("web-1"))
    plan = await lab.plan(web("cores: 4, tags: [a]"))
    item = plan.objects[0]
    assert item.effects == {"config.cores": "restart", "config.tags.a": "live"}
    assert item.restart == ("cores",)
    lab.forget_writes()
    report = await lab.engine.apply(plan)
    assert report.restart_required == ("VirtualMachine/web-1",)
    assert lab.writes == [f"PUT /nodes/pve1/qemu/{vmid}/config"]
    lab.forget_writes()
    for _ in range(20):
        plan = await lab.plan(web("cores: 4, tags: [a]"))
        assert plan.empty
        assert plan.objects[0].restart == ("cores",)
        await lab.engine.apply(plan)
    assert lab.writes == []


async def test_taking_a_pending_value_back_needs_no_restart(lab: Any) -> None:
    await lab.applied(web("cores: 2"))
    waiting = await lab.applied(web("cores: 4"))
    assert waiting.restart_required == ("VirtualMachine/web-1",)
    plan = await lab.plan(web("cores: 2"))
    assert plan.objects[0].effects == {"config.cores": "live"}
    assert plan.objects[0].restart == ()
    report = await lab.engine.apply(plan)
    assert report.ok
    assert report.restart_required == ()


async def test_with_automatic_restarts_there_is_exactly_one(lab: Any) -> None:
    await lab.applied(web("cores: 2", policy="automatic"))
    vmid = int(lab.vmid("web-1"))
    lab.forget_writes()
    await lab.applied(web("cores: 4, sockets: 2, tags: [a]", policy="automatic"))
    assert lab.writes == [
        f"PUT /nodes/pve1/qemu/{vmid}/config",
        f"POST /nodes/pve1/qemu/{vmid}/status/reboot",
    ]
    plan = await lab.plan(web("cores: 4, sockets: 2, tags: [a]", policy="automatic"))
    assert plan.empty
    assert plan.objects[0].restart == ()


async def test_a_resize_with_an_option_survives_stop_and_start(lab: Any) -> None:
    await lab.applied(web("scsi0: {size: 8G}"))
    vmid = int(lab.vmid("web-1"))
    text = "scsi0: {size: 20G, ssd: true}"
    plan = await lab.plan(web(text))
    assert [step.type for step in plan.steps] == ["resize", "configure"]
    await lab.applied(web(text))
    for verb in ("stop", "start"):
        node = lab.cluster.guests[vmid].node
        lab.cluster.call("POST", f"/nodes/{node}/qemu/{vmid}/status/{verb}")
        lab.cluster.clock.advance(30)
    assert "size=20G" in lab.config(vmid)["scsi0"]
    assert "ssd=1" in lab.config(vmid)["scsi0"]
    assert (await lab.plan(web(text))).empty


async def test_a_resize_alone_keeps_the_other_keys_of_the_disk(lab: Any) -> None:
    await lab.applied(web("scsi0: {size: 8G, ssd: true}"))
    await lab.applied(web("scsi0: {size: 20G, ssd: true}"))
    disk = lab.config(lab.vmid("web-1"))["scsi0"]
    assert "size=20G" in disk
    assert "ssd=1" in disk
    assert (await lab.plan(web("scsi0: {size: 20G, ssd: true}"))).empty


async def test_shrinking_is_refused_beforehand(lab: Any) -> None:
    await lab.applied(web("scsi0: {size: 20G}"))
    lab.forget_writes()
    plan = await lab.plan(web("scsi0: {size: 10G}"))
    assert plan.empty
    assert "cannot shrink" in plan.errors[0].message
    assert plan.errors[0].line is not None
    assert lab.writes == []


async def test_stopping_comes_first_so_that_nothing_has_to_wait(lab: Any) -> None:
    await lab.applied(web("cores: 2"))
    plan = await lab.plan(web("cores: 4", state="stopped"))
    assert [step.type for step in plan.steps] == ["shutdown", "configure"]
    await lab.applied(web("cores: 4", state="stopped"))
    assert lab.status(int(lab.vmid("web-1"))) == "stopped"
    assert (await lab.plan(web("cores: 4", state="stopped"))).empty


async def test_a_guest_somebody_stopped_is_started_again(lab: Any) -> None:
    await lab.applied(web("cores: 2"))
    vmid = int(lab.vmid("web-1"))
    node = lab.cluster.guests[vmid].node
    lab.cluster.call("POST", f"/nodes/{node}/qemu/{vmid}/status/stop")
    lab.cluster.clock.advance(30)
    report = await lab.applied(web("cores: 2"))
    assert [item.step_id for item in report.results] == ["VirtualMachine/web-1#start"]
    assert lab.status(vmid) == "running"


async def test_a_foreign_disk_is_never_in_a_diff(lab: Any) -> None:
    """Pain: a foreign disk is destroyed (Telmate#1206)."""
    await lab.applied(web("cores: 2"))
    vmid = int(lab.vmid("web-1"))
    lab.cluster.edit(vmid, scsi3="local-lvm:4")
    plan = await lab.plan(web("cores: 2"))
    assert plan.empty, plan.explain()
    await lab.applied(web("cores: 4"))
    assert "scsi3" in lab.config(vmid)


async def test_neither_plan_nor_apply_asks_the_guests_agent(lab: Any) -> None:
    """Pain: a plan hangs on an agent that does not answer (Telmate#1339)."""
    asked: list[str] = []
    ask = lab.recorder.inner.handle_async_request

    async def listening(request: Any) -> Any:
        asked.append(request.url.path)
        return await ask(request)

    lab.recorder.inner.handle_async_request = listening
    with_agent = "cores: 2, agent: {enabled: true}"
    await lab.applied(web(with_agent, policy="automatic"))
    began = lab.cluster.clock.now()
    assert (await lab.plan(web(with_agent, policy="automatic"))).empty
    assert lab.cluster.clock.now() - began < 1
    await lab.applied(web(with_agent.replace("2", "4"), policy="automatic"))
    assert (await lab.apply(web(with_agent.replace("2", "4"), "stopped"))).ok
    assert asked
    assert not [path for path in asked if "/agent" in path]
