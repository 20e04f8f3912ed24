"""How fast 1,000 guest configurations are read, by ourselves and by the peers."""

# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
# The peers are installed by `nox -s bench` only.

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from proxmoxer import ProxmoxAPI

from proxmox_client import AsyncClient, Client, Pin
from tests.bench.measure import Row, alternate
from tests.bench.rows.fan_out import CONCURRENT, TOKEN, server

COUNT = 1000
COUNT_SLOW = 300
"""One by one fewer say the same."""
THREADS = 16
REPEATS = 3


async def ours(url: str, fingerprint: str) -> float:
    """Read them typed, as many at once as there are connections."""
    async with AsyncClient(url, token=TOKEN, tls=Pin(fingerprint)) as pve:
        machines = pve.nodes("pve1").qemu
        await machines(100).config.get()
        start = time.perf_counter()
        left = iter(range(100, 100 + COUNT))

        async def read() -> None:
            for vmid in left:
                await machines(vmid).config.get()

        await asyncio.gather(*(read() for _ in range(CONCURRENT)))
        return COUNT / (time.perf_counter() - start)


def ours_one_by_one(url: str, fingerprint: str) -> float:
    """Read them typed with the blocking client."""
    with Client(url, token=TOKEN, tls=Pin(fingerprint)) as pve:
        machines = pve.nodes("pve1").qemu
        machines(100).config.get()
        start = time.perf_counter()
        for vmid in range(100, 100 + COUNT_SLOW):
            machines(vmid).config.get()
        return COUNT_SLOW / (time.perf_counter() - start)


def connect(url: str, certificate: str) -> Any:
    """Return proxmoxer's client of the bench server."""
    user, _, rest = TOKEN.partition("!")
    name, _, secret = rest.partition("=")
    host, _, port = url.removeprefix("https://").partition(":")
    return ProxmoxAPI(
        host, port=int(port), user=user, token_name=name, token_value=secret, verify_ssl=certificate
    )


def proxmoxer_one_by_one(url: str, certificate: str) -> float:
    """Read them with proxmoxer, one after the other."""
    machines = connect(url, certificate).nodes("pve1").qemu
    machines(100).config.get()
    start = time.perf_counter()
    for vmid in range(100, 100 + COUNT_SLOW):
        machines(vmid).config.get()
    return COUNT_SLOW / (time.perf_counter() - start)


def proxmoxer_threads(url: str, certificate: str) -> float:
    """Read them with proxmoxer in threads, each with a client of its own."""
    own = threading.local()

    def read(vmid: int) -> None:
        if not hasattr(own, "machines"):
            own.machines = connect(url, certificate).nodes("pve1").qemu
        own.machines(vmid).config.get()

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(read, range(100, 100 + THREADS)))
        start = time.perf_counter()
        list(pool.map(read, range(100, 100 + COUNT)))
        return COUNT / (time.perf_counter() - start)


def clientapi(url: str, certificate: str) -> float:
    """Read them with clientapi-pve, one after the other, in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.clientapi_process", "configs"]
    arguments = [url, TOKEN, certificate, str(COUNT_SLOW)]
    done = subprocess.run([*command, *arguments], check=True, capture_output=True, text=True)
    return float(done.stdout)


def rows() -> Iterator[Row]:
    """Compare with each peer on one server."""
    with server() as (url, fingerprint, certificate):
        sides: tuple[Callable[[], float], ...] = (
            lambda: asyncio.run(ours(url, fingerprint)),
            lambda: ours_one_by_one(url, fingerprint),
            lambda: proxmoxer_one_by_one(url, certificate),
            lambda: proxmoxer_threads(url, certificate),
        )
        figures = [max(rates) for rates in alternate(sides, REPEATS)]
        typed = clientapi(url, certificate)
    mine, single, peer, threads = figures
    name = f"{COUNT:,} guest configurations"
    yield Row(f"{name} / proxmoxer one by one", mine, peer, "per s", 10, "higher")
    yield Row(f"{name} / proxmoxer, {THREADS} threads", mine, threads, "per s", None, "higher")
    yield Row(f"{name} / clientapi-pve one by one", mine, typed, "per s", None, "higher")
    yield Row(f"{name}, sync / proxmoxer", single, peer, "per s", None, "higher")
