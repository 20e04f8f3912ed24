"""Pains: lock time-outs unless parallelism is 1 (bpg#995); a lost answer makes a duplicate."""

from __future__ import annotations

from typing import Any

import pytest

from pmpc_reconcile.events import StepWaiting
from pmpc_reconcile.execute.report import Outcome

VM = """
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {name: NAME}
spec:
  source: {clone: {template: debian-13}}
  config: {cores: CORES, memory: 2048}
"""


def web(cores: int = 2, name: str = "web-1") -> str:
    return VM.replace("NAME", name).replace("CORES", str(cores))


@pytest.mark.parametrize("end", ["/clone", "/config"])
async def test_a_lost_answer_is_resolved_by_looking(lab: Any, end: str) -> None:
    lab.recorder.lose = {end}
    await lab.applied(web())
    assert len(lab.vmids()) == 1
    assert lab.writes.count("POST /nodes/pve1/qemu/9000/clone") == 1
    assert (await lab.plan(web())).empty


@pytest.mark.parametrize("end", ["/status/start", "/resize"])
async def test_a_lost_answer_of_a_task_is_not_sent_twice(lab: Any, end: str) -> None:
    text = web().replace("config: {", "state: running\n  config: {scsi0: {size: 20G}, ")
    lab.recorder.lose = {end}
    await lab.applied(text)
    assert len([name for name in lab.writes if name.endswith(end)]) == 1
    assert (await lab.plan(text)).empty


async def test_a_lost_answer_of_a_delete_is_resolved_by_looking(lab: Any) -> None:
    await lab.applied(web())
    vmid = lab.vmid("web-1")
    lab.recorder.lose = {f"/qemu/{vmid}"}
    assert (await lab.engine.apply(await lab.engine.delete("shop"))).ok
    assert lab.vmids() == []


async def test_a_locked_guest_is_waited_for(lab: Any) -> None:
    await lab.applied(web(2))
    vmid = int(lab.vmid("web-1"))
    guest = lab.cluster.guests[vmid]
    guest.config["lock"] = "backup"
    lab.cluster.clock.after(60, lambda: guest.config.pop("lock"))
    report = await lab.applied(web(4))
    assert report.results[0].seconds >= 50
    waits = [event.reason for event in lab.events if isinstance(event, StepWaiting)]
    assert waits == [f"guest {vmid} is locked (backup)"]
    assert lab.config(vmid)["cores"] == 4


async def test_a_lock_that_stays_is_given_up_with_its_name(lab: Any) -> None:
    await lab.applied(web(2))
    lab.cluster.guests[int(lab.vmid("web-1"))].config["lock"] = "backup"
    lab.forget_writes()
    report = await lab.apply(web(4))
    assert "locked (backup)" in report.failed[0].reason
    assert lab.writes == []


async def test_one_failure_skips_only_what_needs_it(lab: Any) -> None:
    await lab.applied(web(2, "web-1") + "\n---" + web(2, "web-2"))
    first = int(lab.vmid("web-1"))
    lab.cluster.guests[first].config["lock"] = "backup"
    texts = [web(4, name) + "  state: running\n" for name in ("web-1", "web-2")]
    report = await lab.apply("\n---".join(texts))
    outcome = {item.step_id: item.outcome for item in report.results}
    assert outcome == {
        "VirtualMachine/web-1#configure": Outcome.FAILED,
        "VirtualMachine/web-1#start": Outcome.SKIPPED,
        "VirtualMachine/web-2#configure": Outcome.DONE,
        "VirtualMachine/web-2#start": Outcome.DONE,
    }
    history = await lab.engine.history("shop")
    assert history[-1].status.value == "partial"
    del lab.cluster.guests[first].config["lock"]
    await lab.applied("\n---".join(texts))
    assert lab.status(first) == "running"


async def test_without_quorum_nothing_is_sent_until_it_is_back(lab: Any) -> None:
    """A resize or delete without quorum would be done by half."""
    await lab.applied(web(2))
    grown = web(2).replace("cores: 2", "cores: 2, scsi0: {size: 20G}")
    plan = await lab.plan(grown)
    lab.forget_writes()
    for name in ("pve2", "pve3"):
        lab.cluster.nodes[name].online = False
    sent_without: list[str] = []

    def back() -> None:
        sent_without.extend(lab.writes)
        for name in ("pve2", "pve3"):
            lab.cluster.nodes[name].online = True

    lab.cluster.clock.after(120, back)
    report = await lab.engine.apply(plan)
    assert report.ok, [item.reason for item in report.failed]
    assert sent_without == []
    assert "size=20G" in lab.config(int(lab.vmid("web-1")))["scsi0"]


async def test_what_a_guest_refers_to_and_is_not_there_fails_at_once(lab: Any) -> None:
    """Not a reason to look for the guest elsewhere, nor to send anything again."""
    await lab.applied(web(2))
    lab.forget_writes()
    text = web(2).replace("cores: 2", "cores: 2, ide2: {volume: 'local:iso/no.iso', media: cdrom}")
    report = await lab.apply(text.replace("config:", "state: running\n  config:"))
    assert report.failed, report
    assert "no.iso" in report.failed[0].reason
    assert len(lab.writes) <= 2
    assert report.failed[0].seconds < 30
