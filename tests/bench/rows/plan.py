"""How long a plan of many existing VMs takes when nothing is to be changed."""

from __future__ import annotations

import asyncio
import gc
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from pmpc_reconcile.engine import Reconciler
from pmpc_reconcile.identity import Marker, new_marker_id, with_marker
from pmpc_reconcile.manifests import Manifest, load_text
from pmpc_state import State
from proxmox_client import ApiToken, AsyncClient
from proxmox_client.testing import SimulatedCluster
from tests.bench.measure import Row

FEW, MANY = 1000, 5000
FIRST = 10_000
RELEASE = "bench"
AT_ONCE = 16
REPEATS = 3
CONFIG = {
    "cores": "2",
    "memory": "2048",
    "scsihw": "virtio-scsi-single",
    "net0": "virtio,bridge=vmbr0",
    "boot": "order=net0",
    "tags": "bench;web",
}
MANIFEST = """
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {{name: web-{number}}}
spec:
  config:
    cores: 2
    memory: 2048
    scsihw: virtio-scsi-single
    net0: {{model: virtio, bridge: vmbr0}}
    boot: [net0]
    tags: [web, bench]
"""


def cluster_of(count: int) -> SimulatedCluster:
    """Return a cluster with that many VMs of ours on three nodes."""
    cluster = SimulatedCluster()
    nodes = sorted(cluster.nodes)
    for number in range(count):
        marker = Marker(RELEASE, f"VirtualMachine/web-{number}", new_marker_id())
        config = {**CONFIG, "name": f"web-{number}", "description": with_marker(None, marker)}
        cluster.add_vm(nodes[number % len(nodes)], FIRST + number, config)
    return cluster


def client_of(cluster: SimulatedCluster) -> AsyncClient:
    """Return a client in the same process; its clock is the cluster's."""
    token = ApiToken.parse(cluster.create_token("root@pam", "bench"))
    return AsyncClient(
        "https://pve1:8006",
        token=token,
        transport=cluster.async_transport(),
        sleep=cluster.clock.asleep,
        now=cluster.clock.now,
    )


def manifests_of(count: int) -> tuple[Manifest, ...]:
    """Return the manifests of those VMs."""
    return load_text("---".join(MANIFEST.format(number=number) for number in range(count)))


async def cpu_seconds(work: Callable[[], Awaitable[object]]) -> float:
    """Return the processor time one call takes, garbage collected beforehand."""
    gc.collect()
    start = time.process_time()
    await work()
    return time.process_time() - start


async def read_all(client: AsyncClient, cluster: SimulatedCluster) -> None:
    """Read every configuration as a plan has to, and nothing else."""
    left = iter(sorted(cluster.guests))

    async def reader() -> None:
        for vmid in left:
            node = cluster.guests[vmid].node
            await client.request("GET", f"/nodes/{node}/qemu/{vmid}/config")

    await asyncio.gather(*(reader() for _ in range(AT_ONCE)))


async def measured(count: int, folder: Path) -> tuple[float, float]:
    """Return the CPU seconds of an empty plan of that many VMs, and of reading them only."""
    cluster, manifests = cluster_of(count), manifests_of(count)
    with State.open(f"sqlite:///{folder / f'{count}.db'}", now=cluster.clock.now) as state:
        async with client_of(cluster) as client:
            clock = cluster.clock
            engine = Reconciler(client, state, "bench", now=clock.now, sleep=clock.asleep)
            # What is found by its marker becomes recorded; from then on nothing is to be done.
            await engine.apply(await engine.plan(manifests, RELEASE))

            async def plan() -> None:
                made = await engine.plan(manifests, RELEASE)
                assert made.empty
                assert not any(item.record for item in made.objects)

            async def read() -> None:
                await read_all(client, cluster)

            plans: list[float] = []
            reads: list[float] = []
            for _ in range(REPEATS):
                plans.append(await cpu_seconds(plan))
                reads.append(await cpu_seconds(read))
            return min(plans), min(reads)


def rows() -> Iterator[Row]:
    """Compare plans of many and of few objects, and a plan with the reads it rests on."""
    with tempfile.TemporaryDirectory() as folder:
        few, _ = asyncio.run(measured(FEW, Path(folder)))
        many, reads = asyncio.run(measured(MANY, Path(folder)))
    yield Row(
        f"empty plan per object, {MANY:,} VMs / {FEW:,} VMs",
        many / MANY * 1e6,
        few / FEW * 1e6,
        "µs CPU",
        1.3,
        "lower",
    )
    # No peer plans like this; the bound keeps what was measured (6) from growing unseen.
    yield Row(f"empty plan of {MANY:,} VMs / only reading them", many, reads, "s CPU", 8, "lower")
