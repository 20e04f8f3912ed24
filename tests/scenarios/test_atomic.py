"""Pain: a failed apply leaves the stack half old and half new.

All or nothing: after a failure at any step our fields are back to what they were, and what others
did meanwhile stays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pmpc_reconcile.engine import Reconciler
from pmpc_reconcile.errors import PlanRefused
from pmpc_reconcile.execute.report import Outcome
from pmpc_reconcile.live import LiveCluster
from pmpc_state.repositories.journal import JournalWriter
from proxmox_client import ApiError

BEFORE = """
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {name: web-1}
spec:
  source: {clone: {template: debian-13}}
  placement: {nodes: [pve1]}
  config: {cores: 2, memory: 1024, tags: [old], scsi0: {storage: shared}}
  state: running
  restart: {policy: automatic}
"""
AFTER = """
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
  placement: {nodes: [pve2]}
  pool: shop
  config: {cores: 4, memory: 1024, tags: [new], scsi0: {storage: local-lvm}}
  state: running
  restart: {policy: automatic}
---
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {name: web-2}
spec:
  source: {clone: {template: debian-13}}
  placement: {nodes: [pve1]}
  pool: shop
  config: {cores: 2, protection: true}
  state: running
"""
STEPS = (
    "Pool/shop#create",
    "VirtualMachine/web-1#migrate",
    "VirtualMachine/web-1#configure",
    "VirtualMachine/web-1#move-scsi0",
    "VirtualMachine/web-1#pool",
    "VirtualMachine/web-1#restart",
    "VirtualMachine/web-2#create",
    "VirtualMachine/web-2#configure",
    "VirtualMachine/web-2#start",
)
CALLS = {
    "Pool/shop#create": ("POST", "/pools", ""),
    "VirtualMachine/web-1#migrate": ("POST", "/migrate", "web-1"),
    "VirtualMachine/web-1#configure": ("PUT", "/config", "web-1"),
    "VirtualMachine/web-1#move-scsi0": ("POST", "/move_disk", "web-1"),
    "VirtualMachine/web-1#pool": ("PUT", "/pools/shop", ""),
    "VirtualMachine/web-1#restart": ("POST", "/status/reboot", "web-1"),
    "VirtualMachine/web-2#create": ("POST", "/clone", ""),
    "VirtualMachine/web-2#configure": ("PUT", "/config", "web-2"),
    "VirtualMachine/web-2#start": ("POST", "/status/start", "web-2"),
}
OURS = ("cores", "memory", "tags", "description", "boot", "agent", "net0", "name")


def broken() -> ApiError:
    return ApiError("broken", "POST", "/", node="pve1", status=500, reason="the disk is on fire")


def vmid_of(lab: Any, name: str) -> int | None:
    return next((vmid for vmid in lab.vmids() if lab.config(vmid).get("name") == name), None)


def refusing(monkeypatch: pytest.MonkeyPatch, lab: Any, step: str, *, after: bool) -> None:
    """Let the server refuse the call of a step once; `after` the effect was made."""
    method, end, name = CALLS[step]
    send = LiveCluster.write
    refused = False

    async def write(self: LiveCluster, verb: str, path: str, params: Any = None) -> Any:
        nonlocal refused
        meant = verb == method and path.endswith(end)
        if meant and name:
            meant = f"/{vmid_of(lab, name)}/" in path
        if not meant or refused:
            return await send(self, verb, path, params or {})
        refused = True
        if after:
            answer = await send(self, verb, path, params or {})
            if isinstance(answer, str) and answer.startswith("UPID"):
                await self.client.task(answer).wait()
        raise broken()

    monkeypatch.setattr(LiveCluster, "write", write)


def seen(lab: Any) -> dict[str, Any]:
    """What of the release can be seen."""
    vmid = lab.vmid("web-1")
    config = lab.config(vmid)
    return {
        "guests": lab.vmids(),
        "node": lab.cluster.guests[vmid].node,
        "status": lab.status(vmid),
        "pools": sorted(row["poolid"] for row in lab.cluster.call("GET", "/pools")),
        "storage": config["scsi0"].partition(":")[0],
        **{key: config.get(key) for key in OURS},
    }


def test_every_step_has_its_case() -> None:
    assert set(STEPS) == set(CALLS)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", STEPS)
async def test_a_failure_at_any_step_leaves_nothing_of_the_plan(
    lab: Any, monkeypatch: pytest.MonkeyPatch, step: str, after: bool
) -> None:
    await lab.applied(BEFORE)
    before, vmid = seen(lab), lab.vmid("web-1")
    plan = await lab.plan(AFTER)
    assert {item.id for item in plan.steps} == set(STEPS)
    lab.cluster.edit(vmid, onboot=1)
    refusing(monkeypatch, lab, step, after=after)
    report = await lab.engine.apply(plan, atomic=True)
    monkeypatch.undo()
    assert [item.step_id for item in report.failed] == [step]
    assert "on fire" in report.failed[0].reason
    assert report.taken_back, [item for item in report.undone if item.reason]
    assert seen(lab) == before
    assert str(lab.config(vmid)["onboot"]) == "1", "somebody else's edit"
    assert (await lab.plan(BEFORE)).empty
    notes = [(item.status.value, item.note) for item in await lab.engine.history("shop")]
    assert notes[1][0] == "failed"
    assert notes[2][0] == "applied"
    assert notes[2][1].startswith("back to 1: ")


async def test_a_field_somebody_changed_meanwhile_is_not_taken_back(
    lab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lab.applied(BEFORE)
    vmid = lab.vmid("web-1")
    plan = await lab.plan(AFTER)
    send = LiveCluster.write

    async def write(self: LiveCluster, verb: str, path: str, params: Any = None) -> Any:
        if path.endswith("/move_disk"):
            lab.cluster.edit(vmid, cores=8)
            raise broken()
        return await send(self, verb, path, params or {})

    monkeypatch.setattr(LiveCluster, "write", write)
    report = await lab.engine.apply(plan, atomic=True)
    monkeypatch.undo()
    assert report.taken_back
    assert str(lab.config(vmid)["cores"]) == "8"
    assert lab.config(vmid)["tags"] == "old"
    (item,) = (await lab.plan(BEFORE)).conflicts
    assert [change.path for change in item.conflicts] == ["config.cores"]


async def test_a_first_apply_that_fails_leaves_nothing_at_all(
    lab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = await lab.plan(AFTER.replace("placement: {nodes: [pve2]}", ""))
    send = LiveCluster.write

    async def write(self: LiveCluster, verb: str, path: str, params: Any = None) -> Any:
        if path.endswith("/status/start"):
            raise broken()
        return await send(self, verb, path, params or {})

    monkeypatch.setattr(LiveCluster, "write", write)
    report = await lab.engine.apply(plan, atomic=True)
    monkeypatch.undo()
    assert report.taken_back, [item for item in report.undone if item.reason]
    assert lab.vmids() == []
    assert lab.cluster.call("GET", "/pools") == []
    assert (await lab.plan(BEFORE)).counts() == {"create": 1}


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        ("scsi0: {storage: shared, size: 64G}", "nothing undoes it"),
        ("cipassword: other", "nobody knows the value config.cipassword had before"),
    ],
)
async def test_what_cannot_be_undone_is_refused_beforehand(lab: Any, wish: str, why: str) -> None:
    await lab.applied(BEFORE.replace("memory: 1024,", "memory: 1024, cipassword: one,"))
    plan = await lab.plan(
        BEFORE.replace("memory: 1024,", f"memory: 1024, {wish},")
        if "scsi0" not in wish
        else BEFORE.replace("scsi0: {storage: shared}", wish)
    )
    lab.forget_writes()
    with pytest.raises(PlanRefused, match="could not be undone") as caught:
        await lab.engine.apply(plan, atomic=True)
    assert why in str(caught.value)
    assert lab.writes == []


async def test_deleting_is_never_all_or_nothing(lab: Any) -> None:
    await lab.applied(BEFORE)
    with pytest.raises(PlanRefused, match="nothing undoes it"):
        await lab.engine.apply(await lab.engine.delete("shop"), atomic=True)


class PowerCut(BaseException):
    """Nothing of ours catches this."""


@pytest.mark.parametrize("phase", ["intend", "called", "done"])
async def test_killed_while_it_is_taken_back_the_next_run_goes_on_taking_back(
    lab: Any, monkeypatch: pytest.MonkeyPatch, phase: str
) -> None:
    await lab.applied(BEFORE)
    before = seen(lab)
    plan = await lab.plan(AFTER)
    refusing(monkeypatch, lab, "VirtualMachine/web-1#restart", after=False)
    write: Callable[..., None] = getattr(JournalWriter, phase)

    def write_and_fall(self: Any, run: str, step: str, *args: Any, **more: Any) -> None:
        write(self, run, step, *args, **more)
        if "#undo-configure|" in step:
            raise PowerCut

    monkeypatch.setattr(JournalWriter, phase, write_and_fall)
    with pytest.raises(PowerCut):
        await lab.engine.apply(plan, atomic=True)
    monkeypatch.undo()
    clock = lab.cluster.clock
    engine = Reconciler(lab.client, lab.state, "lab", now=clock.now, sleep=clock.asleep)
    report = await engine.apply(await engine.stored_plan(plan.id))
    assert all(item.outcome is Outcome.SKIPPED for item in report.results)
    assert report.taken_back, [item for item in report.undone if item.reason]
    assert seen(lab) == before
    assert (await lab.plan(BEFORE)).empty
