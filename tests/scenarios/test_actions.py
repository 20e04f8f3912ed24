"""The catalogue of actions on the simulator, as every front door calls it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pmpc_reconcile.actions import ActionContext, invoke, to_plain
from pmpc_reconcile.actions.apply import ApplyInput, ApplyOutput
from pmpc_reconcile.actions.carrying import CarriedOut
from pmpc_reconcile.actions.changes import ChangesInput, ChangesOutput
from pmpc_reconcile.actions.check import CheckInput, CheckOutput
from pmpc_reconcile.actions.delete import DeleteInput
from pmpc_reconcile.actions.diff import DiffInput, DiffOutput
from pmpc_reconcile.actions.get_resource import GetInput, GetOutput
from pmpc_reconcile.actions.history import HistoryInput, HistoryOutput
from pmpc_reconcile.actions.list_resources import ListInput, ListOutput
from pmpc_reconcile.actions.plan import PlanInput, PlanOutput
from pmpc_reconcile.actions.plans import PlansInput, PlansOutput
from pmpc_reconcile.actions.rollback import RollbackInput
from pmpc_reconcile.actions.show_plan import ShowPlanInput
from pmpc_reconcile.actions.snapshot import SnapshotInput
from pmpc_reconcile.actions.snapshots import SnapshotsInput, SnapshotsOutput
from pmpc_reconcile.actions.sync import SyncInput, SyncOutput
from pmpc_reconcile.actions.version import VersionInput, VersionOutput
from pmpc_reconcile.errors import InputInvalid, ObjectNotFound, PlanNotFound, PlanRefused
from pmpc_reconcile.events import StepDone, SyncProgress

WEB = """
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {name: web-1}
spec:
  source: {clone: {template: debian-13}}
  config: {cores: 2}
