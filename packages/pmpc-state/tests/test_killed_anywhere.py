"""kill -9 at fifty random points of syncs, on each database: nothing lost, the next one repairs."""

from __future__ import annotations

import subprocess
import sys

import pytest

# Record a cluster once, change it once. Then for each point, on a copy of that database: let a
# child sync and be killed right after its n-th statement, commit or event, check what is left,
# and sync again.
_PROGRAM = """
import asyncio, os, random, shutil, signal, sys
from datetime import timedelta
from pathlib import Path
from sqlalchemy import create_engine, event, make_url, text
from pmpc_state import SETTINGS, State, SyncMode, sync
from proxmox_client import AsyncClient
from proxmox_client.testing import SimulatedCluster

url, mode = make_url(sys.argv[1]), SyncMode(sys.argv[2])
part, parts, points = map(int, sys.argv[3:])

# Settings of each form: a list, a document, of each node, of each guest. All would take long.
SOME = ("user", "datacenter-options", "node-network", "guest-firewall", "guest-snapshots")
OTHERS = tuple(kind for kind in SETTINGS if kind not in SOME)

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
            await pve.access.users.post(userid="eve@pve")
    asyncio.run(remove())
    cluster.clock.advance(11)  # the lists are ten seconds old

def client(cluster, token):
    return AsyncClient("https://pve1", token=token, transport=cluster.async_transport(),
                       sleep=cluster.clock.asleep, now=cluster.clock.now)

def look(state, cluster, token, counted=lambda: None):
    async def run():
        async with client(cluster, token) as pve:
            return await sync(state, pve, "lab", mode=mode, without=OTHERS,
                              on_event=lambda _event: counted())
    return asyncio.run(run())

def there(state):
    return {one.address: (one.uid, one.config, one.node, one.known)
            for one in state.reader().resources("lab")}

def opened(where):
    return State.open(where.render_as_string(hide_password=False), now=cluster.clock.now)

def copied(number):
    '''Copy the recorded database, which nobody has open.'''
    if url.get_backend_name() == "sqlite":
        copy = Path(url.database).with_name(f"{number}.sqlite")
        for suffix in ("", ".key"):
            shutil.copy(url.database + suffix, f"{copy}{suffix}")
        return url.set(database=str(copy))
    administer(f"CREATE DATABASE point_{number} TEMPLATE {url.database} STRATEGY wal_log")
    return url.set(database=f"point_{number}")

def removed(copy):
    if copy.get_backend_name() == "sqlite":
        for suffix in ("", ".key"):
            Path(copy.database + suffix).unlink()
    else:
        administer(f"DROP DATABASE {copy.database} WITH (FORCE)")

def administer(statement):
    engine = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()

def child(where, limit):
    count = 0
    def counted(*_):
        nonlocal count
        count += 1
        if count == limit:
            os.kill(os.getpid(), signal.SIGKILL)
    with opened(where) as state:
        event.listen(state._engine, "before_cursor_execute", counted)
        event.listen(state._engine, "commit", counted)
        look(state, cluster, token, counted)
    return count

def point(limit):
    where = copied(limit)
    pid = os.fork()
    if pid == 0:
        try:
            child(where, limit)
        finally:
            os._exit(0)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, status
    cluster.clock.advance(1)
    with opened(where) as state:
        check(state)
        report = look(state, cluster, token)
        assert report.complete, report.failures
        left = there(state)
        assert {key: left[key][0] for key in old if key in left} == {
            key: old[key][0] for key in old if key in left}, "a uid changed"
        assert left["qemu/100"][1]["memory"] in (1024, "1024"), left["qemu/100"]
        assert left["qemu/101"][1]["name"] == "renamed"
        assert left["qemu/102"][2] == "pve2"
        assert "qemu/103" not in left and "qemu/300" in left and "pool/prod" in left
        assert "guest-firewall/qemu/103" not in left, limit
        # Nothing hints at a new user: an incremental sync finds her when her list's turn comes.
        assert mode is SyncMode.INCREMENTAL or "user/eve@pve" in left, limit
        hidden = [key for key, one in left.items() if not one[3]]
        assert not hidden, (hidden, limit)
        again = look(state, cluster, token)
        moved = {one.name for one in again.sections if one.name != "task" and one.history_rows}
        assert moved <= {"user"} and (mode is SyncMode.INCREMENTAL or not moved), (moved, limit)
        was = {one.address: one.config for one in state.reader().at("lab", taken.taken_at)}
        assert was == {key: value[1] for key, value in old.items()}
    removed(where)

def check(state):
    '''All that is shown is of one look; each section is whole, of this look or of the killed.'''
    reader = state.reader()
    if reader.runs("lab")[0].status != "ok":
        assert {key: one[1] for key, one in there(state).items()} == {
            key: one[1] for key, one in old.items()}
    newest = state.clock() + timedelta(days=1)
    now = {one.address: (one.uid, one.config, one.node, one.known)
           for one in reader.at("lab", newest)}
    machines = {key for key in now if key.startswith("qemu/")}
    before = {key for key in old if key.startswith("qemu/")}
    new = (before - {"qemu/103"}) | {"qemu/300"}
    assert machines in (before, new), machines
    moved = machines == new
    assert (str(now["qemu/100"][1]["memory"]) == "1024") == moved
    assert (now["qemu/101"][1]["name"] == "renamed") == moved
    assert (now["qemu/102"][2] == "pve2") == moved
    assert state.reader().runs("lab")[0].status in ("running", "ok", "failed")
    assert state.reader().audit.first_broken() is None

cluster, token = make()
with opened(url) as state:
    look(state, cluster, token)
    old = there(state)
    taken = state.writer().snapshot("lab", "before")
change(cluster, token)
whole = copied(0)
total = child(whole, 0)
removed(whole)
chosen = sorted(random.Random(5).sample(range(1, total), points))[part::parts]
for limit in chosen:
    point(limit)
print(total, len(chosen))
"""

POINTS, PARTS = 50, 4
MODES = ("full", "incremental")


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("mode", MODES)
def test_a_sync_killed_at_any_point_is_repaired_by_the_next(url: str, mode: str, part: int) -> None:
    half = POINTS // len(MODES)
    arguments = (url, mode, part, PARTS, half)
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    total, points = map(int, done.stdout.split())
    assert total > half
    assert points == len(range(part, half, PARTS))
