"""kill -9 at random points of syncs, fifty on SQLite: nothing lost, the next one repairs."""

from __future__ import annotations

import subprocess
import sys

import pytest

# For each point: record a cluster, change it, and let a child sync it and be killed right after
# its n-th database statement or n-th request. The parent then checks what is left and syncs again.
# One cluster name per point keeps the points apart in one database.
_PROGRAM = """
import asyncio, os, random, signal, sys
from sqlalchemy import event
from pmpc_state import State, SyncMode, sync
from proxmox_client import AsyncClient
from proxmox_client.testing import SimulatedCluster

url, seed, points, mode = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), SyncMode(sys.argv[4])

def make():
    cluster = SimulatedCluster(nodes=("pve1", "pve2"), seed=1)
    for vmid in range(100, 108):
        cluster.add_vm("pve1", vmid, {"name": f"vm{vmid}", "memory": 512, "scsi0": "shared:1"})
    cluster.add_container("pve2", 200, {"hostname": "ct", "memory": 256})
    return cluster, cluster.create_token("root@pam", "demo")

def change(cluster, token):
    cluster.clock.advance(60)
    cluster.edit(100, memory=1024)
    cluster.edit(101, name="renamed")
    cluster.guests[102].node = "pve2"
    cluster.add_vm("pve2", 300, {"name": "new"})
    async def remove():
        async with client(cluster, token) as pve:
            await (await pve.nodes("pve1").qemu(103).delete()).wait()
            await pve.pools.post(poolid="prod")
    asyncio.run(remove())
    cluster.clock.advance(11)  # the lists are ten seconds old

def client(cluster, token):
    return AsyncClient("https://pve1", token=token, transport=cluster.async_transport(),
                       sleep=cluster.clock.asleep, now=cluster.clock.now)

def look(state, cluster, token, name, counted=lambda: None):
    async def run():
        async with client(cluster, token) as pve:
            return await sync(state, pve, name, mode=mode, on_event=lambda _event: counted())
    return asyncio.run(run())

def there(state, name):
    return {one.address: (one.uid, one.config, one.node, one.known)
            for one in state.reader().resources(name)}

def child(cluster, token, name, limit):
    count = 0
    def counted(*_):
        nonlocal count
        count += 1
        if count == limit:
            os.kill(os.getpid(), signal.SIGKILL)
    with State.open(url, now=cluster.clock.now) as state:
        event.listen(state._engine, "before_cursor_execute", counted)
        event.listen(state._engine, "commit", counted)
        look(state, cluster, token, name, counted)
    return count

def point(name, limit):
    cluster, token = make()
    with State.open(url, now=cluster.clock.now) as state:
        look(state, cluster, token, name)
        old = there(state, name)
        taken = state.writer().snapshot(name, "before")
    change(cluster, token)
    pid = os.fork()
    if pid == 0:
        try:
            child(cluster, token, name, limit)
        finally:
            os._exit(0)
    _, status = os.waitpid(pid, 0)
    killed = os.WIFSIGNALED(status)
    cluster.clock.advance(1)
    with State.open(url, now=cluster.clock.now) as state:
        check(state, name, old, taken)
        report = look(state, cluster, token, name)
        assert report.complete, report.failures
        left = there(state, name)
        assert {key: left[key][0] for key in old if key in left} == {
            key: old[key][0] for key in old if key in left}, "a uid changed"
        assert left["qemu/100"][1]["memory"] in (1024, "1024"), left["qemu/100"]
        assert left["qemu/101"][1]["name"] == "renamed"
        assert left["qemu/102"][2] == "pve2"
        assert "qemu/103" not in left and "qemu/300" in left and "pool/prod" in left
        assert all(one[3] for one in left.values())
        again = look(state, cluster, token, name)
        assert again.created == again.changed == again.vanished == 0
        was = {one.address: one.config for one in state.reader().at(name, taken.taken_at)}
        assert was == {key: value[1] for key, value in old.items()}
    return killed

def check(state, name, old, taken):
    '''Each section is whole: as it was, or as the killed sync saw it.'''
    now = there(state, name)
    machines = {key for key in now if key.startswith("qemu/")}
    before = {key for key in old if key.startswith("qemu/")}
    new = (before - {"qemu/103"}) | {"qemu/300"}
    assert machines in (before, new), machines
    moved = machines == new
    assert (str(now["qemu/100"][1]["memory"]) == "1024") == moved
    assert (now["qemu/101"][1]["name"] == "renamed") == moved
    assert (now["qemu/102"][2] == "pve2") == moved
    assert state.reader().runs(name)[0].status in ("running", "ok", "failed")
    assert state.reader().audit.first_broken() is None

cluster, token = make()
with State.open(url, now=cluster.clock.now) as state:
    look(state, cluster, token, "counted")
change(cluster, token)
total = child(cluster, token, "counted", 0)
chosen = sorted(random.Random(seed).sample(range(1, total), min(points, total - 1)))
killed = [point(f"lab{limit}", limit) for limit in chosen]
print(total, len(chosen), sum(killed))
"""


POINTS = {"sqlite": 25, "postgresql": 8}
"""For each of the two modes."""


@pytest.mark.parametrize(("mode", "seed"), [("full", 1), ("incremental", 2)])
def test_a_sync_killed_at_any_point_is_repaired_by_the_next(url: str, mode: str, seed: int) -> None:
    wanted = POINTS[url.partition(":")[0].partition("+")[0]]
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, url, str(seed), str(wanted), mode],
        check=False,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    total, points, killed = map(int, done.stdout.split())
    assert total > 50
    assert points == wanted
    assert killed >= wanted - 1  # the last point may be after the end
