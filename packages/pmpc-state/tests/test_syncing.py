"""Discovery and sync against the simulated cluster, in process."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pmpc_state import (
    KINDS,
    SETTINGS,
    Cause,
    ChangeKind,
    GuestsRead,
    LeaseHeld,
    SectionRead,
    SectionWritten,
    State,
    SyncEvent,
    SyncFinished,
    SyncStarted,
    sync,
)
from proxmox_client import AsyncClient, AuthenticationFailed
from proxmox_client.testing import SimulatedCluster


@pytest.fixture
def cluster() -> SimulatedCluster:
    simulated = SimulatedCluster(nodes=("pve1", "pve2", "pve3"), seed=1)
    simulated.add_vm(
        "pve1",
        100,
        {"name": "web", "memory": 1024, "scsi0": "local-lvm:8", "net0": "virtio,bridge=vmbr0"},
        status="running",
    )
    simulated.add_vm("pve3", 101, {"name": "db", "memory": 512, "scsi0": "shared:4"})
    simulated.add_container("pve2", 200, {"hostname": "proxy", "memory": 256})
    simulated.add_volume("shared", "iso/debian.iso", 700_000_000)
    return simulated


@pytest.fixture
def state(url: str, cluster: SimulatedCluster) -> Any:
    with State.open(url, now=cluster.clock.now) as opened:
        yield opened


def _client(cluster: SimulatedCluster, token: str) -> AsyncClient:
    return AsyncClient(
        "https://pve1",
        token=token,
        transport=cluster.async_transport(),
        sleep=cluster.clock.asleep,
        now=cluster.clock.now,
    )


async def test_everything_is_recorded_and_a_second_sync_writes_no_history(
    state: State, pve: AsyncClient, cluster: SimulatedCluster
) -> None:
    first = await sync(state, pve, "lab")
    assert first.complete, first.failures
    found = {one.address: one for one in state.reader().resources("lab")}
    assert {"node/pve1", "node/pve2", "node/pve3", "qemu/100", "qemu/101", "lxc/200",
            "storage/local", "storage/shared", "content/shared:iso/debian.iso",
            "content/pve1/local-lvm:vm-100-disk-0"} <= found.keys()  # fmt: skip
    assert found["qemu/100"].config["net0"].startswith("virtio=")
    assert (found["qemu/100"].node, found["qemu/100"].status) == ("pve1", "running")
    assert (found["lxc/200"].name, found["lxc/200"].node) == ("proxy", "pve2")
    assert all(one.known for one in found.values())
    cluster.clock.advance(3600)
    again = await sync(state, pve, "lab")
    assert [section.history_rows for section in again.sections] == [0] * len(again.sections)
    assert again.unchanged == first.created
    assert state.reader().runs("lab")[0].status == "ok"


async def test_an_edit_behind_our_back_is_seen_with_old_and_new_and_who_did_it(
    state: State, pve: AsyncClient, cluster: SimulatedCluster
) -> None:
    await sync(state, pve, "lab")
    before = state.writer().snapshot("lab", "before")
    cluster.clock.advance(60)
    cluster.edit(101, user="root@pam", memory=2048)
    report = await sync(state, pve, "lab")
    assert (report.changed, report.created, report.vanished) == (1, 0, 0)
    [change] = state.reader().diff("lab", before.taken_at)
    [field] = change.fields
    assert (change.address, change.name) == ("qemu/101", "db")
    assert (field.path, str(field.old), str(field.new)) == ("memory", "512", "2048")
    assert (change.task, change.user) == (None, "root@pam")


async def test_a_change_by_a_task_names_task_and_user(
    state: State, pve: AsyncClient, cluster: SimulatedCluster
) -> None:
    await sync(state, pve, "lab")
    before = state.writer().snapshot("lab", "before")
    cluster.clock.advance(60)
    task = await pve.nodes("pve3").qemu(101).config.post(memory=1024)
    await task.wait()
    await sync(state, pve, "lab")
    [change] = state.reader().diff("lab", before.taken_at, kind="qemu")
    assert change.task == task.upid.format()
    assert change.user == "root@pam!demo"
    assert task.upid.format() in [one.upid for one in state.reader().tasks("lab")]


async def test_a_removed_guest_vanishes_and_names_who_did_it(
    state: State, pve: AsyncClient, cluster: SimulatedCluster
) -> None:
    await sync(state, pve, "lab")
    before = state.writer().snapshot("lab", "before")
    cluster.clock.advance(60)
    task = await pve.nodes("pve3").qemu(101).delete()
    assert (await task.wait()).ok
    report = await sync(state, pve, "lab")
    assert report.complete, report.failures
    changes = {change.address: change for change in state.reader().diff("lab", before.taken_at)}
    assert changes["qemu/101"].kind is ChangeKind.REMOVED
    assert changes["qemu/101"].user == "root@pam!demo"
    assert all(one.key != "101" for one in state.reader().resources("lab", "qemu"))
    volumes = [one.address for one in changes.values() if one.resource_kind == "content"]
    assert len(volumes) == 1


async def test_a_vmid_used_again_is_another_guest(
    state: State, pve: AsyncClient, cluster: SimulatedCluster
) -> None:
    await sync(state, pve, "lab")
    old = state.reader().resource("lab", "qemu", "101")
    cluster.clock.advance(60)
    await (await pve.nodes("pve3").qemu(101).delete()).wait()
    cluster.add_vm("pve2", 101, {"name": "other"})
    await sync(state, pve, "lab")
    new = state.reader().resource("lab", "qemu", "101")
    assert new.uid != old.uid
    assert (new.name, new.node) == ("other", "pve2")


async def test_a_guest_that_moved_is_the_same(
    state: State, pve: AsyncClient, cluster: SimulatedCluster
) -> None:
    await sync(state, pve, "lab")
    old = state.reader().resource("lab", "qemu", "101")
    cluster.clock.advance(60)
    cluster.guests[101].node = "pve2"  # as HA does after a node's death
    report = await sync(state, pve, "lab")
    new = state.reader().resource("lab", "qemu", "101")
    assert (new.uid, new.node) == (old.uid, "pve2")
    assert (report.created, report.changed, report.vanished) == (0, 0, 0)


async def test_a_node_that_is_down_hides_its_objects_and_removes_none(
    state: State, pve: AsyncClient, cluster: SimulatedCluster
) -> None:
    await sync(state, pve, "lab")
    before = state.writer().snapshot("lab", "before")
    cluster.nodes["pve3"].online = False
    cluster.clock.advance(60)
    report = await sync(state, pve, "lab")
    assert (report.vanished, report.status) == (0, "partial")
    assert {failure.cause for failure in report.failures} == {Cause.OFFLINE}
    assert state.reader().diff("lab", before.taken_at) == ()
    guest = state.reader().resource("lab", "qemu", "101")
    assert (guest.known, guest.status, guest.config["name"]) == (False, "unknown", "db")
    assert guest.reason == "node pve3 is offline"
    assert state.reader().resource("lab", "qemu", "100").known
    assert not state.reader().resource("lab", "node", "pve3").known
    cluster.nodes["pve3"].online = True
    cluster.clock.advance(60)
    back = await sync(state, pve, "lab")
    assert back.complete
    assert state.reader().resource("lab", "qemu", "101").known
    assert state.reader().diff("lab", before.taken_at) == ()


async def test_a_guest_first_seen_on_a_dead_node_is_listed_without_configuration(
    state: State, pve: AsyncClient, cluster: SimulatedCluster
) -> None:
    cluster.nodes["pve3"].online = False
    cluster.clock.advance(60)
    report = await sync(state, pve, "lab")
    guest = state.reader().resource("lab", "qemu", "101")
    assert (guest.known, guest.config, guest.valid_from) == (False, {}, None)
    assert report.unknown >= 2
    cluster.nodes["pve3"].online = True
    cluster.clock.advance(60)
    await sync(state, pve, "lab")
    again = state.reader().resource("lab", "qemu", "101")
    assert (again.uid, again.known, again.name) == (guest.uid, True, "db")


async def test_a_token_that_may_see_less_removes_nothing(
    state: State, pve: AsyncClient, cluster: SimulatedCluster
) -> None:
    await sync(state, pve, "lab")
    before = state.writer().snapshot("lab", "before")
    cluster.clock.advance(60)
    async with _client(cluster, cluster.create_token("carol@pve", "blind")) as blind:
        report = await sync(state, blind, "lab")
    assert report.vanished == 0
    assert report.unknown >= 3
    assert state.reader().diff("lab", before.taken_at) == ()
    guest = state.reader().resource("lab", "qemu", "100")
    assert not guest.known
    assert "permission denied" in (guest.reason or "")


async def test_a_read_only_token_reads_everything_and_a_smaller_one_is_told_what_shows_more(
    state: State, pve: AsyncClient, cluster: SimulatedCluster
) -> None:
    await pve.access.users.post(userid="eve@pve")
    await pve.access.acl.put(path="/", roles="PVEAuditor", users="eve@pve")
    async with _client(cluster, cluster.create_token("eve@pve", "ro")) as auditor:
        report = await sync(state, auditor, "audited")
    assert report.complete, report.failures
    # PVE shows these to nobody who only reads.
    assert {one.section: one.message.partition("; ")[2] for one in report.notes} == {
        "acme-plugin": "Sys.Modify on / would show it",
        "content": "VM.Config.Disk on /vms would show all",
    }
    await pve.access.users.post(userid="dan@pve")
    await pve.access.acl.put(path="/vms/100", roles="PVEAuditor", users="dan@pve")
    async with _client(cluster, cluster.create_token("dan@pve", "ro")) as single:
        report = await sync(state, single, "single")
    told = {one.section: one.message for one in report.notes}
    assert "VM.Audit on /vms would show all" in told["qemu"]
    assert "Datastore.Audit on /storage would show all" in told["storage"]
    assert "Pool.Audit on /pool would show all" in told["pool"]
    assert [one.key for one in state.reader().resources("single", "qemu")] == ["100"]
    # Whatever else there is: shown to everybody, or told which privilege shows it.
    hints = {
        one.section
        for one in (*report.notes, *report.failures)
        if re.search(r"[A-Z]\w+\.(Audit|Modify) on /\S* would show", one.message)
    }
    absent = {"ha-group", *(one for one in SETTINGS if one.startswith("ceph-"))}
    assert set(SETTINGS) - hints - absent == _SHOWN_TO_ALL


_SHOWN_TO_ALL = {"acme-account", "firewall-group", "node-certificate", "role"}


async def test_a_refused_token_changes_nothing(
    state: State, pve: AsyncClient, cluster: SimulatedCluster
) -> None:
    await sync(state, pve, "lab")
    before = state.reader().resources("lab")
    wrong = "root@pam!demo=00000000-0000-0000-0000-000000000000"
    async with _client(cluster, wrong) as client:
        with pytest.raises(AuthenticationFailed):
            await sync(state, client, "lab")
    assert state.reader().resources("lab") == before
    assert state.reader().runs("lab")[0].status == "failed"
    await sync(state, pve, "lab")  # the lease was given back


async def test_two_syncs_of_one_cluster_exclude_each_other(state: State, pve: AsyncClient) -> None:
    held = state.writer().leases.acquire("sync/lab", holder="alice on another host", seconds=60)
    with pytest.raises(LeaseHeld, match="alice"):
        await sync(state, pve, "lab")
    await sync(state, pve, "other")
    state.writer().leases.release(held)
    await sync(state, pve, "lab")


async def test_progress_is_told(state: State, pve: AsyncClient) -> None:
    heard: list[SyncEvent] = []
    report = await sync(state, pve, "lab", on_event=heard.append, concurrency=2)
    assert isinstance(heard[0], SyncStarted)
    assert isinstance(heard[-1], SyncFinished)
    assert heard[-1].report == report
    read = {event.section for event in heard if isinstance(event, SectionRead)}
    written = [event.report.name for event in heard if isinstance(event, SectionWritten)]
    assert read == set(written) == {"task", *KINDS, *SETTINGS}
    assert written[0] == "task"
    guests = [event for event in heard if isinstance(event, GuestsRead)]
    assert any((event.done, event.total) == (2, 2) for event in guests)


async def test_a_pool_is_recorded_with_its_members(
    state: State, pve: AsyncClient, cluster: SimulatedCluster
) -> None:
    await pve.pools.post(poolid="prod", comment="all of it")
    await pve.pools("prod").put(vms=["100", "200"])
    await sync(state, pve, "lab")
    pool = state.reader().resource("lab", "pool", "prod")
    assert pool.config == {"comment": "all of it", "members": ["lxc/200", "qemu/100"]}
    cluster.clock.advance(60)
    await pve.pools("prod").put(vms=["100", "200"], delete=True)
    await pve.pools("prod").delete()
    report = await sync(state, pve, "lab")
    assert report.complete, report.failures
    assert state.reader().resources("lab", "pool") == ()
