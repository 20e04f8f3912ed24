"""The simulator: how fast it makes a cluster, answers and lets time pass; and fakepve beside it.

What has no peer is measured in processor time, against the figure that was promised.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import resource
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import attrs
import httpx

from proxmox_client import AsyncClient, Pin
from proxmox_client.testing import SimRequest, SimulatedCluster
from tests.bench.measure import Row, alternate

NODES = 32
GUESTS = 10_000
CONCURRENT = 16
REQUESTS = 1500
HTTPS_REQUESTS = 4800
REPEATS = 3
MINUTES = 5000
TOKEN = "root@pam!bench=00000000-0000-0000-0000-000000000000"
SMALL_READS = ("/version", "/nodes/pve1/qemu/100/config", "/nodes/pve1/qemu/100/status/current")


@attrs.frozen
class Served:
    """A server in a process of its own."""

    url: str
    pid: int

    def spent(self) -> float:
        """Return the processor time it has used, in seconds (Linux alone tells)."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def served(module: str) -> Generator[Served]:
    """Run a server of a small cluster in a process of its own."""
    guests = json.dumps([{"vmid": vmid, "name": f"vm{vmid}"} for vmid in range(100, 120)])
    command = [sys.executable, "-m", module, guests, TOKEN]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            yield Served(process.stdout.readline().strip(), process.pid)
        finally:
            process.terminate()


def small_reads(server: Served) -> tuple[float, float]:
    """Return how many small reads a second a server answers over HTTPS, asked by our client.

    The first figure counts seconds of the clock, in which other processes have a share; the second
    one those of the server's own work, connections included.
    """
    before = server.spent()
    rate = asyncio.run(_small_reads(server.url))
    return rate, HTTPS_REQUESTS / (server.spent() - before)


async def _small_reads(url: str) -> float:
    async with AsyncClient(url, token=TOKEN, tls=Pin(_fingerprint(url))) as pve:

        async def loop(count: int) -> None:
            for index in range(count):
                await pve.request("GET", SMALL_READS[index % len(SMALL_READS)])

        await asyncio.gather(*(loop(6) for _ in range(CONCURRENT)))
        share = HTTPS_REQUESTS // CONCURRENT
        start = time.perf_counter()
        await asyncio.gather(*(loop(share) for _ in range(CONCURRENT)))
        return share * CONCURRENT / (time.perf_counter() - start)


def _fingerprint(url: str) -> str:
    """Look up a server's certificate once, as somebody who trusts it at first sight does."""
    address = urlsplit(url)
    pem = ssl.get_server_certificate((str(address.hostname), address.port or 8006))
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).digest()
    return ":".join(f"{byte:02X}" for byte in digest)


def in_process(cluster: SimulatedCluster) -> float:
    """Return how many small reads a second come through the transport for httpx."""
    headers = {"Authorization": f"PVEAPIToken={cluster.create_token('root@pam', 'bench')}"}
    with httpx.Client(
        transport=cluster.transport(), base_url="https://pve1/api2/json", headers=headers
    ) as client:
        return _rate(lambda: client.get("/nodes/pve1/qemu/100/status/current"))


def by_hand(cluster: SimulatedCluster) -> float:
    """Return how many small reads a second `SimulatedCluster.handle` answers."""
    headers = {"authorization": f"PVEAPIToken={cluster.create_token('root@pam', 'bench')}"}
    request = SimRequest("GET", "/nodes/pve1/qemu/100/status/current", headers=headers)
    return _rate(lambda: cluster.handle(request))


def _rate(ask: Callable[[], object]) -> float:
    ask()
    start = time.process_time()
    for _ in range(REQUESTS):
        ask()
    return REQUESTS / (time.process_time() - start)


def _minutes(cluster: SimulatedCluster, step: int) -> float:
    start = time.process_time()
    for _ in range(MINUTES // step):
        cluster.clock.advance(60 * step)
    return MINUTES / (time.process_time() - start)


def _under_high_availability() -> SimulatedCluster:
    """Make a cluster whose manager and workers have rounds every ten seconds."""
    cluster = SimulatedCluster()
    for vmid in range(100, 110):
        cluster.add_vm("pve1", vmid, {"scsi0": "shared:8"})
        cluster.call("POST", "/cluster/ha/resources", {"sid": f"vm:{vmid}"})
    return cluster


def rows() -> Iterator[Row]:
    """Compare with the promised figures, and over HTTPS with fakepve asked by the same client."""
    made: list[SimulatedCluster] = []
    start = time.process_time()
    made.append(SimulatedCluster.generate(nodes=NODES, guests=GUESTS, seed=1))
    took = (time.process_time() - start) * 1000
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    name = f"simulator: {NODES} nodes, {GUESTS} guests"
    yield Row(f"{name}, made / promised", took, 5000, "ms", 1, "lower")
    yield Row(f"{name}, memory / promised", memory, 1024, "MiB", 1, "lower")
    hours, each = _minutes(made[0], 100), _minutes(_under_high_availability(), 1)
    yield Row(f"{name}, time passing / promised", hours, 2000, "min/s", 1, "higher")
    yield Row("simulator: high availability at work / promised", each, 2000, "min/s", 1, "higher")
    small = SimulatedCluster()
    small.add_vm("pve1", 100, {"name": "web", "scsi0": "local-lvm:8"}, status="running")
    figures = alternate([lambda: by_hand(small), lambda: in_process(small)], REPEATS)
    hand, httpx_way = (max(rates) for rates in figures)
    unit = "requests/s"
    yield Row("simulator: small reads by handle() / promised", hand, 3000, unit, 1, "higher")
    yield Row("simulator: small reads through httpx / promised", httpx_way, 3000, unit, 1, "higher")
    with (
        served("tests.bench.simulated") as ours,
        served("tests.e2e.fakepve_process") as theirs,
    ):
        sides = [lambda: small_reads(ours), lambda: small_reads(theirs)]
        mine, peer = (
            [max(column) for column in zip(*rates, strict=True)]
            for rates in alternate(sides, 2 * REPEATS)
        )
    name = f"simulator: small reads over HTTPS, {CONCURRENT} at once / fakepve"
    yield Row(name, mine[0], peer[0], unit, 1, "higher")
    yield Row(f"{name}, the server's work alone", mine[1], peer[1], unit, 1, "higher")
