"""How hard a sync asks, and what it tells of its own cost: as the server sees it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from datetime import timedelta
from typing import Any, TypeVar

import attrs
import httpx
import pytest

from pmpc_state import (
    SETTINGS,
    GuestsRead,
    State,
    Sweep,
    SyncEvent,
    SyncMode,
    SyncReport,
    measure,
    sync,
    sync_problem,
)
from proxmox_client import AsyncClient
from proxmox_client.testing import SimulatedCluster
from tests.lab.virtual_time import run_virtually

T = TypeVar("T")
_ANSWERED_AFTER = 0.3


@attrs.define(eq=False)
class Server(httpx.AsyncBaseTransport):
    """Answers after a while, and remembers when each request came and how many were there."""

    inner: httpx.AsyncBaseTransport
    came: list[float] = attrs.field(factory=list[float])
    paths: Counter[str] = attrs.field(factory=Counter[str])
    size: int = 0
    here: int = 0
    most_here: int = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.came.append(asyncio.get_running_loop().time())
        self.paths[request.url.path.removeprefix("/api2/json")] += 1
        self.here += 1
        self.most_here = max(self.most_here, self.here)
        try:
            await asyncio.sleep(_ANSWERED_AFTER)
            response = await self.inner.handle_async_request(request)
            self.size += len(response.content)
            return response
        finally:
            self.here -= 1

    def most_in_a_second(self) -> int:
        times = sorted(self.came)
        return max(
            sum(moment <= other < moment + 1 - 1e-5 for other in times[index:])
            for index, moment in enumerate(times)
        )


@attrs.define(eq=False)
class Lab:
    cluster: SimulatedCluster
    server: Server
    state: State
    token: str

    def sync(self, **more: Any) -> SyncReport:
        """Run a sync on the virtual clock."""
        return self.run(lambda pve: sync(self.state, pve, "lab", **more))

    def measure(self, **more: Any) -> int:
        """Take over statistics on the virtual clock."""
        return self.run(lambda pve: measure(self.state, pve, "lab", **more))

    def run(self, work: Callable[[AsyncClient], Coroutine[Any, Any, T]]) -> T:
        """Run something with a client, on the virtual clock."""

        async def run() -> T:
            async with AsyncClient(
                "https://pve1", token=self.token, transport=self.server, now=self.cluster.clock.now
            ) as pve:
                return await work(pve)

        self.server.came.clear()
        self.server.paths.clear()
        self.server.most_here = self.server.size = 0
        return run_virtually(self.cluster.clock, run)


@pytest.fixture
def lab(state: State, clock: Any) -> Iterator[Lab]:
    cluster = SimulatedCluster(nodes=("pve1", "pve2"), seed=1, clock=clock)
    for vmid in range(100, 112):
        cluster.add_vm("pve1", vmid, {"name": f"vm{vmid}"}, status="running")
    server = Server(cluster.async_transport())
    yield Lab(cluster, server, state, cluster.create_token("root@pam", "demo"))
    assert server.here == 0


@pytest.mark.parametrize("concurrency", [1, 3, 12])
def test_never_are_more_requests_on_their_way_than_allowed(lab: Lab, concurrency: int) -> None:
    report = lab.sync(concurrency=concurrency, without=("*",))
    assert report.complete, report.failures
    assert lab.server.most_here == concurrency


@pytest.mark.parametrize("rate", [5, 40])
def test_never_are_more_requests_made_in_a_second_than_allowed(lab: Lab, rate: float) -> None:
    report = lab.sync(rate=rate, without=("node-*", "ceph-*", "guest-*"))
    assert report.complete, report.failures
    assert len(lab.server.came) > 60
    assert lab.server.most_in_a_second() == rate
    assert max(lab.server.came) - min(lab.server.came) >= (len(lab.server.came) - 1) / rate - 1e-3


def test_statistics_keep_to_the_same_bounds(lab: Lab) -> None:
    lab.cluster.clock.advance(3600)
    lab.sync(without=("*",))
    assert lab.measure(concurrency=2, rate=4) > 0
    assert lab.server.most_here <= 2
    assert lab.server.most_in_a_second() <= 4


@pytest.mark.parametrize("mode", list(SyncMode))
def test_each_section_tells_its_requests_bytes_and_seconds(lab: Lab, mode: SyncMode) -> None:
    lab.sync()
    lab.cluster.clock.advance(1800)
    report = lab.sync(mode=mode)
    told = {one.name: one for one in report.sections}
    asked = lab.server.paths
    assert told["storage"].requests == asked["/storage"]
    assert told["qemu"].requests == sum(
        times for path, times in asked.items() if path.endswith(("/config", "/pending"))
        and "/qemu/" in path
    )  # fmt: skip
    assert told["guest-firewall"].requests == sum(
        times for path, times in asked.items() if "/qemu/" in path and "/firewall/" in path
    )
    assert told["task"].requests >= 2
    for one in told.values():
        assert (one.received > 0) == (one.seconds >= _ANSWERED_AFTER) == (one.requests > 0)
    # What belongs to no section: the inventory, what the token may do, the server's version.
    of_none = {"/nodes", "/cluster/resources", "/access/permissions", "/version",
               "/cluster/ceph/metadata"}  # fmt: skip
    alone = sum(asked[path] for path in of_none)
    assert sum(one.requests for one in told.values()) + alone == asked.total()
    assert report.figures.requests == asked.total()
    assert report.figures.received == lab.server.size


def test_nothing_changed_costs_the_inventory_and_the_sweeps_share_and_no_history(lab: Lab) -> None:
    whole = lab.sync().figures.requests
    lab.cluster.clock.advance(360)  # a tenth of the hour
    report = lab.sync(mode=SyncMode.INCREMENTAL, sweep=Sweep(timedelta(hours=1)))
    assert [one.history_rows for one in report.sections] == [0] * len(report.sections)
    assert 0.05 * whole < report.figures.requests - 6 < 0.15 * whole + 5
    lab.cluster.clock.advance(360)
    report = lab.sync(mode=SyncMode.INCREMENTAL, sweep=Sweep(most=0))
    assert report.figures.requests == 6


def test_what_is_left_out_is_not_asked_for_and_stays_recorded(lab: Lab, state: State) -> None:
    lab.sync()
    before = {one.address for one in state.reader().resources("lab")}
    lab.cluster.clock.advance(60)
    report = lab.sync(without=("node-*", "guest-firewall", "content"))
    names = {one.name for one in report.sections}
    assert names & {"content", "guest-firewall", "node-dns"} == set()
    assert "user" in names
    assert not [path for path in lab.server.paths if path.endswith(("/content", "/firewall/rules"))
                and path.startswith("/nodes")]  # fmt: skip
    assert {one.address for one in state.reader().resources("lab")} == before
    assert all(one.known for one in state.reader().resources("lab"))


def test_everything_is_read_unless_it_is_left_out(lab: Lab) -> None:
    assert {one.name for one in lab.sync().sections} >= set(SETTINGS)


@pytest.mark.parametrize(
    ("without", "concurrency", "rate", "said"),
    [
        (("nodes-*",), 16, None, r"cannot leave out 'nodes-\*': .* they are acl, "),
        (("qemu",), 16, None, "cannot leave out 'qemu'"),
        ((), 0, None, "cannot read with 0 requests at once; allow at least 1"),
        ((), 16, 0.0, "cannot read with 0 requests in a second; allow more than 0"),
    ],
)
def test_options_that_make_no_sense_are_refused_before_anything_is_asked(
    lab: Lab, without: tuple[str, ...], concurrency: int, rate: float | None, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        lab.sync(without=without, concurrency=concurrency, rate=rate)
    assert lab.server.came == []
    assert sync_problem((), 1, 0.5) is None


def test_a_sync_that_is_cancelled_leaves_nothing_behind(lab: Lab, state: State) -> None:
    def stop(event: SyncEvent) -> None:
        if isinstance(event, GuestsRead):
            running = asyncio.current_task()
            assert running is not None
            stopped.append(running)
            task[0].cancel()

    stopped: list[asyncio.Task[Any]] = []
    task: list[asyncio.Task[Any]] = []

    async def run(pve: AsyncClient) -> None:
        task.append(asyncio.ensure_future(sync(state, pve, "lab", on_event=stop, concurrency=2)))
        with pytest.raises(asyncio.CancelledError):
            await task[0]

    lab.run(run)
    assert stopped
    assert lab.sync(without=("*",)).complete  # the lease was given back
