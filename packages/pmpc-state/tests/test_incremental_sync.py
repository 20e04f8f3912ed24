"""Incremental syncs: what they ask for, what they find at once, and what the sweep finds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from pmpc_state import SETTINGS, ChangeKind, State, Sweep, SyncMode, SyncReport, sync
from proxmox_client import AsyncClient
from proxmox_client.testing import SimulatedCluster
from tests.lab.asked import Asked

HOUR = timedelta(hours=1)
INVENTORY = Counter({"/nodes": 1, "/cluster/resources": 1, "/cluster/tasks": 2, "/cluster/log": 2})


@pytest.fixture
def cluster() -> SimulatedCluster:
    simulated = SimulatedCluster(nodes=("pve1", "pve2", "pve3"), seed=1)
    for index in range(30):
        config = {"name": f"vm{index}", "memory": 512, "scsi0": "local-lvm:1"}
        simulated.add_vm(f"pve{1 + index % 3}", 100 + index, config)
    simulated.add_vm("pve1", 150, {"name": "busy", "memory": 512}, status="running")
    simulated.add_container("pve2", 200, {"hostname": "proxy", "memory": 256})
    return simulated


@pytest.fixture
def state(url: str, cluster: SimulatedCluster) -> Iterator[State]:
    with State.open(url, now=cluster.clock.now) as opened:
        yield opened


@pytest.fixture
def asked(cluster: SimulatedCluster) -> Asked:
    return Asked(cluster.async_transport())


@pytest.fixture
def transport(asked: Asked) -> Asked:
    return asked


@pytest.fixture
async def again(state: State, pve: AsyncClient, cluster: SimulatedCluster, asked: Asked) -> Any:
    """Record all but the settings, and give what looks at it again."""
    await sync(state, pve, "lab", without=SETTINGS)

    async def look(
        seconds: float = 0,
        *,
        within: timedelta = HOUR,
        most: int | None = None,
        without: Iterable[str] = SETTINGS,
    ) -> SyncReport:
        cluster.clock.advance(seconds)
        asked.paths.clear()
        sweep = Sweep(within, most)
        return await sync(
            state, pve, "lab", mode=SyncMode.INCREMENTAL, sweep=sweep, without=without
        )

    return look


async def test_with_nothing_to_sweep_it_is_the_inventory_and_no_more(
    again: Any, asked: Asked
) -> None:
    report = await again()
    assert asked.paths == INVENTORY
    assert report.figures.requests == INVENTORY.total()
    assert (report.mode, report.status, report.unchanged) == (SyncMode.INCREMENTAL, "ok", 0)
    assert report.kept > 30


async def test_unchanged_it_costs_the_inventory_and_the_sweeps_share(
    again: Any, asked: Asked, state: State
) -> None:
    report = await again(360)  # a tenth of the hour
    units = 30 + 2 + 1 + 3 + 7 + 2  # stopped, running, container, nodes, volume lists, lists
    swept = asked.paths.total() - INVENTORY.total()
    # Nodes cost one more request for their addresses, a pool list one for each pool.
    assert units // 10 <= swept <= units // 10 + 2
    assert [section.history_rows for section in report.sections] == [0] * len(report.sections)
    assert state.reader().runs("lab")[0].figures["requests"] == asked.paths.total()


async def test_a_cap_bounds_the_sweep_and_the_report_says_how_old_things_are(
    again: Any, asked: Asked, cluster: SimulatedCluster
) -> None:
    report = await again(7200, most=5)
    assert asked.paths.total() <= INVENTORY.total() + 5 + 1
    assert report.finished_at - report.oldest >= timedelta(hours=2)
    by_kind = {one.kind: one for one in report.freshness}
    assert by_kind["qemu"].resources == 31
    assert by_kind["qemu"].unknown == 0


async def test_everything_is_proven_within_the_time_at_a_steady_pace(
    again: Any, state: State, cluster: SimulatedCluster, asked: Asked
) -> None:
    total = 0
    for _ in range(14):
        report = await again(600)
        total += asked.paths.total() - INVENTORY.total()
        assert report.finished_at - report.oldest <= HOUR
    units = 45
    assert total <= units * 14 / 6 * 1.4  # and not much more often
    assert all(one.proven_at is not None for one in state.reader().resources("lab"))


async def test_a_synchronous_edit_the_lists_show_is_found_at_once(
    again: Any, state: State, cluster: SimulatedCluster
) -> None:
    cluster.edit(105, memory=2048, name="renamed")
    cluster.clock.advance(11)  # the lists are ten seconds old
    report = await again(0)
    assert report.changed == 1
    assert state.reader().resource("lab", "qemu", "105").name == "renamed"


async def test_a_synchronous_edit_only_the_log_tells_is_found_at_once_with_its_user(
    again: Any, state: State, cluster: SimulatedCluster, asked: Asked
) -> None:
    moment = state.reader().whole_at("lab")
    cluster.edit(105, user="alice@pve", description="in no list")
    report = await again(1)
    assert report.changed == 1
    assert asked.paths["/nodes/pve3/qemu/105/config"] == 1
    [change] = state.reader().diff("lab", moment)
    assert (change.address, change.task, change.user) == ("qemu/105", None, "alice@pve")


async def test_a_synchronous_edit_no_list_shows_is_found_by_the_sweep(
    again: Any, state: State, cluster: SimulatedCluster
) -> None:
    moment = state.reader().whole_at("lab")
    cluster.guests[105].config["description"] = "in no list and in no log"
    found = 0
    for _ in range(6):
        found += (await again(600)).changed
    assert found == 1
    [change] = state.reader().diff("lab", moment)
    assert (change.address, change.task, change.user) == ("qemu/105", None, None)


async def test_a_task_makes_its_guest_read_and_is_named(
    again: Any, state: State, pve: AsyncClient, asked: Asked, cluster: SimulatedCluster
) -> None:
    before = state.reader().whole_at("lab")
    cluster.clock.advance(5)
    task = await pve.nodes("pve2").qemu(101).config.post(description="by a task")
    await task.wait()
    report = await again(1)
    assert asked.paths["/nodes/pve2/qemu/101/config"] == 1
    assert report.changed == 1
    [change] = state.reader().diff("lab", before)
    assert (change.task, change.user) == (task.upid.format(), "root@pam!demo")


async def test_a_new_guest_with_its_disk_and_one_that_went(
    again: Any, state: State, pve: AsyncClient, cluster: SimulatedCluster, asked: Asked
) -> None:
    before = state.reader().whole_at("lab")
    cluster.add_vm("pve2", 300, {"name": "new", "scsi0": "local-lvm:2"})
    await (await pve.nodes("pve2").qemu(101).delete()).wait()
    report = await again(20)
    changes = {one.address: one for one in state.reader().diff("lab", before)}
    assert changes["qemu/300"].kind is ChangeKind.CREATED
    assert (changes["qemu/101"].kind, changes["qemu/101"].user) == (
        ChangeKind.REMOVED, "root@pam!demo",
    )  # fmt: skip
    kinds = sorted(one.kind.value for one in changes.values() if one.resource_kind == "content")
    assert kinds == ["created", "removed"]
    assert report.complete, report.failures


async def test_what_a_list_leaves_out_is_asked_for_before_it_is_gone(
    again: Any, state: State, cluster: SimulatedCluster, asked: Asked
) -> None:
    guest = cluster.guests.pop(101)
    report = await again(11)
    assert sum(asked.paths[f"/nodes/pve2/qemu/{key}/config"] for key in (101,)) == 1
    assert report.vanished >= 1
    cluster.guests[101] = guest
    assert (await again(11)).created >= 1
    assert state.reader().resource("lab", "qemu", "101").config["name"] == "vm1"


async def test_a_node_that_is_down_hides_its_objects_and_they_are_read_when_it_is_back(
    again: Any, state: State, cluster: SimulatedCluster
) -> None:
    before = state.reader().whole_at("lab")
    cluster.nodes["pve3"].online = False
    report = await again(60)
    assert (report.vanished, report.status) == (0, "partial")
    assert not state.reader().resource("lab", "qemu", "102").known
    hidden = [one for one in state.reader().resources("lab", "content") if not one.known]
    assert hidden
    cluster.nodes["pve3"].online = True
    back = await again(60)
    assert back.complete, back.failures
    assert all(one.known for one in state.reader().resources("lab"))
    assert state.reader().diff("lab", before) == ()


async def test_a_guest_that_starts_or_restarts_is_read(
    again: Any, cluster: SimulatedCluster, asked: Asked
) -> None:
    cluster.guests[105].status = "running"
    await again(11)
    assert asked.paths["/nodes/pve3/qemu/105/config"] == 1
    await again(11)
    assert asked.paths["/nodes/pve3/qemu/105/config"] == 0


async def test_pools_are_read_when_their_members_move(
    again: Any, state: State, pve: AsyncClient, asked: Asked
) -> None:
    await pve.pools.post(poolid="prod")
    await again(1)
    await pve.pools("prod").put(vms=["101"])
    await again(1)
    assert state.reader().resource("lab", "pool", "prod").config["members"] == ["qemu/101"]
    await again(1)
    assert asked.paths["/pools"] == 0


async def test_collections_are_swept_too_also_empty_ones(
    again: Any, pve: AsyncClient, asked: Asked, state: State
) -> None:
    await again(0, without=())  # never read: read now
    assert asked.paths["/cluster/ha/rules"] == 1
    await again(0, without=())
    assert asked.paths == INVENTORY
    counted: Counter[str] = Counter()
    for _ in range(6):
        report = await again(600, without=())
        counted += asked.paths
        assert report.complete, report.failures
    assert 1 <= counted["/cluster/ha/rules"] <= 2
    assert 1 <= counted["/access/users"] <= 4  # of users, and of their tokens


async def test_the_first_sync_is_full_whatever_was_asked_for(
    state: State, pve: AsyncClient
) -> None:
    report = await sync(state, pve, "other", mode=SyncMode.INCREMENTAL)
    assert report.complete
    assert report.created > 30


async def test_tasks_beyond_the_clusters_short_list_are_fetched_from_their_node(
    again: Any, state: State, pve: AsyncClient, cluster: SimulatedCluster, asked: Asked
) -> None:
    done: list[str] = []
    for index in range(30):
        task = await pve.nodes("pve1").qemu(100).config.post(description=f"no. {index}")
        await task.wait()
        done.append(task.upid.format())
    await again(1)
    assert asked.paths["/nodes/pve1/tasks"] >= 1
    assert asked.paths["/nodes/pve2/tasks"] == 0
    assert set(done) <= {one.upid for one in state.reader().tasks("lab", limit=None)}


async def test_the_end_of_a_task_that_left_the_short_list_is_learnt(
    again: Any, state: State, pve: AsyncClient, cluster: SimulatedCluster, asked: Asked
) -> None:
    task = await pve.nodes("pve1").qemu(150).status.shutdown(timeout=60)
    await again(0)
    running = {one.upid: one.ended_at for one in state.reader().tasks("lab")}
    assert running[task.upid.format()] is None
    await again(120)
    ended = {one.upid: one.ended_at for one in state.reader().tasks("lab")}
    assert ended[task.upid.format()] is not None


async def test_an_inactive_storage_is_a_reason_and_no_failure(
    state: State, pve: AsyncClient, cluster: SimulatedCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    from proxmox_client.testing.handlers import cluster as listed

    row = listed.storage_row

    def inactive(*arguments: Any) -> dict[str, Any]:
        entry = row(*arguments)
        return {**entry, "status": "unknown"} if entry["storage"] == "shared" else entry

    cluster.add_volume("shared", "iso/debian.iso", 700)
    await sync(state, pve, "lab")
    monkeypatch.setattr(listed, "storage_row", inactive)
    report = await sync(state, pve, "lab")
    assert (report.status, report.complete) == ("ok", True)
    assert {one.scope for one in report.notes} == {"storage shared"}
    volume = state.reader().resource("lab", "content", "shared:iso/debian.iso")
    assert (volume.known, volume.reason) == (False, "the storage is not active")
