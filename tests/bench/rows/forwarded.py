"""How many forwarded calls in sequence over TLS, behind PVE's two Connection headers.

PVE answers nearly every write, task poll and guest status with `close` and `Keep-Alive` and keeps
the connection; libraries that stop at the first word shake hands anew for each such call.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import httpx

from proxmox_client import AsyncClient, Client, Pin
from proxmox_client.transport.tls import build_context
from tests.bench.measure import Row, alternate
from tests.bench.rows.configs import connect
from tests.bench.rows.fan_out import HEADERS, TOKEN, server

REQUESTS = 300
REPEATS = 3
PATH = "/nodes/pve1/qemu/100/status/current"


def ours(url: str, fingerprint: str) -> float:
    """Measure our blocking client."""
    with Client(url, token=TOKEN, tls=Pin(fingerprint)) as pve:
        start = time.perf_counter()
        for _ in range(REQUESTS):
            pve.request("GET", PATH)
        return REQUESTS / (time.perf_counter() - start)


def stock_httpx(url: str, fingerprint: str) -> float:
    """Measure httpx as it comes, blocking."""
    context = build_context(Pin(fingerprint))
    with httpx.Client(base_url=url, headers=HEADERS, verify=context, timeout=60) as client:
        start = time.perf_counter()
        for _ in range(REQUESTS):
            client.get(f"/api2/json{PATH}").json()
        return REQUESTS / (time.perf_counter() - start)


def proxmoxer(url: str, certificate: str) -> float:
    """Measure proxmoxer, whose HTTP library reconnects as well."""
    status = connect(url, certificate).nodes("pve1").qemu(100).status.current
    start = time.perf_counter()
    for _ in range(REQUESTS):
        status.get()
    return REQUESTS / (time.perf_counter() - start)


async def ours_async(url: str, fingerprint: str) -> float:
    """Measure our asyncio client, one call after the other."""
    async with AsyncClient(url, token=TOKEN, tls=Pin(fingerprint)) as pve:
        start = time.perf_counter()
        for _ in range(REQUESTS):
            await pve.request("GET", PATH)
        return REQUESTS / (time.perf_counter() - start)


async def stock_httpx_async(url: str, fingerprint: str) -> float:
    """Measure httpx as it comes, on asyncio, one call after the other."""
    context = build_context(Pin(fingerprint))
    async with httpx.AsyncClient(
        base_url=url, headers=HEADERS, verify=context, timeout=60
    ) as client:
        start = time.perf_counter()
        for _ in range(REQUESTS):
            (await client.get(f"/api2/json{PATH}")).json()
        return REQUESTS / (time.perf_counter() - start)


def rows() -> Iterator[Row]:
    """Compare both colours with stock httpx, and with proxmoxer, on one server."""
    with server() as (url, fingerprint, certificate):
        sides = (
            lambda: ours(url, fingerprint),
            lambda: stock_httpx(url, fingerprint),
            lambda: asyncio.run(ours_async(url, fingerprint)),
            lambda: asyncio.run(stock_httpx_async(url, fingerprint)),
            lambda: proxmoxer(url, certificate),
        )
        figures = [max(rates) for rates in alternate(sides, REPEATS)]
    mine, stock, mine_async, stock_async, peer = figures
    name = "forwarded calls in sequence over TLS"
    yield Row(f"{name}, sync / stock httpx", mine, stock, "requests/s", 2.5, "higher")
    yield Row(f"{name}, async / stock httpx", mine_async, stock_async, "requests/s", 2.5, "higher")
    yield Row(f"{name}, sync / proxmoxer", mine, peer, "requests/s", None, "higher")
