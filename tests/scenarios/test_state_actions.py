"""The actions that look: incremental syncs, filters, the past of an object, metrics."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pmpc_reconcile.actions import ActionContext, invoke, to_plain
from pmpc_reconcile.actions.apply import ApplyInput
from pmpc_reconcile.actions.changes import ChangesInput, ChangesOutput
from pmpc_reconcile.actions.delete import DeleteInput
from pmpc_reconcile.actions.get_resource import GetInput
from pmpc_reconcile.actions.list_resources import ListInput, ListOutput
from pmpc_reconcile.actions.log import LogInput, LogOutput
from pmpc_reconcile.actions.metrics import MetricsInput, MetricsOutput
from pmpc_reconcile.actions.plan import PlanInput
from pmpc_reconcile.actions.restore_manifest import RestoreManifestInput, RestoreManifestOutput
from pmpc_reconcile.actions.snapshot import SnapshotInput
from pmpc_reconcile.actions.sync import SyncInput, SyncOutput
from pmpc_reconcile.errors import InputInvalid, ObjectNotFound
from pmpc_reconcile.manifests import load_text
from pmpc_state import SectionWritten, SyncEvent, sync

WEB = """
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {name: web-1}
spec:
  source: {clone: {template: debian-13}}
  config: {cores: 2, description: the web, ciuser: me}
