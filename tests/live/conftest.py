"""Fixtures of the live suite: the server, a free vmid of ours, and cleaning up whatever happens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pmpc_reconcile.actions import ActionContext
from pmpc_state import State
from proxmox_client import AsyncClient
from tests.live.server import LiveServer, missing


@pytest.fixture
def server() -> LiveServer:
    """Return the server, or skip with what is not set."""
    unset = missing()
    if unset:
        pytest.skip(f"no real server to test against: {', '.join(unset)} not set")
    return LiveServer.from_environ()


@pytest.fixture
async def pve(server: LiveServer) -> AsyncIterator[AsyncClient]:
    """Connect to the server."""
    async with server.connect() as client:
        yield client


@pytest.fixture
async def node(pve: AsyncClient) -> str:
    """Return a node that is online."""
    nodes = await pve.nodes.get()
    return next(item.node for item in nodes if item.status == "online")


@pytest.fixture
async def storage(server: LiveServer, pve: AsyncClient, node: str) -> str:
    """Return a storage of the node that takes images."""
    if server.storage:
        return server.storage
    stores = await pve.nodes(node).storage.get(content="images", enabled=True)
    return next(item.storage for item in stores if item.active)


@pytest.fixture
async def pool(server: LiveServer, pve: AsyncClient) -> AsyncIterator[str]:
    """Make sure the pool exists; remove it afterwards if it was made here."""
    made = server.pool not in [item.poolid for item in await pve.pools.get()]
    if made:
        await pve.pools.post(poolid=server.pool, comment="made by the live suite of pmpc")
    yield server.pool
    if made:
        await pve.pools.delete(poolid=server.pool)


@pytest.fixture
async def vmid(server: LiveServer, pve: AsyncClient, pool: str) -> AsyncIterator[int]:
    """Choose a vmid of ours that nobody uses; afterwards delete the guest this run put there."""
    used = {item.vmid for item in await pve.cluster.resources.get(type="vm")}
    free = next((number for number in server.vmids if number not in used), None)
    if free is None:
        pytest.skip(f"no vmid of {server.vmids} is free")
    yield free
    await remove(pve, free, server.run)


async def remove(pve: AsyncClient, vmid: int, run: str) -> None:
    """Stop and delete the guest at `vmid` if its name says that this run made it."""
    for item in await pve.cluster.resources.get(type="vm"):
        if item.vmid != vmid or item.node is None:
            continue
        guest = pve.nodes(item.node).qemu(vmid)
        if run not in ((await guest.config.get()).name or ""):
            continue
        if (await guest.status.current.get()).status == "running":
            await (await guest.status.stop()).wait()
        await (await guest.delete(purge=True)).wait()


@pytest.fixture
async def context(pve: AsyncClient, tmp_path: Path) -> AsyncIterator[ActionContext]:
    """Return what actions need: a fresh state database and the connection."""
    state = State.open(f"sqlite:///{tmp_path / 'live.db'}")
    try:
        yield ActionContext("live", state, pve, actor="live suite")
    finally:
        state.close()
