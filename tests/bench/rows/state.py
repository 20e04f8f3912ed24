"""The state at scale: an unchanged sync, a hundred snapshots, the past and differences."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from pmpc_state import State, SyncReport, backup, sync
from pmpc_state.testing import Recorder
from proxmox_client import AsyncClient
from proxmox_client.testing import SimulatedCluster
from proxmox_client.testing.clock import VirtualClock
from tests.bench.measure import Row, fastest

NODES = 32
GUESTS = 10_000
RECORDED = 2_000
"""Guests of the hundred snapshots; the ratios do not depend on it, the time to make them does."""
SNAPSHOTS = 100
REPEATS = 5


def rows() -> Iterator[Row]:
    """Measure in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        yield from _unchanged(Path(folder))
        yield from _snapshots(Path(folder))


def _unchanged(folder: Path, guests: int = GUESTS) -> Iterator[Row]:
    """Sync a simulated cluster twice; the peer is reading the same configurations and no more."""
    cluster = SimulatedCluster(nodes=tuple(f"pve{n}" for n in range(1, NODES + 1)), seed=1)
    for index in range(guests):
        config = {"name": f"guest-{index}", "memory": 512, "cores": 1 + index % 4}
        cluster.add_vm(f"pve{1 + index % NODES}", 100 + index, config)
    token = cluster.create_token("root@pam", "bench")

    async def look(state: State) -> SyncReport:
        async with _client(cluster, token) as pve:
            return await sync(state, pve, "bench")

    async def read() -> None:
        async with _client(cluster, token) as pve:
            for index in range(guests):
                await pve.nodes(f"pve{1 + index % NODES}").qemu(100 + index).config.get()

    with State.open(f"sqlite:///{folder / 'sync.sqlite'}", now=cluster.clock.now) as state:
        first = _seconds(lambda: asyncio.run(look(state)))
        cluster.clock.advance(60)
        report: list[SyncReport] = []
        again = _seconds(lambda: report.append(asyncio.run(look(state))))
        written = sum(section.history_rows for section in report[0].sections)
    bare = _seconds(lambda: asyncio.run(read()))
    yield Row(f"history rows of an unchanged sync / {guests:,} guests", written, guests, "rows",
              0, "lower")  # fmt: skip
    yield Row("first sync / reading the configurations only", first, bare, "s", 2.5, "lower")
    yield Row("unchanged sync / reading the configurations only", again, bare, "s", 2, "lower")


def _client(cluster: SimulatedCluster, token: str) -> AsyncClient:
    return AsyncClient(
        "https://pve1",
        token=token,
        transport=cluster.async_transport(),
        sleep=cluster.clock.asleep,
        now=cluster.clock.now,
    )


def _seconds(work: Any) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _guest(number: int, memory: int) -> dict[str, Any]:
    return {
        "name": f"guest-{number}.example",
        "memory": memory,
        "cores": 4,
        "sockets": 1,
        "ostype": "l26",
        "scsihw": "virtio-scsi-single",
        "scsi0": f"local-lvm:vm-{number}-disk-0,discard=on,iothread=1,size=32G",
        "net0": f"virtio=BC:24:11:00:{number // 256:02X}:{number % 256:02X},bridge=vmbr0,tag=20",
        "smbios1": f"uuid=00000000-0000-4000-8000-{number:012}",
        "tags": "prod;web",
    }


def _snapshots(folder: Path, guests: int = RECORDED, count: int = SNAPSHOTS) -> Iterator[Row]:
    """Take snapshots with 1 % change between them; the peer keeps a full copy of each."""
    path, clock = folder / "snapshots.sqlite", VirtualClock()
    there = {str(100 + number): _guest(number, 512) for number in range(guests)}
    moments: list[datetime] = []
    sizes: list[int] = []
    with State.open(f"sqlite:///{path}", now=clock.now) as state:
        recorder = Recorder(state)
        for turn in range(count):
            for number in range(turn % 100, guests, 100):
                there[str(100 + number)] = _guest(number, 1024 + turn)
            recorder.look("qemu", there, cluster="bench")
            moments.append(state.writer().snapshot("bench", str(turn)).taken_at)
            clock.advance(3600)
            if turn in (0, count - 1):
                sizes.append(_size(state, folder / f"copy-{turn}.sqlite"))
        yield Row(f"size of {count} snapshots with 1 % change / size of one", sizes[1] / 1024,
                  sizes[0] / 1024, "KiB", 2.5, "lower")  # fmt: skip
        yield from _questions(state, moments, json.dumps(there))


def _questions(state: State, moments: list[datetime], copy: str) -> Iterator[Row]:
    reader, middle = state.reader(), moments[len(moments) // 2]
    past, listed, changed, copied = fastest(
        [
            lambda: reader.at("bench", middle),
            lambda: reader.find("bench", "config.memory>1G or name~guest-7", limit=50),
            lambda: reader.diff("bench", moments[-2], moments[-1]),
            lambda: json.loads(copy),
        ],
        REPEATS,
    )
    yield Row("the cluster in the past / reading a full copy", past, copied, "ms", 10, "lower")
    yield Row("difference of two snapshots / the cluster in the past", changed, past, "ms",
              0.5, "lower")  # fmt: skip
    yield Row("a filtered page of 50 / the cluster in the past", listed, past, "ms", 1, "lower")


def _size(state: State, copy: Path) -> int:
    backup(state, copy)
    return copy.stat().st_size
