"""Pain: a plan that can never work: PVE moves no volume of a running container, nor a TPM's state.

Such a change waits until the guest is stopped, whatever its restart policy, and says so.
"""

from __future__ import annotations

from typing import Any

import pytest

CT = """
apiVersion: pmpc/v1
kind: Container
metadata: {name: cache-1}
spec:
  placement: {nodes: [pve1]}
  source: {template: "local:vztmpl/debian-13-standard.tar.zst"}
  config:
    memory: 512
    hostname: NAME
    rootfs: {storage: local-lvm, size: 4G}
    mp0: {storage: STORAGE, size: 5G, mp: /srv}
  restart: {policy: POLICY}
  STATE
"""
ADDRESS = "Container/cache-1"
VM = """
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {name: web-1}
spec:
  source: {clone: {template: debian-13}}
  config:
    bios: ovmf
    efidisk0: {storage: STORAGE, efitype: 4m}
    tpmstate0: {storage: STORAGE, version: v2.0}
  state: running
"""


def ct(storage: str, policy: str = "never", state: str = "", name: str = "cache-1") -> str:
    text = CT.replace("STORAGE", storage).replace("POLICY", policy).replace("NAME", name)
    return text.replace("STATE", state)


async def running(lab: Any, policy: str = "never") -> int:
    await lab.applied(ct("local-lvm", policy))
    (vmid,) = lab.vmids()
    lab.cluster.call("POST", f"/nodes/pve1/lxc/{vmid}/status/start")
    lab.cluster.clock.advance(30)
    lab.forget_writes()
    return int(vmid)


def conditions(report: Any, address: str = ADDRESS) -> dict[str, tuple[str, str]]:
    found = report.conditions[address]
    return {item.type.value: (item.status.value, item.reason) for item in found}


@pytest.mark.parametrize("policy", ["never", "on-demand", "automatic"])
async def test_it_waits_whatever_the_policy_and_writes_nothing(lab: Any, policy: str) -> None:
    await running(lab, policy)
    for _ in range(3):
        plan = await lab.plan(ct("local", policy), restart=("*",))
        assert plan.empty, plan.explain()
        assert "mp0 is moved only while the guest is stopped: stop it" in plan.explain()
        report = await lab.engine.apply(plan)
        assert report.restart_required == (ADDRESS,)
        said = conditions(report)
        assert said["Synced"] == ("false", "NeedsStop")
        assert said["RestartRequired"] == ("true", "NeedsStop")
        assert said["Conflict"] == ("false", "NoConflict")
    assert lab.writes == []


async def test_what_can_be_done_is_done_and_no_restart_is_wasted_on_it(lab: Any) -> None:
    vmid = await running(lab, "automatic")
    report = await lab.applied(ct("local", "automatic", name="other"))
    assert [item.step_id for item in report.done] == [f"{ADDRESS}#configure"]
    assert conditions(report)["Synced"] == ("false", "NeedsStop")
    assert lab.config(vmid)["hostname"] == "other"
    assert lab.config(vmid)["mp0"].startswith("local-lvm:")


async def test_once_stopped_the_next_apply_moves_it(lab: Any) -> None:
    vmid = await running(lab)
    await lab.applied(ct("local"))
    lab.cluster.call("POST", f"/nodes/pve1/lxc/{vmid}/status/stop")
    lab.cluster.clock.advance(30)
    report = await lab.applied(ct("local", state="state: running"))
    assert [item.step_id.partition("#")[2] for item in report.done] == ["move-mp0", "start"]
    assert lab.config(vmid)["mp0"].startswith("local:")
    assert conditions(report)["Synced"] == ("true", "AsDeclared")
    assert (await lab.plan(ct("local", state="state: running"))).empty


async def test_declaring_it_stopped_is_enough(lab: Any) -> None:
    vmid = await running(lab)
    report = await lab.applied(ct("local", state="state: stopped"))
    assert [item.step_id.partition("#")[2] for item in report.done] == ["shutdown", "move-mp0"]
    assert lab.config(vmid)["mp0"].startswith("local:")


async def test_somebody_who_moves_it_meanwhile_is_no_conflict(lab: Any) -> None:
    vmid = await running(lab)
    await lab.applied(ct("local"))
    lab.cluster.call("POST", f"/nodes/pve1/lxc/{vmid}/status/stop")
    lab.cluster.clock.advance(30)
    moved = {"volume": "mp0", "storage": "local", "delete": 1}
    lab.cluster.call("POST", f"/nodes/pve1/lxc/{vmid}/move_volume", moved)
    lab.cluster.clock.advance(120)
    plan = await lab.plan(ct("local"))
    assert (plan.empty, plan.conflicts) == (True, ())


async def test_a_machine_moves_its_efi_disk_running_and_its_tpm_state_stopped(lab: Any) -> None:
    await lab.applied(VM.replace("STORAGE", "local-lvm"))
    vmid = lab.vmid("web-1")
    text = VM.replace("STORAGE", "local")
    report = await lab.applied(text)
    assert [item.step_id.partition("#")[2] for item in report.done] == ["move-efidisk0"]
    assert lab.config(vmid)["tpmstate0"].startswith("local-lvm:")
    assert conditions(report, "VirtualMachine/web-1")["Synced"] == ("false", "NeedsStop")
    await lab.applied(text.replace("state: running", "state: stopped"))
    assert lab.config(vmid)["tpmstate0"].startswith("local:")
    await lab.applied(text)
    assert (await lab.plan(text)).empty
