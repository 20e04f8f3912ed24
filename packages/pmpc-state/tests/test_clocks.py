"""Our clock and the cluster's may differ by hours: nothing is lost, and nothing is read twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import httpx
import pytest

from pmpc_state import State, Sweep, SyncMode, SyncReport, sync
from pmpc_state.discovery.clocks import ClockWatch
from proxmox_client import AsyncClient
from proxmox_client.observing import Finished, Sending
from proxmox_client.testing import SimulatedCluster

NO_SWEEP = Sweep(most=0)
INVENTORY = Counter({"/nodes": 1, "/cluster/resources": 1, "/cluster/tasks": 2, "/cluster/log": 2})
HOURS = 3600.0
SKEWS = [5 * HOURS, -5 * HOURS]


@attrs.define
class Lab:
    """A cluster, and this machine with a clock of its own."""

    cluster: SimulatedCluster
    skew: float
    asked: Counter[str] = attrs.field(factory=Counter[str])
    since: list[str] = attrs.field(factory=list[str])

    def now(self) -> float:
        return self.cluster.clock.now() + self.skew

    async def hear(self, request: httpx.Request) -> None:
        self.asked[request.url.path.removeprefix("/api2/json")] += 1
        self.since += request.url.params.get_list("since")


@pytest.fixture(params=SKEWS, ids=["ours ahead", "ours behind"])
def lab(request: pytest.FixtureRequest) -> Lab:
    cluster = SimulatedCluster(nodes=("pve1", "pve2"), seed=1)
    for vmid in range(100, 106):
        config = {"name": f"vm{vmid}", "memory": 512, "scsi0": "local-lvm:1"}
        cluster.add_vm("pve1", vmid, config)
    return Lab(cluster, request.param)


@pytest.fixture
def state(url: str, lab: Lab) -> Iterator[State]:
    with State.open(url, now=lab.now) as opened:
        yield opened


class _Heard(httpx.AsyncBaseTransport):
    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._inner = lab.cluster.async_transport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await self._lab.hear(request)
        return await self._inner.handle_async_request(request)


@pytest.fixture
async def pve(lab: Lab) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(
        "https://pve1",
        token=lab.cluster.create_token("root@pam", "demo"),
        transport=_Heard(lab),
        sleep=lab.cluster.clock.asleep,
        now=lab.now,
    ) as client:
        yield client


@pytest.fixture
async def again(state: State, pve: AsyncClient, lab: Lab) -> Any:
    """Record the cluster, and give what looks at it again after some seconds, sweeping nothing."""
    first = await sync(state, pve, "lab", without=("*",))
    assert first.complete, first.failures
    assert abs(first.figures.ahead + lab.skew) < 2

    async def look(seconds: float) -> SyncReport:
        lab.cluster.clock.advance(seconds)
        lab.asked.clear()
        lab.since.clear()
        return await sync(
            state, pve, "lab", mode=SyncMode.INCREMENTAL, sweep=NO_SWEEP,
            without=("*",),
        )  # fmt: skip

    return look


async def test_unchanged_nothing_is_read_again(again: Any, lab: Lab) -> None:
    for _ in range(3):
        await again(120)
        assert lab.asked == INVENTORY


async def test_a_task_is_found_at_once_named_and_read_once(
    again: Any, state: State, pve: AsyncClient, lab: Lab
) -> None:
    before = state.reader().whole_at("lab")
    lab.cluster.clock.advance(30)
    task = await pve.nodes("pve1").qemu(101).config.post(description="by a task")
    await task.wait()
    report = await again(60)
    assert (report.changed, lab.asked["/nodes/pve1/qemu/101/config"]) == (1, 1)
    [change] = state.reader().diff("lab", before)
    assert (change.address, change.task) == ("qemu/101", task.upid.format())
    await again(60)
    assert lab.asked == INVENTORY


async def test_an_edit_only_the_log_tells_is_found_at_once_named_and_read_once(
    again: Any, state: State, lab: Lab
) -> None:
    before = state.reader().whole_at("lab")
    lab.cluster.clock.advance(30)
    lab.cluster.edit(105, user="alice@pve", description="in no list")
    report = await again(60)
    assert (report.changed, lab.asked["/nodes/pve1/qemu/105/config"]) == (1, 1)
    [change] = state.reader().diff("lab", before)
    assert (change.address, change.user) == ("qemu/105", "alice@pve")
    await again(60)
    assert lab.asked == INVENTORY


async def test_a_removal_and_a_creation_are_credited_to_their_tasks(
    again: Any, state: State, pve: AsyncClient, lab: Lab
) -> None:
    before = state.reader().whole_at("lab")
    lab.cluster.clock.advance(30)
    await (await pve.nodes("pve1").qemu(102).delete()).wait()
    await (await pve.nodes("pve2").qemu.post(vmid=300, name="new")).wait()
    await again(60)
    changes = {one.address: one for one in state.reader().diff("lab", before)}
    assert {address: changes[address].user for address in ("qemu/102", "qemu/300")} == {
        "qemu/102": "root@pam!demo", "qemu/300": "root@pam!demo",
    }  # fmt: skip


async def test_who_did_it_before_is_not_credited_again(
    again: Any, state: State, pve: AsyncClient, lab: Lab
) -> None:
    """An edit without a trace, after a task whose effect was seen already."""
    lab.cluster.clock.advance(30)
    await (await pve.nodes("pve1").qemu(101).config.post(description="by a task")).wait()
    await again(60)
    before = state.reader().whole_at("lab")
    lab.cluster.guests[101].config["description"] = "by nobody"
    lab.cluster.clock.advance(60)
    await sync(state, pve, "lab", without=("*",))
    [change] = state.reader().diff("lab", before)
    assert (change.address, change.task, change.user) == ("qemu/101", None, None)


async def test_more_tasks_than_the_clusters_list_holds_are_asked_for_by_its_own_clock(
    again: Any, state: State, pve: AsyncClient, lab: Lab
) -> None:
    looked = lab.cluster.clock.now()
    lab.cluster.clock.advance(30)
    done: list[str] = []
    for index in range(30):
        task = await pve.nodes("pve1").qemu(100).config.post(description=f"no. {index}")
        await task.wait()
        done.append(task.upid.format())
    await again(60)
    assert lab.since
    assert all(looked - 70 <= float(since) <= looked for since in lab.since)
    assert set(done) <= {one.upid for one in state.reader().tasks("lab", limit=None)}


@pytest.mark.parametrize("jump", [3 * HOURS, -3 * HOURS])
async def test_our_clock_set_between_two_syncs_loses_nothing(
    again: Any, state: State, pve: AsyncClient, lab: Lab, jump: float
) -> None:
    before = state.reader().whole_at("lab")
    lab.cluster.clock.advance(30)
    task = await pve.nodes("pve1").qemu(101).config.post(description="by a task")
    await task.wait()
    lab.skew += jump
    report = await again(60)
    assert report.changed == 1
    [change] = state.reader().diff("lab", before)
    assert (change.address, change.task) == ("qemu/101", task.upid.format())
    lab.skew -= jump
    await again(60)
    assert lab.asked["/nodes/pve1/qemu/101/config"] == 0


def _finished(date: str) -> Finished:
    sending = Sending("x", "GET", "/nodes", None, "pve1", 1, 0)
    return Finished(sending, 200, 0.1, 10, "", date)


def test_the_answer_that_came_fastest_tells_the_clocks_apart_best() -> None:
    now = datetime(2026, 11, 22, 12, 0, 10, tzinfo=UTC)
    watch = ClockWatch(lambda: now)
    watch.after(_finished("Sun, 22 Nov 2026 13:00:03 GMT"))
    watch.after(_finished("Sun, 22 Nov 2026 13:00:09 GMT"))
    watch.after(_finished("Sun, 22 Nov 2026 13:00:07 GMT"))
    assert watch.ahead == timedelta(minutes=59, seconds=59).total_seconds()


@pytest.mark.parametrize("date", ["", "yesterday", "Sun, 22 Nov 2026 12:00:09 GMT"])
def test_clocks_that_agree_or_say_nothing_do_not_differ(date: str) -> None:
    watch = ClockWatch(lambda: datetime(2026, 11, 22, 12, 0, 10, tzinfo=UTC))
    watch.after(_finished(date))
    assert watch.ahead == 0.0
