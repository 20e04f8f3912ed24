"""Pain: drift is found when somebody looks by chance, and tools that heal fight with people.

The loop looks by itself, tells what it found, and undoes it only where it was told to.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pmpc_reconcile.controllers import (
    Healed,
    Looked,
    LoopSettings,
    MemoryQueue,
    News,
    Postponed,
    ReconcileLoop,
)
from pmpc_reconcile.risk import Risk

STACK = """
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {name: web-1}
spec:
  source: {clone: {template: debian-13}}
  config: {cores: 2, description: ours}
---
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {name: web-2}
spec:
  source: {clone: {template: debian-13}}
  config: {cores: 2}
"""
WEB_1, WEB_2 = "VirtualMachine/web-1", "VirtualMachine/web-2"


class Watch:
    """A loop over the lab's release, one look at a time, on the lab's clock."""

    def __init__(self, lab: Any, **settings: Any) -> None:
        self.lab = lab
        self.news: list[News] = []
        self.queue = MemoryQueue(lab.cluster.clock.now)
        self.loop = ReconcileLoop(
            lab.engine,
            self.queue,
            LoopSettings(**settings),
            on_news=self.news.append,
            chance=random.Random(1),
        )

    async def look(self) -> list[News]:
        """Look at every release, do what is due, and return what was told."""
        self.news.clear()
        await self.loop.look_at_all()
        await self.queue.drain(self.loop.handle)
        return list(self.news)

    def said(self, address: str = "", **flags: Any) -> None:
        self.lab.state.writer().controls.set("lab", "shop", address, actor="alice", **flags)

    def condition(self, address: str, kind: str) -> tuple[str, str]:
        rows = self.lab.state.reader().controls.conditions("lab", "shop")
        (row,) = [row for row in rows if (row.address, row.type) == (address, kind)]
        return row.status, row.reason


async def test_drift_is_reported_and_left_alone_unless_told_otherwise(lab: Any) -> None:
    await lab.applied(STACK)
    watch = Watch(lab)
    assert await watch.look() == [Looked("shop", 2, (), ())]
    assert watch.condition(WEB_1, "Synced") == ("true", "AsDeclared")
    lab.cluster.edit(lab.vmid("web-1"), user="bob@pam", cores=4)
    lab.forget_writes()
    assert await watch.look() == [Looked("shop", 2, (WEB_1,), ())]
    assert watch.condition(WEB_1, "Drifted") == ("true", "Changed")
    assert watch.condition(WEB_1, "Conflict") == ("true", "Changed")
    assert watch.condition(WEB_2, "Drifted") == ("false", "AsApplied")
    assert lab.writes == []


async def test_self_heal_undoes_drift_with_one_write_and_then_rests(lab: Any) -> None:
    await lab.applied(STACK)
    watch = Watch(lab)
    watch.said(self_heal=True)
    lab.cluster.edit(lab.vmid("web-1"), user="bob@pam", cores=4, onboot=1)
    lab.forget_writes()
    told = await watch.look()
    assert told == [
        Looked("shop", 2, (WEB_1,), (WEB_1,)),
        Healed("shop", WEB_1, 1),
        Looked("shop", 2, (), ()),
    ]
    config = lab.config(lab.vmid("web-1"))
    assert (str(config["cores"]), config["onboot"]) == ("2", 1), "only our field is taken back"
    assert len(lab.writes) == 1
    for _ in range(5):
        await watch.look()
    assert len(lab.writes) == 1
    assert watch.condition(WEB_1, "Synced") == ("true", "AsDeclared")
    revisions = await lab.engine.history("shop")
    assert revisions[-1].manifests == revisions[0].manifests


async def test_what_somebody_deleted_comes_back_once(lab: Any) -> None:
    await lab.applied(STACK)
    watch = Watch(lab)
    watch.said(WEB_2, self_heal=True)
    gone = lab.vmid("web-2")
    node = lab.cluster.guests[gone].node
    lab.cluster.call("DELETE", f"/nodes/{node}/qemu/{gone}")
    lab.cluster.clock.advance(60)
    told = await watch.look()
    assert [type(item).__name__ for item in told] == ["Looked", "Healed", "Looked"]
    assert len(lab.vmids()) == 2
    assert await watch.look() == [Looked("shop", 2, (), ())]


async def test_a_suspended_object_is_left_alone_and_resumed_objects_are_not(lab: Any) -> None:
    await lab.applied(STACK)
    watch = Watch(lab)
    watch.said(self_heal=True)
    watch.said(WEB_1, suspended=True, reason="debugging")
    for name in ("web-1", "web-2"):
        lab.cluster.edit(lab.vmid(name), user="bob@pam", cores=4)
    told = await watch.look()
    assert Healed("shop", WEB_2, 1) in told
    assert str(lab.config(lab.vmid("web-1"))["cores"]) == "4"
    assert watch.condition(WEB_1, "Synced") == ("false", "Suspended")
    watch.said(WEB_1, suspended=False)
    assert Healed("shop", WEB_1, 1) in await watch.look()


async def test_a_word_said_between_the_look_and_the_work_counts(lab: Any) -> None:
    await lab.applied(STACK)
    watch = Watch(lab)
    watch.said(self_heal=True)
    lab.cluster.edit(lab.vmid("web-1"), user="bob@pam", cores=4)
    await watch.loop.look("shop")
    watch.said(suspended=True)
    lab.forget_writes()
    await watch.queue.drain(watch.loop.handle)
    assert lab.writes == []


async def test_failures_wait_longer_each_time_and_others_go_on(lab: Any) -> None:
    await lab.applied(STACK)
    watch = Watch(lab)
    watch.said(self_heal=True)
    for name in ("web-1", "web-2"):
        lab.cluster.edit(lab.vmid(name), user="bob@pam", cores=4)
    first = lab.vmid("web-1")
    node = lab.cluster.guests[first].node
    lab.cluster.call("POST", f"/nodes/{node}/qemu/{first}/config", {"protection": 1})
    lab.cluster.guests[first].config["lock"] = "backup"
    pauses: list[float] = []
    for _ in range(3):
        told = await watch.look()
        pauses += [item.seconds for item in told if isinstance(item, Postponed) and item.failed]
        lab.cluster.clock.advance(1000)
    assert len(pauses) == 3
    assert pauses[0] < pauses[1] < pauses[2]
    assert str(lab.config(lab.vmid("web-2"))["cores"]) == "2"


async def test_healing_never_interrupts_a_guest_unless_it_may(lab: Any) -> None:
    running = STACK.replace("cores: 2, description: ours}", "cores: 2}\n  state: stopped")
    await lab.applied(running)
    watch = Watch(lab)
    watch.said(self_heal=True)
    vmid = lab.vmid("web-1")
    node = lab.cluster.guests[vmid].node
    lab.cluster.call("POST", f"/nodes/{node}/qemu/{vmid}/status/start")
    lab.cluster.clock.advance(60)
    told = await watch.look()
    (held,) = [item for item in told if isinstance(item, Postponed)]
    assert "only change is allowed" in held.reason
    assert lab.status(vmid) == "running"
    allowed = Watch(lab, max_risk=Risk.DISRUPTIVE)
    assert Healed("shop", WEB_1, 1) in await allowed.look()
    assert lab.status(vmid) == "stopped"


async def test_the_disruption_budget_is_shared_by_all_workers(lab: Any) -> None:
    stopped = STACK.replace("description: ours}", "description: ours}\n  state: stopped")
    await lab.applied(stopped)
    vmid = lab.vmid("web-1")
    node = lab.cluster.guests[vmid].node
    lab.cluster.call("POST", f"/nodes/{node}/qemu/{vmid}/status/start")
    lab.cluster.clock.advance(60)
    watch = Watch(lab, max_risk=Risk.DISRUPTIVE, disruptions=1)
    watch.said(self_heal=True)
    leases = lab.state.writer().leases
    place = leases.acquire("disruption/lab/0", holder="another worker", seconds=600)
    told = await watch.look()
    (held,) = [item for item in told if isinstance(item, Postponed)]
    assert (held.reason, held.failed) == ("the disruption budget is used up", False)
    assert lab.status(vmid) == "running"
    leases.release(place)
    lab.cluster.clock.advance(10)
    await watch.look()
    assert lab.status(vmid) == "stopped"


async def test_a_release_somebody_applies_is_waited_for_and_not_written(lab: Any) -> None:
    await lab.applied(STACK)
    watch = Watch(lab)
    watch.said(self_heal=True)
    lab.cluster.edit(lab.vmid("web-1"), user="bob@pam", cores=4)
    leases = lab.state.writer().leases
    busy = leases.acquire("apply/lab/shop", holder="another worker", seconds=600)
    lab.forget_writes()
    told = await watch.look()
    (held,) = [item for item in told if isinstance(item, Postponed)]
    assert not held.failed
    assert lab.writes == []
    leases.release(busy)
    lab.cluster.clock.advance(10)
    assert Healed("shop", WEB_1, 1) in await watch.look()


@pytest.mark.parametrize("word", ["suspended", "deleted"])
async def test_a_release_that_went_or_rests_is_no_error(lab: Any, word: str) -> None:
    await lab.applied(STACK)
    watch = Watch(lab)
    if word == "deleted":
        await lab.engine.apply(await lab.engine.delete("shop"))
        assert await watch.look() == []
    else:
        watch.said(suspended=True, self_heal=True)
        lab.cluster.edit(lab.vmid("web-1"), user="bob@pam", cores=4)
        assert await watch.look() == [Looked("shop", 2, (WEB_1,), ())]


async def test_a_restart_its_window_allows_comes_once_and_needs_no_other_word(lab: Any) -> None:
    opens = datetime.fromtimestamp(lab.cluster.clock.now(), UTC) + timedelta(hours=3)
    declared = f"state: running\n  restart: {{policy: window, window: '{opens:%a %H:%M}'}}".lower()
    stack = STACK.replace("cores: 2, description: ours}", f"cores: CORES}}\n  {declared}")
    await lab.applied(stack.replace("CORES", "2"))
    await lab.applied(stack.replace("CORES", "4"))
    watch = Watch(lab)
    lab.forget_writes()
    assert await watch.look() == [Looked("shop", 2, (), ())]
    assert watch.condition(WEB_1, "RestartRequired") == ("true", "OutsideWindow")
    assert watch.condition(WEB_1, "Drifted") == ("false", "AsApplied")
    lab.cluster.clock.advance(3 * 3600 + 60)
    watch.said(WEB_1, suspended=True)
    assert await watch.look() == [Looked("shop", 2, (), ())]
    assert watch.condition(WEB_1, "RestartRequired") == ("true", "RestartDue")
    watch.said(WEB_1, suspended=False)
    assert Healed("shop", WEB_1, 1) in await watch.look()
    for _ in range(3):
        assert await watch.look() == [Looked("shop", 2, (), ())]
    assert [name.rpartition("/")[2] for name in lab.writes] == ["reboot"]
    assert watch.condition(WEB_1, "RestartRequired") == ("false", "NothingPending")
