"""How many small reads per second 64 concurrent connections over TLS give."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Generator, Iterator
from contextlib import contextmanager

import aiohttp
import httpx

from proxmox_client import AsyncClient, Pin
from proxmox_client.transport.tls import build_context
from tests.bench.measure import Row, alternate

CONCURRENT = 64
REQUESTS = 2000
# Stock httpx takes some twenty seconds for two thousand.
REQUESTS_STOCK = 300
REPEATS = 3
TOKEN = "root@pam!bench=00000000-0000-0000-0000-000000000000"
HEADERS = {"Authorization": f"PVEAPIToken={TOKEN}"}

Get = Callable[[], Awaitable[object]]


@contextmanager
def server() -> Generator[tuple[str, str, str]]:
    """Run the bench server in a process of its own; give its URL, fingerprint and certificate."""
    command = [sys.executable, "-m", "tests.bench.server"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            port, fingerprint, certificate = process.stdout.readline().split()
            yield f"https://127.0.0.1:{port}", fingerprint, certificate
        finally:
            process.terminate()


async def rate(get: Get, requests: int) -> float:
    """Return how many of `requests` calls per second `CONCURRENT` loops perform."""
    left = iter(range(requests))

    async def loop() -> None:
        for _ in left:
            await get()

    await asyncio.gather(*(loop() for _ in range(CONCURRENT)))  # connections are open from here on
    left = iter(range(requests))
    start = time.perf_counter()
    await asyncio.gather(*(loop() for _ in range(CONCURRENT)))
    return requests / (time.perf_counter() - start)


async def ours(url: str, fingerprint: str) -> float:
    """Measure our client: authentication, decoding and error checks included."""
    async with AsyncClient(url, token=TOKEN, tls=Pin(fingerprint)) as pve:
        return await rate(pve.version.get, REQUESTS)


async def stock_httpx(url: str, fingerprint: str) -> float:
    """Measure httpx's own transport with as many connections."""
    limits = httpx.Limits(max_connections=CONCURRENT, max_keepalive_connections=CONCURRENT)
    context = build_context(Pin(fingerprint))
    async with httpx.AsyncClient(
        base_url=url, headers=HEADERS, verify=context, limits=limits, timeout=60
    ) as client:

        async def get() -> object:
            return (await client.get("/api2/json/version")).json()

        return await rate(get, REQUESTS_STOCK)


async def bare_aiohttp(url: str, fingerprint: str) -> float:
    """Measure aiohttp by itself."""
    connector = aiohttp.TCPConnector(limit=CONCURRENT, ssl=build_context(Pin(fingerprint)))
    async with aiohttp.ClientSession(url, headers=HEADERS, connector=connector) as session:

        async def get() -> object:
            async with session.get("/api2/json/version") as answer:
                return await answer.json()

        return await rate(get, REQUESTS)


def rows() -> Iterator[Row]:
    """Compare with both peers on one server."""
    with server() as (url, fingerprint, _):

        def side(measure: Callable[[str, str], Awaitable[float]]) -> Callable[[], float]:
            async def run() -> float:
                return await measure(url, fingerprint)

            return lambda: asyncio.run(run())

        figures = alternate([side(ours), side(stock_httpx), side(bare_aiohttp)], REPEATS)
    mine, stock, bare = (max(rates) for rates in figures)
    name = f"async GET, {CONCURRENT} at once over TLS"
    yield Row(f"{name} / stock httpx", mine, stock, "requests/s", 10, "higher")
    yield Row(f"{name} / bare aiohttp", mine, bare, "requests/s", 0.45, "higher")
