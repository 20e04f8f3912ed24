"""What applying adds: an apply of nothing, each step next to the bare calls, clones at once."""

from __future__ import annotations

import asyncio
import resource
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pmpc_reconcile.engine import Reconciler
from pmpc_reconcile.manifests import load_text
from pmpc_state import State
from proxmox_client import AsyncClient
from proxmox_client.testing import SimulatedCluster
from tests.bench.measure import Row
from tests.bench.rows.plan import (
    FIRST,
    MANIFEST,
    RELEASE,
    client_of,
    cluster_of,
    cpu_seconds,
    manifests_of,
    read_all,
)
from tests.lab.cloning import seconds_for_clones

UNCHANGED, CHANGED, CLONES = 1000, 200, 100
WIDTHS = (4, 16, 32)


async def _unchanged(folder: Path) -> tuple[float, float]:
    """Return the CPU seconds of planning and applying nothing, and of reading the VMs only."""
    cluster, manifests = cluster_of(UNCHANGED), manifests_of(UNCHANGED)
    with State.open(f"sqlite:///{folder / 'unchanged.db'}", now=cluster.clock.now) as state:
        async with client_of(cluster) as client:
            engine = _engine(cluster, client, state)
            await engine.apply(await engine.plan(manifests, RELEASE))

            async def apply() -> None:
                report = await engine.apply(await engine.plan(manifests, RELEASE))
                assert report.ok
                assert not report.results

            return await cpu_seconds(apply), await cpu_seconds(lambda: read_all(client, cluster))


async def _changed(folder: Path) -> tuple[float, float]:
    """Return the CPU seconds of a step that changes one option, and of the calls it needs."""
    cluster, manifests = cluster_of(CHANGED), manifests_of(CHANGED)
    wanted = load_text(
        "---".join(
            MANIFEST.format(number=number).replace("memory: 2048", "memory: 4096")
            for number in range(CHANGED)
        )
    )
    with State.open(f"sqlite:///{folder / 'changed.db'}", now=cluster.clock.now) as state:
        async with client_of(cluster) as client:
            engine = _engine(cluster, client, state)
            await engine.apply(await engine.plan(manifests, RELEASE))
            plan = await engine.plan(wanted, RELEASE)

            async def apply() -> None:
                report = await engine.apply(plan)
                assert len(report.done) == CHANGED

            async def directly() -> None:
                for vmid in range(FIRST, FIRST + CHANGED):
                    await _write(client, cluster.guests[vmid].node, vmid)

            whole = await cpu_seconds(apply)
            return whole / CHANGED, await cpu_seconds(directly) / CHANGED


async def _write(client: AsyncClient, node: str, vmid: int) -> None:
    """Change an option as carefully as one can by hand: digest, task, and a look afterwards."""
    path = f"/nodes/{node}/qemu/{vmid}/config"
    before = await client.request("GET", path)
    assert isinstance(before, dict)
    change: dict[str, object] = {"memory": "3072", "digest": before["digest"]}
    upid = await client.request("POST", path, change)
    await client.task(str(upid)).wait(timeout=60)
    await client.request("GET", path)


def _engine(cluster: SimulatedCluster, client: AsyncClient, state: State) -> Reconciler:
    return Reconciler(client, state, "bench", now=cluster.clock.now, sleep=cluster.clock.asleep)


def _template() -> SimulatedCluster:
    cluster = SimulatedCluster()
    config = {"name": "debian-13", "scsihw": "virtio-scsi-single", "scsi0": "shared:8"}
    cluster.add_vm("pve1", 9000, {**config, "boot": "order=scsi0"}, template=True)
    return cluster


def rows() -> Iterator[Row]:
    """Compare applying with the bare reads and writes, and its pace with the best fixed one."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole, reads = asyncio.run(_unchanged(folder))
        step, directly = asyncio.run(_changed(folder))
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        fixed = {
            width: seconds_for_clones(_template(), folder / f"{width}.db", CLONES, width=width)
            for width in WIDTHS
        }
        found = seconds_for_clones(_template(), folder / "found.db", CLONES)
    label = f"no-change apply of {UNCHANGED:,} VMs"
    # No peer applies like this; the bounds keep what was measured (8 and 13) from growing unseen.
    yield Row(f"{label} / only reading them", whole, reads, "s CPU", 12, "lower")
    yield Row("apply overhead per step / the same calls by hand",
              step * 1000, directly * 1000, "ms CPU", 20, "lower")  # fmt: skip
    yield Row(f"{label}, peak memory with the cluster / 1 GiB", memory, 1024, "MiB", 1, "lower")
    yield Row(f"{CLONES} clones, pace found / best of {', '.join(map(str, WIDTHS))} at once",
              CLONES / found, CLONES / min(fixed.values()), "per s", 0.9, "higher")  # fmt: skip
