"""Pain: stopped at any moment, a tool duplicates or orphans guests.

The same as `test_kill`, at every phase of every call, in one process: the journal is cut off right
after it wrote a phase, and another engine on the same database goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pmpc_reconcile.engine import Reconciler
from pmpc_reconcile.manifests import load_text
from pmpc_state.repositories.journal import JournalWriter

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
  config: {cores: 2, scsi0: {size: 16G}}
  state: running
---
apiVersion: pmpc/v1
kind: Container
metadata: {name: cache-1}
spec:
  source: {template: "local:vztmpl/debian-13-standard.tar.zst"}
  config: {cores: 1, memory: 512, rootfs: {storage: local-lvm, size: 8G}}
  state: running
"""
ALL_PHASES = ("intend", "called", "upid", "done", "verified")
CALLS = (
    "Pool/shop#create|create",
    "VirtualMachine/web-1#create|clone",
    "VirtualMachine/web-1#resize-scsi0|resize scsi0",
    "VirtualMachine/web-1#configure|write options",
    "VirtualMachine/web-1#start|start",
    "Container/cache-1#create|create",
    "Container/cache-1#start|start",
)
SYNCHRONOUS = ("Pool/shop#create|create", "VirtualMachine/web-1#configure|write options")
POINTS = [
    (call, phase)
    for call in CALLS
    for phase in ALL_PHASES
    if not (phase == "upid" and call in SYNCHRONOUS)
]
EARLY_POINTS = [point for point in POINTS if point[1] in ("intend", "called", "upid")]


class PowerCut(BaseException):
    """Nothing of ours catches this."""


@pytest.fixture
def cut(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Return what lets the power go off right after a phase of a call was written."""

    def arrange(call: str, phase: str) -> None:
        write = getattr(JournalWriter, phase)
        fallen = False

        def write_and_fall(self: Any, run: str, step: str, *args: Any, **more: Any) -> None:
            nonlocal fallen
            if fallen:
                raise PowerCut  # nothing of this process gets through any more
            write(self, run, step, *args, **more)
            if step == call:
                fallen = True
                raise PowerCut

        monkeypatch.setattr(JournalWriter, phase, write_and_fall)

    return arrange


def another_engine(lab: Any) -> Reconciler:
    return Reconciler(
        lab.client, lab.state, "lab", now=lab.cluster.clock.now, sleep=lab.cluster.clock.asleep
    )


def check(lab: Any) -> None:
    assert len(lab.vmids()) == 2, "duplicated or lost"
    for end in ("/clone", "/pools", "/resize", "/lxc"):
        assert len([name for name in lab.writes if name.endswith(end)]) == 1, lab.writes
    assert lab.status(lab.vmid("web-1")) == "running"
    assert lab.status(lab.vmid("cache-1")) == "running"
    assert "size=16G" in lab.config(lab.vmid("web-1"))["scsi0"]


@pytest.mark.parametrize(("call", "phase"), POINTS)
async def test_the_same_plan_goes_on(
    lab: Any, cut: Any, monkeypatch: pytest.MonkeyPatch, call: str, phase: str
) -> None:
    plan = await lab.plan(STACK)
    cut(call, phase)
    with pytest.raises(PowerCut):
        await lab.engine.apply(plan)
    monkeypatch.undo()
    engine = another_engine(lab)
    report = await engine.apply(await engine.stored_plan(plan.id))
    assert report.ok, [item.reason for item in report.results]
    check(lab)
    assert (await engine.plan(load_text(STACK), "shop")).empty
    assert [item.status.value for item in await engine.history("shop")] == ["applied"]


@pytest.mark.parametrize("phase", ["intend", "called", "upid"])
@pytest.mark.parametrize("call", ["VirtualMachine/web-1#create|clone"])
async def test_a_new_plan_goes_on_when_the_guest_was_deleted_by_somebody_before(
    lab: Any, cut: Any, monkeypatch: pytest.MonkeyPatch, call: str, phase: str
) -> None:
    """The record of the former guest does not stand in the way of the one made in its place."""
    await lab.applied(STACK)
    vmid = lab.vmid("web-1")
    node = lab.cluster.guests[vmid].node
    lab.cluster.call("POST", f"/nodes/{node}/qemu/{vmid}/status/stop")
    lab.cluster.clock.advance(30)
    lab.cluster.call("DELETE", f"/nodes/{node}/qemu/{vmid}")
    lab.cluster.clock.advance(30)
    plan = await lab.plan(STACK)
    cut(call, phase)
    with pytest.raises(PowerCut):
        await lab.engine.apply(plan)
    monkeypatch.undo()
    report = await another_engine(lab).apply(await lab.plan(STACK))
    assert report.ok, [item.reason for item in report.results]
    assert len(lab.vmids()) == 2
    assert (await lab.plan(STACK)).empty


@pytest.mark.parametrize(("call", "phase"), EARLY_POINTS)
async def test_a_new_plan_goes_on(
    lab: Any, cut: Any, monkeypatch: pytest.MonkeyPatch, call: str, phase: str
) -> None:
    plan = await lab.plan(STACK)
    cut(call, phase)
    with pytest.raises(PowerCut):
        await lab.engine.apply(plan)
    monkeypatch.undo()
    engine = another_engine(lab)
    report = await engine.apply(await engine.plan(load_text(STACK), "shop"))
    assert report.ok, [item.reason for item in report.results]
    check(lab)
    statuses = [item.status.value for item in await engine.history("shop")]
    assert statuses[-1] == "applied"
    assert "pending" not in statuses
