"""The state at scale: syncs of ten thousand guests, and what they cost beside the bare reads."""

from __future__ import annotations

import asyncio
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import httpx

from pmpc_state import COLLECTIONS, Collection, State, Sweep, SyncMode, SyncReport, sync
from proxmox_client import AsyncClient
from proxmox_client.testing import SimRequest, SimulatedCluster
from tests.bench.measure import Row

NODES = 32
GUESTS = 10_000
PACE = 60.0
"""Seconds between syncs; everything is read again within an hour."""


def rows() -> Iterator[Row]:
    """Measure in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        yield from syncs(Path(folder))


def syncs(folder: Path, guests: int = GUESTS) -> Iterator[Row]:
    """Sync a simulated cluster again and again; the peer reads the configurations and no more."""
    bench = _Bench(guests)
    bare = bench.seconds(bench.read_configurations)
    with State.open(f"sqlite:///{folder / 'sync.sqlite'}", now=bench.cluster.clock.now) as state:
        first, _ = bench.sync(state, SyncMode.FULL)
        full, unchanged = bench.sync(state, SyncMode.FULL)
        itself = bench.answer_alone()
        quick, swept = bench.sync(state, SyncMode.INCREMENTAL)
        memory, _ = bench.peak(state)
        bench.edit(guests // 100)
        some, edited = bench.sync(state, SyncMode.INCREMENTAL)
    label = f"{guests:,} guests"
    nothing = _history(unchanged) + _history(swept)
    budget = _inventory_and_sweep(guests)
    yield Row(f"history rows of unchanged syncs / {label}", nothing, guests, "rows", 0, "lower")
    yield Row("history rows of 1 % changed / what was changed", _history(edited), guests // 100,
              "rows", 1, "lower")  # fmt: skip
    yield Row("requests of an unchanged incremental sync / inventory plus sweep",
              swept.figures.requests, budget, "requests", 1, "lower")  # fmt: skip
    yield Row("unchanged sync / reading the configurations only", quick, bare, "s", 1, "lower")
    yield Row("sync of 1 % changed / reading the configurations only", some, bare, "s", 1,
              "lower")  # fmt: skip
    yield Row("first sync / reading the configurations only", first, bare, "s", 3.5, "lower")
    # It reads volumes, pools and storages too, and records that everything was proven.
    yield Row("unchanged full sync / reading the configurations only", full, bare, "s", 3,
              "lower")  # fmt: skip
    yield Row("unchanged full sync / the simulator's own time for the same requests", full, itself,
              "s", 12, "lower")  # fmt: skip
    yield Row("memory at the peak of an incremental sync / bytes it received", memory,
              swept.figures.received / 2**20, "MiB", 40, "lower")  # fmt: skip
    yield from _everything(folder, bench)


def _everything(folder: Path, bench: _Bench) -> Iterator[Row]:
    """Sync all that PVE has settings for too: firewall and snapshots of each guest are most."""
    with State.open(f"sqlite:///{folder / 'all.sqlite'}", now=bench.cluster.clock.now) as state:
        first, whole = bench.sync(state, SyncMode.FULL, COLLECTIONS)
        first_alone = bench.answer_alone()
        quick, swept = bench.sync(state, SyncMode.INCREMENTAL, COLLECTIONS)
        quick_alone = bench.answer_alone()
    share = PACE / 3600 * 1.05
    budget = _inventory_and_sweep(0) + int(whole.figures.requests * share)
    yield Row("everything: first sync / the simulator's own time for the same requests", first,
              first_alone, "s", 12, "lower")  # fmt: skip
    # The fewer requests it makes, the smaller the peer; what is left of ours is the comparison of
    # the lists with what is recorded of 10,000 guests and 20,000 settings of theirs.
    yield Row("everything: unchanged sync / the simulator's own time for the same requests", quick,
              quick_alone, "s", 30, "lower")  # fmt: skip
    yield Row("everything: requests of an unchanged sync / inventory plus its share of a full one",
              swept.figures.requests, budget, "requests", 1.05, "lower")  # fmt: skip
    yield Row("everything: history rows of an unchanged sync / guests", _history(swept),
              bench.guests, "rows", 0, "lower")  # fmt: skip


class _Bench:
    """A simulated cluster and what is done with it."""

    def __init__(self, guests: int) -> None:
        nodes = tuple(f"pve{n}" for n in range(1, NODES + 1))
        self.cluster = SimulatedCluster(nodes=nodes, seed=1)
        self.guests = guests
        for index in range(guests):
            config = {"name": f"guest-{index}", "memory": 512, "cores": 1 + index % 4}
            self.cluster.add_vm(f"pve{1 + index % NODES}", 100 + index, config)
        self.cluster.clock.advance(PACE)
        self.token = self.cluster.create_token("root@pam", "bench")
        self.asked: list[SimRequest] = []

    def client(self) -> AsyncClient:
        """Return a client of the cluster in this process."""
        return AsyncClient(
            "https://pve1",
            token=self.token,
            transport=_Remembering(self.cluster.async_transport(), self.asked),
            sleep=self.cluster.clock.asleep,
            now=self.cluster.clock.now,
        )

    def sync(
        self, state: State, mode: SyncMode, collections: Iterable[Collection] = ()
    ) -> tuple[float, SyncReport]:
        """Sync once; return how long it took, and wait until the next.

        Nodes, guests, storages, volumes and pools only, unless collections are named.
        """
        self.asked.clear()
        reports: list[SyncReport] = []

        async def run() -> None:
            async with self.client() as pve:
                reports.append(
                    await sync(
                        state, pve, "bench", mode=mode, sweep=Sweep(), collections=collections
                    )
                )

        taken = self.seconds(run)
        self.cluster.clock.advance(PACE)
        return taken, reports[0]

    def peak(self, state: State) -> tuple[float, SyncReport]:
        """Sync once; return the most memory it had at once, in MiB."""
        tracemalloc.start()
        _, report = self.sync(state, SyncMode.INCREMENTAL)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most / 2**20, report

    async def read_configurations(self) -> None:
        """Read every guest's configuration, one after the other."""
        async with self.client() as pve:
            for index in range(self.guests):
                await pve.nodes(f"pve{1 + index % NODES}").qemu(100 + index).config.get()

    def answer_alone(self) -> float:
        """Return how long the simulator takes for the requests of the last sync, without us."""
        asked = tuple(self.asked)
        start = time.perf_counter()
        for request in asked:
            self.cluster.handle(request)
        return time.perf_counter() - start

    def edit(self, count: int) -> None:
        """Edit guests behind our back, so that the lists tell."""
        for index in range(0, self.guests, self.guests // count):
            self.cluster.edit(100 + index, memory=1024)
        self.cluster.clock.advance(11)

    @staticmethod
    def seconds(work: Callable[[], Any]) -> float:
        """Return how long a coroutine takes."""
        start = time.perf_counter()
        asyncio.run(work())
        return time.perf_counter() - start


class _Remembering(httpx.AsyncBaseTransport):
    """Asks another transport, and remembers what was asked."""

    def __init__(self, inner: httpx.AsyncBaseTransport, asked: list[SimRequest]) -> None:
        self._inner = inner
        self._asked = asked

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Remember a request and pass it on."""
        url = request.url
        path = url.path.removeprefix("/api2/json")
        headers = {"authorization": request.headers["authorization"]}
        self._asked.append(SimRequest("GET", path, dict(url.params), headers, via="pve1"))
        return await self._inner.handle_async_request(request)


def _history(report: SyncReport) -> int:
    return sum(section.history_rows for section in report.sections if section.name != "task")


def _inventory_and_sweep(guests: int) -> int:
    """Return what an unchanged incremental sync may ask: six lists, and its share of the rest.

    The rest: stopped guests, nodes, two local storages of each, a shared one, two more lists; a
    node costs one more request for the addresses.
    """
    share = PACE / 3600 * 1.05
    return 6 + int((guests + 3 * NODES + 3) * share) + 3