"""


class Door:
    """A front door: calls actions, checks that what comes back can be shown as JSON."""

    def __init__(self, lab: Any) -> None:
        clock = lab.cluster.clock
        self.events: list[Any] = []
        self.context = ActionContext(
            "lab", lab.state, lab.client, now=clock.now, sleep=clock.asleep, actor="test"
        )

    async def __call__(self, name: str, value: Any) -> Any:
        output = await invoke(name, self.context, value, self.events.append)
        json.dumps(to_plain(output))
        return output


@pytest.fixture
def do(lab: Any) -> Door:
    return Door(lab)


async def test_from_sync_to_changes(lab: Any, do: Door, tmp_path: Path) -> None:
    synced: SyncOutput = await do("sync", SyncInput(snapshot="before"))
    assert synced.created > 0
    assert synced.problems == ()
    assert any(isinstance(event, SyncProgress) for event in do.events)
    (tmp_path / "web.yaml").write_text(WEB)
    lab.cluster.clock.advance(60)
    planned: PlanOutput = await do("plan", PlanInput(paths=(str(tmp_path),), release="shop"))
    shown: PlanOutput = await do("show-plan", ShowPlanInput(planned.plan.id[:6]))
    assert [step.id for step in shown.plan.steps] == [step.id for step in planned.plan.steps]
    applied: ApplyOutput = await do("apply", ApplyInput(plan_id=planned.plan.id))
    assert applied.report.ok
    assert any(isinstance(event, StepDone) for event in do.events)
    listed: PlansOutput = await do("plans", PlansInput())
    assert [(item.status, dict(item.counts)) for item in listed.items] == [
        ("applied", {"create": 1})
    ]
    lab.cluster.clock.advance(60)
    await do("sync", SyncInput())
    changed: ChangesOutput = await do("changes", ChangesInput(since="before", kind="vm"))
    assert [(item.change, item.name) for item in changed.items] == [("created", "web-1")]
    named: SnapshotsOutput = await do("snapshots", SnapshotsInput())
    assert [item.name for item in named.items] == ["before"]


async def test_everything_is_read_that_is_not_left_out(lab: Any, do: Door) -> None:
    """Alice is no guest, node, storage, pool or task."""

    def users() -> set[str]:
        return {found.key for found in lab.state.reader().resources("lab", kind="user")}

    await do("sync", SyncInput(without=("user", "node-*")))
    assert users() == set()
    await do("sync", SyncInput(concurrency=2, rate=1000.0))
    assert "alice@pve" in users()
    for wrong in (SyncInput(without=("users",)), SyncInput(concurrency=0), SyncInput(rate=0.0)):
        with pytest.raises(InputInvalid, match=r"cannot (leave out|read with)"):
            await do("sync", wrong)


async def test_list_and_get(lab: Any, do: Door) -> None:
    lab.cluster.add_vm("pve1", 101, {"name": "db", "cores": 2})
    lab.cluster.add_vm("pve2", 102, {"name": "db"})
    await do("sync", SyncInput())
    found: ListOutput = await do("list", ListInput(kind="VM", name="d*", node="pve1"))
    assert [item.name for item in found.items] == ["db", "debian-13"]
    assert [item.config for item in found.items] == [{}, {}]
    one: GetOutput = await do("get", GetInput("qemu/101"))
    assert str(one.resource.config["cores"]) == "2"
    with pytest.raises(ObjectNotFound, match="qemu/101, qemu/102") as caught:
        await do("get", GetInput("db"))
    assert caught.value.candidates == ("qemu/101", "qemu/102")
    with pytest.raises(ObjectNotFound, match="cannot find 'nope'"):
        await do("get", GetInput("nope"))
    with pytest.raises(InputInvalid, match="no kind 'vmm'"):
        await do("list", ListInput(kind="vmm"))
    tasks: ListOutput = await do("list", ListInput(kind="task"))
    assert {item.kind for item in tasks.items} <= {"task"}


async def test_the_past_can_be_listed(lab: Any, do: Door) -> None:
    await do("sync", SyncInput(snapshot="empty"))
    lab.cluster.clock.advance(3600)
    lab.cluster.add_vm("pve1", 101, {"name": "db"})
    lab.cluster.clock.advance(60)
    await do("sync", SyncInput())
    for moment in ("empty", "-30m"):
        past: ListOutput = await do("list", ListInput(kind="vm", at=moment))
        assert [item.name for item in past.items] == ["debian-13"]
    now: ListOutput = await do("list", ListInput(kind="vm"))
    assert [item.name for item in now.items] == ["db", "debian-13"]


async def test_drift_is_shown_without_manifests_at_hand(lab: Any, do: Door) -> None:
    await do("apply", ApplyInput(text=WEB, release="shop"))
    clean: DiffOutput = await do("diff", DiffInput(release="shop"))
    assert clean.clean == ("VirtualMachine/web-1",)
    lab.cluster.edit(int(lab.vmid("web-1")), cores=8)
    drifted: DiffOutput = await do("diff", DiffInput(release="shop"))
    assert [item.address for item in drifted.drifted] == ["VirtualMachine/web-1"]
    plans: PlansOutput = await do("plans", PlansInput())
    assert len(plans.items) == 1, "looking at drift stores no plan"


async def test_history_rollback_and_delete(lab: Any, do: Door) -> None:
    await do("apply", ApplyInput(text=WEB, release="shop"))
    await do("apply", ApplyInput(text=WEB.replace("cores: 2", "cores: 4"), release="shop"))
    tried: CarriedOut = await do("rollback", RollbackInput("shop", dry_run=True))
    assert tried.report is None
    done: ApplyOutput = await do("apply", ApplyInput(plan_id=tried.plan.id))
    assert done.report.ok
    history: HistoryOutput = await do("history", HistoryInput("shop"))
    assert [item.description for item in history.items] == ["apply", "apply", "rollback to 1"]
    assert history.items[0].objects == ("VirtualMachine/web-1",)
    gone: CarriedOut = await do("delete", DeleteInput("shop"))
    assert gone.report is not None
    assert gone.report.ok
    assert lab.vmids() == []


async def test_version_and_check(lab: Any, do: Door) -> None:
    version: VersionOutput = await do("version", VersionInput())
    assert version.server is not None
    assert version.server.startswith("9.2")
    assert "pmpc-reconcile" in version.packages
    checked: CheckOutput = await do("check", CheckInput())
    assert checked.ok
    for name in ("pve2", "pve3"):
        lab.cluster.nodes[name].online = False
    checked = await do("check", CheckInput())
    levels = {item.subject: item.level for item in checked.findings}
    assert levels["quorum"] == "error"
    assert levels["nodes"] == "warning"


async def test_apply_wants_one_source(do: Door) -> None:
    with pytest.raises(InputInvalid, match="one of them"):
        await do("apply", ApplyInput())
    with pytest.raises(InputInvalid, match="one of them"):
        await do("apply", ApplyInput(plan_id="x", text=WEB))
    with pytest.raises(InputInvalid, match="is a Plan"):
        await do("apply", ApplyInput(plan={"id": "x"}))
    with pytest.raises(InputInvalid, match="no manifests were given"):
        await do("plan", PlanInput())
    with pytest.raises(PlanNotFound):
        await do("apply", ApplyInput(plan_id="nope"))
    with pytest.raises(InputInvalid, match="is no risk"):
        await do("apply", ApplyInput(text=WEB, max_risk="brave"))


async def test_a_risky_plan_needs_the_word(lab: Any, do: Door) -> None:
    await do("apply", ApplyInput(text=WEB, release="shop"))
    tried: CarriedOut = await do("delete", DeleteInput("shop", dry_run=True))
    with pytest.raises(PlanRefused, match="destructive"):
        await do("apply", ApplyInput(plan_id=tried.plan.id, max_risk="disruptive"))
    snapshot = await do("sync", SyncInput())
    assert snapshot.cluster == "lab"
    await do("snapshot", SnapshotInput("after"))
