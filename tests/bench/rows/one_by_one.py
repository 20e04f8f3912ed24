"""A sync over TLS against proxmoxer making the same requests one by one."""

# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
# The peer is installed by `nox -s bench` only.

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs
from proxmoxer import ProxmoxAPI

from pmpc_state import Resource, State, sync
from proxmox_client import AsyncClient, Pin
from tests.bench.measure import Row

GUESTS = 300
REPEATS = 2


@attrs.frozen
class Served:
    """A simulated cluster in a process of its own."""

    url: str
    fingerprint: str
    token: str


@contextmanager
def served(guests: int) -> Generator[Served]:
    """Serve a generated cluster."""
    command = [sys.executable, "-u", "-m", "proxmox_client.testing", "--generate", str(guests),
               "--seed", "7", "--port", "0"]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            told: dict[str, str] = {}
            while "token" not in told:
                name, _, value = process.stdout.readline().strip().partition(" ")
                told[name] = value.strip()
            yield Served(told["pve1"], told["fingerprint"], told["token"])
        finally:
            process.terminate()


def _ours(server: Served, folder: Path) -> tuple[float, list[str]]:
    """Sync; return how long it took, and what it read."""
    with State.open(f"sqlite:///{folder / 'sync.sqlite'}") as state:

        async def run() -> None:
            async with AsyncClient(
                server.url, token=server.token, tls=Pin(server.fingerprint)
            ) as pve:
                report = await sync(state, pve, "bench", collections=())
                assert report.complete, report.failures

        start = time.perf_counter()
        asyncio.run(run())
        return time.perf_counter() - start, list(_reads(state.reader().resources("bench")))


def _reads(found: Iterable[Resource]) -> Iterator[str]:
    """Return the paths a sync reads to find these resources."""
    yield from ("nodes", "cluster/resources", "cluster/status", "storage", "pools", "cluster/tasks")
    for one in found:
        if one.kind == "node":
            yield from (f"nodes/{one.key}/status", f"nodes/{one.key}/tasks")
        elif one.kind in ("qemu", "lxc"):
            yield f"nodes/{one.node}/{one.address}/config"
            if one.status != "stopped":
                yield f"nodes/{one.node}/{one.address}/pending"
        elif one.kind == "pool":
            yield f"pools/{one.key}"
        elif one.kind == "storage":
            nodes = dict(one.volatile["nodes"])
            shared = any(where.get("shared") for where in nodes.values())
            for node in sorted(nodes)[: 1 if shared else None]:
                yield f"nodes/{node}/storage/{one.key}/content"


def _proxmoxer(server: Served, paths: list[str]) -> float:
    user, _, rest = server.token.partition("!")
    name, _, secret = rest.partition("=")
    host, _, port = server.url.removeprefix("https://").partition(":")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it cannot pin a certificate
        api = ProxmoxAPI(host, port=int(port), user=user, token_name=name, token_value=secret,
                         verify_ssl=False)  # fmt: skip
        start = time.perf_counter()
        for path in paths:
            api.get(path)
        return time.perf_counter() - start


def rows() -> Iterator[Row]:
    """Compare: ours also records what it reads."""
    mine: list[float] = []
    theirs: list[float] = []
    with served(GUESTS) as server:
        for _ in range(REPEATS):
            with tempfile.TemporaryDirectory() as folder:
                taken, paths = _ours(server, Path(folder))
            mine.append(taken)
            theirs.append(_proxmoxer(server, paths))
    yield Row(f"sync of {GUESTS} guests over TLS / proxmoxer, the same reads one by one",
              min(mine), min(theirs), "s", 0.7, "lower")  # fmt: skip
