"""How a cluster really behaves (docs: reference/simulator), one scenario per truth.

The pain: tools that believe a 200, a task that ended OK, or what `/cluster/resources` says.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pmpc_reconcile.engine import Reconciler
from pmpc_reconcile.events import StepWaiting
from pmpc_reconcile.execute.settings import Patience
from proxmox_client.testing.faults import HeldLock, NodeOffline, NoQuorum, SomebodyElse, Where

VM = """
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {name: web-1}
spec:
  source: {clone: {template: debian-13, storage: shared}}
  MORE
  config: {CONFIG}
"""
ADDRESS = "VirtualMachine/web-1"


def web(config: str = "cores: 2", more: str = "state: running") -> str:
    return VM.replace("CONFIG", config).replace("MORE", more)


def waits(lab: Any) -> list[str]:
    return [event.reason for event in lab.events if isinstance(event, StepWaiting)]


def where(lab: Any) -> str:
    return str(lab.cluster.guests[lab.vmid("web-1")].node)


def under_ha(lab: Any, state: str = "started") -> int:
    """Give the guest to HA and let it come to rest."""
    vmid = int(lab.vmid("web-1"))
    lab.cluster.call("POST", "/cluster/ha/resources", {"sid": f"vm:{vmid}", "state": state})
    lab.cluster.clock.advance(60)
    return vmid


def ha_tasks(lab: Any, kind: str) -> int:
    rows = [
        row
        for node in lab.cluster.nodes
        for row in lab.cluster.call("GET", f"/nodes/{node}/tasks", {"typefilter": kind})
    ]
    return len(rows)


def lose(lab: Any, *nodes: str) -> Callable[[], None]:
    """Cut the power of nodes; return what brings them back."""
    faults = [lab.cluster.faults.add(NodeOffline(node)) for node in nodes]

    def back() -> None:
        for fault in faults:
            fault.remove()

    return back


# -- 2: a clone to an id used elsewhere answers 200 ----------------------------------------------


async def test_a_clone_to_an_id_used_on_another_node_takes_another_id(lab: Any) -> None:
    def rival(cluster: Any) -> None:
        vmid = int(cluster.call("GET", "/cluster/nextid"))
        cluster.add_vm("pve3", vmid, {"name": "rival", "cores": 7})

    lab.cluster.faults.add(SomebodyElse(rival, where=Where("POST", "*/clone", times=1)))
    await lab.applied(web())
    names = sorted(str(lab.config(vmid)["name"]) for vmid in lab.vmids())
    assert names == ["rival", "web-1"]
    assert lab.config(lab.vmid("rival"))["cores"] == 7


# -- 3 and 4: no quorum ----------------------------------------------------------------------------


@pytest.mark.parametrize("config", ["cores: 4", "cores: 2, scsi0: {size: 20G}"])
async def test_quorum_lost_between_plan_and_apply_is_waited_for(lab: Any, config: str) -> None:
    await lab.applied(web())
    plan = await lab.plan(web(config))
    lab.forget_writes()
    back = lose(lab, "pve2", "pve3")
    lab.cluster.clock.advance(20)
    lab.cluster.clock.after(200, back)
    report = await lab.engine.apply(plan)
    assert report.ok, [item.reason for item in report.failed]
    assert any("quorum" in reason or "Permission denied" in reason for reason in waits(lab))
    assert not [name for name in lab.writes if name.endswith("/resize")][1:], "sent once"
    assert (await lab.plan(web(config))).empty


async def test_quorum_lost_in_the_middle_stops_before_what_would_be_half_done(lab: Any) -> None:
    await lab.applied(web(more="state: stopped"))
    vmid = lab.vmid("web-1")
    wish = web("cores: 4, scsi0: {size: 20G}, scsi1: {storage: shared, size: 4G}")
    plan = await lab.plan(wish)
    assert [step.type for step in plan.steps] == ["resize", "configure", "start"]
    lost: list[Any] = []

    def partition(cluster: Any) -> None:
        lost.append(cluster.faults.add(NoQuorum()))

    lab.cluster.faults.add(SomebodyElse(partition, where=Where("POST", "*/config", times=1)))
    lab.engine = Reconciler(
        lab.client,
        lab.state,
        "lab",
        now=lab.cluster.clock.now,
        sleep=lab.cluster.clock.asleep,
        patience=Patience(step=120),
    )
    report = await lab.engine.apply(plan)
    assert not report.ok
    assert any("quorum" in item.reason for item in report.failed), report.failed
    assert str(lab.config(vmid)["cores"]) == "2"
    lost[0].remove()
    report = await lab.apply(wish)
    assert report.ok, [item.reason for item in report.failed]
    assert lab.status(vmid) == "running"
    assert "size=20G" in lab.config(vmid)["scsi0"]


async def test_nothing_is_deleted_without_quorum(lab: Any) -> None:
    """It would lose its disks and stay."""
    await lab.applied(web())
    vmid = lab.vmid("web-1")
    plan = await lab.engine.delete("shop")
    back = lose(lab, "pve2", "pve3")
    lab.cluster.clock.advance(20)
    disks = {volume.volid for volume in lab.cluster.volumes}
    lab.forget_writes()
    seen: list[set[str]] = []

    def returns() -> None:
        seen.append({volume.volid for volume in lab.cluster.volumes})
        assert lab.writes == []
        back()

    lab.cluster.clock.after(200, returns)
    report = await lab.engine.apply(plan)
    assert report.ok, [item.reason for item in report.failed]
    assert seen == [disks]
    assert vmid not in lab.cluster.guests


async def test_quorum_lost_between_the_stop_and_the_deletion_spares_the_disks(lab: Any) -> None:
    await lab.applied(web())
    vmid = lab.vmid("web-1")
    disks = {volume.volid for volume in lab.cluster.volumes}
    plan = await lab.engine.delete("shop")
    seen: list[tuple[list[str], bool]] = []

    def partition(cluster: Any) -> None:
        lost = cluster.faults.add(NoQuorum())

        def back() -> None:
            whole = disks == {volume.volid for volume in lab.cluster.volumes}
            seen.append((list(lab.writes), whole))
            lost.remove()

        cluster.clock.after(120, back)

    stop = Where("POST", "*/status/stop", times=1)
    lab.cluster.faults.add(SomebodyElse(partition, "after", stop))
    lab.forget_writes()
    report = await lab.engine.apply(plan)
    assert report.ok, [item.reason for item in report.failed]
    assert seen == [([f"POST /nodes/pve1/qemu/{vmid}/status/stop"], True)]
    assert any("quorum" in reason for reason in waits(lab))
    assert vmid not in lab.cluster.guests


# -- 4: a dead node's guests still look as if they ran --------------------------------------------


async def test_running_on_a_dead_node_is_not_believed(lab: Any) -> None:
    await lab.applied(web(more="placement: {nodes: [pve3]}\n  state: running"))
    vmid = int(lab.vmid("web-1"))
    lab.cluster.clock.advance(30)
    lose(lab, "pve3")
    lab.cluster.clock.advance(30)
    (row,) = [
        row
        for row in lab.cluster.call("GET", "/cluster/resources", {"type": "vm"})
        if row["vmid"] == vmid
    ]
    assert row["status"] == "running", "so the API says for five minutes"
    lab.forget_writes()
    plan = await lab.plan(web(more="placement: {nodes: [pve3]}\n  state: running"))
    assert plan.counts() == {"unknown": 1}
    away = await lab.plan(web(more="placement: {nodes: [pve1]}\n  state: running"))
    assert away.counts() == {"unknown": 1}
    assert plan.empty
    assert away.empty
    assert lab.writes == []


async def test_a_new_guest_is_not_made_on_a_dead_node_and_nothing_of_it_is_pruned(lab: Any) -> None:
    await lab.applied(web(more="placement: {nodes: [pve3]}"))
    lab.cluster.clock.advance(30)
    lose(lab, "pve3")
    lab.cluster.clock.advance(30)
    text = web(more="placement: {nodes: [pve3, pve2]}").replace("web-1", "web-2")
    plan = await lab.plan(text, prune=True)
    assert plan.counts() == {"create": 1, "unknown": 1}
    assert (await lab.engine.apply(plan)).ok
    made = {str(guest.config["name"]): guest.node for guest in lab.cluster.guests.values()}
    assert (made["web-1"], made["web-2"]) == ("pve3", "pve2")
    assert len(lab.cluster.guests) == 3, "with the template"


# -- 5: at its new node seconds before the migration ends ----------------------------------------


@pytest.mark.parametrize("seconds", [0.2, 0.7, 1.2, 1.9, 2.5])
async def test_acted_on_while_somebody_migrates_it_the_write_follows(
    lab: Any, seconds: float
) -> None:
    await lab.applied(web(more="state: stopped"))
    lab.cluster.clock.advance(30)
    vmid = lab.vmid("web-1")
    plan = await lab.plan(web("cores: 4", more="state: running"))
    lab.cluster.call("POST", f"/nodes/pve1/qemu/{vmid}/migrate", {"target": "pve2"})
    lab.cluster.clock.advance(seconds)
    report = await lab.engine.apply(plan)
    assert report.ok, [item.reason for item in report.failed]
    assert where(lab) == "pve2"
    assert lab.status(vmid) == "running"
    assert (await lab.plan(web("cores: 4", more="state: running"))).empty


# -- 6: HA -----------------------------------------------------------------------------------------


async def test_a_request_to_ha_is_not_an_effect(lab: Any) -> None:
    await lab.applied(web())
    vmid = under_ha(lab)
    lab.forget_writes()
    began = lab.cluster.clock.now()
    await lab.applied(web(more="state: stopped"))
    assert lab.status(vmid) == "stopped", "when the report says done, it is"
    assert lab.cluster.clock.now() - began > 5, "the request alone took a second or two"
    assert len(lab.writes) == 1, "and was filed once"
    await lab.applied(web())
    assert lab.status(vmid) == "running"
    assert len(lab.writes) == 2


async def test_a_migration_of_an_ha_guest_ends_when_it_is_there(lab: Any) -> None:
    await lab.applied(web())
    under_ha(lab)
    lab.forget_writes()
    text = web(more="placement: {nodes: [pve2]}\n  state: running")
    await lab.applied(text)
    assert where(lab) == "pve2"
    assert len(lab.writes) == 1
    assert (await lab.plan(text)).empty


async def test_a_request_ha_drops_silently_is_noticed(lab: Any) -> None:
    """The task says OK, the manager finds the node gone and forgets the command."""
    await lab.applied(web())
    vmid = under_ha(lab)
    plan = await lab.plan(web(more="placement: {nodes: [pve3]}\n  state: running"))
    asked = Where("POST", "*/migrate", times=1)

    def goes_for_a_minute(cluster: Any) -> None:
        cluster.clock.after(60, lose(lab, "pve3"))

    lab.cluster.faults.add(SomebodyElse(goes_for_a_minute, "after", asked))
    lab.forget_writes()
    report = await lab.engine.apply(plan)
    assert "the server said OK, but after 90 s there is no effect" in report.failed[0].reason
    assert len(lab.writes) == 1
    assert (where(lab), lab.status(vmid)) == ("pve1", "running")


async def test_what_ha_decided_is_never_fought(lab: Any) -> None:
    """It moved the guest: that is no drift, and nothing is sent however often one looks."""
    await lab.applied(web())
    vmid = under_ha(lab)
    lab.cluster.call("POST", f"/cluster/ha/resources/vm:{vmid}/migrate", {"node": "pve3"})
    lab.forget_writes()
    for _ in range(20):
        plan = await lab.plan(web())
        assert plan.empty, plan.explain()
        lab.cluster.clock.advance(3)
    assert where(lab) == "pve3"
    assert lab.writes == []


async def test_fenced_and_recovered_in_the_middle_of_an_apply(lab: Any) -> None:
    await lab.applied(web(more="placement: {nodes: [pve3]}\n  state: running"))
    vmid = under_ha(lab)
    assert where(lab) == "pve3"
    plan = await lab.plan(web("cores: 4, tags: [a]"))
    write = Where("PUT", "/nodes/pve3/*/config", times=1)
    lab.cluster.faults.add(SomebodyElse(lambda _: lose(lab, "pve3"), where=write))
    report = await lab.engine.apply(plan)
    assert report.ok, [item.reason for item in report.failed]
    assert where(lab) != "pve3"
    assert str(lab.config(vmid)["cores"]) == "4"
    assert lab.vmids() == [vmid]
    lab.cluster.clock.advance(60)
    assert lab.status(vmid) == "running"
    assert (await lab.plan(web("cores: 4, tags: [a]"))).empty


async def test_an_ha_service_in_error_is_named_and_not_started_for_ever(lab: Any) -> None:
    await lab.applied(web())
    vmid = under_ha(lab)
    lab.cluster.call("PUT", f"/cluster/ha/resources/vm:{vmid}", {"state": "stopped"})
    lab.cluster.clock.advance(60)
    lab.cluster.edit(vmid, net0="virtio,bridge=vmbr9")
    lab.cluster.call("PUT", f"/cluster/ha/resources/vm:{vmid}", {"state": "started"})
    lab.cluster.clock.advance(180)
    plan = await lab.plan(web())
    assert plan.objects[0].ailment == "HighAvailability: HA says error"
    lab.forget_writes()
    report = await lab.engine.apply(plan)
    assert "error state" in report.failed[0].reason
    assert len(lab.writes) == 1
    assert "HA says error" in plan.explain()


# -- storages restricted to nodes, locks of the cluster's files ----------------------------------


@pytest.fixture
def only2(lab: Any) -> None:
    lab.cluster.call(
        "POST",
        "/storage",
        {"storage": "only2", "type": "dir", "path": "/only2", "nodes": "pve2", "content": "images"},
    )
    lab.cluster.clock.advance(30)


@pytest.mark.usefixtures("only2")
async def test_a_guest_is_made_where_its_storage_is(lab: Any) -> None:
    text = web("memory: 512, scsi0: {storage: only2, size: 4G}")
    text = text.replace("  source: {clone: {template: debian-13, storage: shared}}\n", "")
    await lab.applied(text)
    assert where(lab) == "pve2"


@pytest.mark.usefixtures("only2")
@pytest.mark.parametrize(
    "text",
    [
        web(more="placement: {nodes: [pve1, pve3]}").replace("storage: shared", "storage: only2"),
        web("memory: 512, scsi0: {storage: only2, size: 4G}", "placement: {nodes: [pve3]}").replace(
            "  source: {clone: {template: debian-13, storage: shared}}\n", ""
        ),
    ],
)
async def test_a_node_without_the_storage_is_refused_beforehand(lab: Any, text: str) -> None:
    plan = await lab.plan(text)
    assert plan.empty
    assert "storage only2 is not on" in plan.errors[0].message


@pytest.mark.usefixtures("only2")
async def test_a_guest_moves_to_a_node_that_has_its_storages(lab: Any) -> None:
    lab.cluster.call("PUT", "/storage/only2", {"nodes": "pve1,pve2"})
    lab.cluster.clock.advance(30)
    text = web("memory: 512, scsi0: {storage: only2, size: 4G}", "placement: {nodes: [NODES]}")
    text = text.replace("  source: {clone: {template: debian-13, storage: shared}}\n", "")
    await lab.applied(text.replace("NODES", "pve1"))
    report = await lab.applied(text.replace("NODES", "pve3, pve2"))
    assert report.ok
    assert where(lab) == "pve2"


async def test_waiting_for_a_cluster_lock_is_no_time_out(lab: Any) -> None:
    lab.cluster.faults.add(HeldLock("file-user_cfg", seconds=45))
    pool = "apiVersion: pmpc/v1\nkind: Pool\nmetadata: {name: shop}\nspec: {comment: c}\n"
    report = await lab.applied(pool)
    assert report.ok
    assert any("lock request timeout" in reason for reason in waits(lab))
    assert [row["poolid"] for row in lab.cluster.call("GET", "/pools")] == ["shop"]