"""


class Door:
    """A front door: calls actions, checks that what comes back can be shown as JSON."""

    def __init__(self, lab: Any) -> None:
        clock = lab.cluster.clock
        self.context = ActionContext(
            "lab", lab.state, lab.client, now=clock.now, sleep=clock.asleep, actor="test"
        )

    async def __call__(self, name: str, value: Any) -> Any:
        output = await invoke(name, self.context, value)
        json.dumps(to_plain(output))
        return output


@pytest.fixture
def do(lab: Any) -> Door:
    return Door(lab)


@pytest.fixture
def guests(lab: Any) -> Any:
    for number in range(5):
        config = {"name": f"vm-{number}", "memory": 512 << number, "tags": "prod" if number else ""}
        lab.cluster.add_vm("pve1", 200 + number, config, status="running")
    lab.cluster.clock.advance(3600)
    return lab


async def test_an_incremental_sync_tells_its_cost_and_how_fresh_everything_is(
    guests: Any, do: Door
) -> None:
    full: SyncOutput = await do("sync", SyncInput())
    assert (full.mode, full.kept) == ("full", 0)
    guests.cluster.edit(202, user="alice@pve", name="renamed")
    guests.cluster.clock.advance(60)
    done: SyncOutput = await do("sync", SyncInput(incremental=True, within="2h"))
    assert (done.mode, done.changed, done.problems) == ("incremental", 1, ())
    assert done.requests < full.requests
    assert done.kept > 0
    assert {one.kind for one in done.freshness} >= {"node", "qemu", "storage"}
    assert done.oldest is not None
    with pytest.raises(InputInvalid, match="30m"):
        await do("sync", SyncInput(incremental=True, within="soon"))
    with pytest.raises(InputInvalid, match="hour, day"):
        await do("sync", SyncInput(statistics="decade"))


async def test_lists_are_filtered_sorted_and_paged(guests: Any, do: Door) -> None:
    await do("sync", SyncInput())
    wanted = ListInput(
        filter="tags has prod and maxmem>1G and not name=debian-13", sort="-maxmem", limit=2
    )
    found: ListOutput = await do("list", wanted)
    assert ([one.name for one in found.items], found.total) == (["vm-4", "vm-3"], 3)
    page: ListOutput = await do("list", ListInput(kind="vm", name="vm-*", limit=2, offset=1))
    assert ([one.key for one in page.items], page.total) == (["201", "202"], 5)
    assert not page.items[0].config
    whole: ListOutput = await do("list", ListInput(kind="vm", configurations=True))
    assert all(one.config["name"] == one.name for one in whole.items)
    named: ListOutput = await do("list", ListInput(name="20?", status="running", node="pve1"))
    assert len(named.items) == 5
    with pytest.raises(InputInvalid, match=r"did you mean (mem|name)"):
        await do("list", ListInput(kind="vm", filter="nam=web"))
    with pytest.raises(InputInvalid, match="did you mean node"):
        await do("list", ListInput(kind="task", filter="nod=pve1"))
    with pytest.raises(InputInvalid, match="page"):
        await do("list", ListInput(offset=-1))


async def test_what_was_changed_by_whom_and_the_log_of_one_object(guests: Any, do: Door) -> None:
    await do("sync", SyncInput(snapshot="before"))
    guests.cluster.clock.advance(60)
    task = await guests.client.nodes("pve1").qemu(200).config.post(memory=2048)
    await task.wait()
    guests.cluster.edit(201, description="by hand")
    guests.cluster.clock.advance(60)
    await do("sync", SyncInput())

    async def told(**wanted: Any) -> list[tuple[str, str | None]]:
        found: ChangesOutput = await do("changes", ChangesInput(since="before", **wanted))
        return [(one.key, one.task) for one in found.items if one.kind == "qemu"]

    upid = task.upid.format()
    for each in (False, True):
        assert {("200", upid)} <= set(await told(each=each))
        assert await told(each=each, name="vm-0") == [("200", upid)]
        assert await told(each=each, path="memory", kind="vm") == [("200", upid)]
        assert await told(each=each, actor="root@pam") == [("200", upid)]
        assert [key for key, _ in await told(each=each, path="description")] == ["201"]
    log: LogOutput = await do("log", LogInput(name="qemu/200"))
    happened = {one.action: one for one in log.items}
    assert list(happened) == ["created", "task", "line", "changed"]
    assert happened["task"].text == "qmconfig: OK"
    assert happened["line"].text.startswith("update VM 200: ")
    assert "memory" in [one.path for one in happened["changed"].fields]
    with pytest.raises(ObjectNotFound):
        await do("changes", ChangesInput(since="before", name="nothing"))


async def test_an_old_configuration_comes_back_as_a_manifest_that_plans_the_way_back(
    lab: Any, do: Door
) -> None:
    planned = await do("plan", PlanInput(release="web", text=WEB))
    await do("apply", ApplyInput(plan_id=planned.plan.id))
    await do("sync", SyncInput())
    vmid = (await do("get", GetInput(name="web-1"))).resource.key
    lab.cluster.edit(int(vmid), cipassword="s3cret")
    lab.cluster.clock.advance(60)
    await do("sync", SyncInput())
    await do("snapshot", SnapshotInput(name="good"))
    lab.cluster.clock.advance(60)
    changed = await do("plan", PlanInput(release="web", text=WEB.replace("cores: 2", "cores: 4")))
    await do("apply", ApplyInput(plan_id=changed.plan.id))
    await do("sync", SyncInput())
    back: RestoreManifestOutput = await do(
        "restore-manifest", RestoreManifestInput(name="web-1", at="good")
    )
    assert back.address == f"qemu/{vmid}"
    assert back.left == ("cipassword",)
    assert "s3cret" not in back.text
    assert "managed-by" not in back.text
    [manifest] = load_text(back.text)
    assert str(manifest.spec["config"]["cores"]) == "2"
    plan = await do("plan", PlanInput(release="web", text=back.text))
    [step] = [change for change in plan.plan.changes if change.action.value != "none"]
    assert (step.address, step.action.value) == ("VirtualMachine/web-1", "update")
    with pytest.raises(InputInvalid, match="does not manage objects of kind node yet"):
        await do("restore-manifest", RestoreManifestInput(name="node/pve1"))


async def test_metrics_are_kept_and_asked_for(guests: Any, do: Door) -> None:
    await do("sync", SyncInput())
    with pytest.raises(InputInvalid, match="sync with metrics"):
        await do("metrics", MetricsInput(name="vm-0", metric="cpu"))
    done: SyncOutput = await do("sync", SyncInput(metrics=True, statistics="hour"))
    assert done.samples > 100
    known: MetricsOutput = await do("metrics", MetricsInput(name="vm-0"))
    assert {"up", "cpu", "mem", "netin"} <= set(known.metrics)
    found: MetricsOutput = await do(
        "metrics", MetricsInput(name="vm-0", metric="netin", since="-1h", step="10m")
    )
    assert 5 <= len(found.items) <= 7
    assert all(one.low <= one.mean <= one.high for one in found.items)
    with pytest.raises(InputInvalid, match="there are"):
        await do("metrics", MetricsInput(name="vm-0", metric="joy"))


async def test_an_answer_without_changes_says_why(guests: Any, do: Door) -> None:
    clock = guests.cluster.clock
    await do("sync", SyncInput())
    clock.advance(3600)

    async def changes(**wanted: Any) -> ChangesOutput:
        found: ChangesOutput = await do("changes", ChangesInput(**wanted))
        return found

    since_ever = await changes(since="-30d")
    assert since_ever.items == ()  # what the first sync found is no change
    assert "the first sync ended" in since_ever.notes[0]
    unseen = await changes(since="-10m")
    assert unseen.notes[0].startswith("no sync looked in this time, the last began 20")
    guests.cluster.edit(200, memory=4096)
    clock.advance(60)
    await do("sync", SyncInput())
    assert (await changes(since="-1h")).notes == ()
    for wanted in ({"path": "cores"}, {"actor": "bob@pve"}, {"kind": "lxc"}, {"name": "vm-1"}):
        found = await changes(since="-1h", **wanted)
        assert found.items == ()
        assert found.notes == ("1 other objects changed in this time",)


async def test_a_first_sync_that_was_cut_short_makes_no_changes_of_what_was_there(
    guests: Any, do: Door
) -> None:
    state, clock = guests.state, guests.cluster.clock

    def stop(told: SyncEvent) -> None:
        if isinstance(told, SectionWritten) and told.report.name == "qemu":
            raise RuntimeError("out of power")

    with pytest.raises(RuntimeError, match="power"):
        await sync(state, guests.client, "lab", on_event=stop)
    clock.advance(60)
    assert (await do("changes", ChangesInput(since="-30d"))).items == ()
    await do("sync", SyncInput())
    clock.advance(60)
    for each in (False, True):
        found: ChangesOutput = await do("changes", ChangesInput(since="-30d", each=each))
        assert found.items == ()
        assert "the first sync ended" in found.notes[0]


async def test_a_time_of_which_nothing_is_known_is_an_error(guests: Any, do: Door) -> None:
    await do("sync", SyncInput())
    guests.cluster.clock.advance(600)
    for action, value in (
        ("list", ListInput(at="-30d")),
        ("get", GetInput(name="vm-1", at="-30d")),
        ("log", LogInput(name="vm-1", at="-30d")),
        ("restore-manifest", RestoreManifestInput(name="vm-1", at="-30d")),
    ):
        with pytest.raises(InputInvalid, match="before the first sync, which began"):
            await do(action, value)
    with pytest.raises(InputInvalid, match=r"in the future: now it is .* without a zone are UTC"):
        await do("list", ListInput(at="2126-01-01"))


async def test_the_log_of_what_is_gone_is_found_by_its_last_name(guests: Any, do: Door) -> None:
    await do("sync", SyncInput())
    guests.cluster.call("POST", "/nodes/pve1/qemu/201/status/stop", {})
    guests.cluster.clock.advance(60)
    guests.cluster.call("DELETE", "/nodes/pve1/qemu/201", {})
    guests.cluster.clock.advance(60)
    await do("sync", SyncInput())
    for name in ("vm-1", "qemu/201", "201"):
        log: LogOutput = await do("log", LogInput(name=name))
        assert (log.address, log.items[-1].action) == ("qemu/201", "vanished")
        changed: ChangesOutput = await do("changes", ChangesInput(since="-1h", name=name))
        assert [one.change for one in changed.items] == ["removed"]


async def test_what_is_not_found_is_told_with_what_is_near(guests: Any, do: Door) -> None:
    await do("sync", SyncInput())
    for name, why in {
        "vm-9": "did you mean 'vm-",
        "nothing": "ask as of a time when it was there",
        "sdn-zone/lab": "no sdn-zone is recorded; `pmpc sync` reads them",
    }.items():
        with pytest.raises(ObjectNotFound, match=why):
            await do("log", LogInput(name=name))
    with pytest.raises(ObjectNotFound, match="as of 20"):
        await do("get", GetInput(name="nothing", at="now"))
    with pytest.raises(InputInvalid, match="there are sdn-zone, sdn-vnet"):
        await do("changes", ChangesInput(since="-1h", kind="sdn"))


async def test_what_an_apply_did_is_known_without_another_sync(lab: Any, do: Door) -> None:
    await do("sync", SyncInput())
    applied = await do("apply", ApplyInput(text=WEB, release="shop"))
    assert applied.report.ok
    assert (await do("get", GetInput("web-1"))).resource.config["cores"] == 2
    await do("apply", ApplyInput(text=WEB.replace("cores: 2", "cores: 4"), release="shop"))
    told: LogOutput = await do("log", LogInput("web-1"))
    assert any("cores" in str(to_plain(item)) for item in told.items)
    await do("delete", DeleteInput("shop"))
    with pytest.raises(ObjectNotFound):
        await do("get", GetInput("web-1"))


async def test_an_apply_ends_well_while_somebody_else_syncs(lab: Any, do: Door) -> None:
    await do("sync", SyncInput())
    lab.state.writer().leases.acquire("sync/lab", holder="somebody", seconds=3600)
    assert (await do("apply", ApplyInput(text=WEB, release="shop"))).report.ok


async def test_an_apply_reads_no_cluster_that_was_never_synced(guests: Any, do: Door) -> None:
    assert (await do("apply", ApplyInput(text=WEB, release="shop"))).report.ok
    assert not (await do("list", ListInput(kind="vm"))).items
