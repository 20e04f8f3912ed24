"""The client against two doubles of PVE: our simulator, and fakepve, which others wrote.

Every test here runs on both. Where fakepve does not do what PVE was recorded to do, the table
below says so, and the test has to fail there: once fakepve learns it, its line goes.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import attrs
import pytest

from proxmox_client import (
    AlreadyExists,
    ApiError,
    AsyncClient,
    AuthenticationFailed,
    Client,
    DigestMismatch,
    NotFound,
    ParameterInvalid,
    Pin,
    TaskFailed,
    fetch_fingerprint,
)
from proxmox_client.testing import SimulatedCluster

ROOT = Path(__file__).parents[2]
TOKEN = "root@pam!pmpc=00000000-1111-2222-3333-444444444444"
VERSION = "9.2"
CONFIG: dict[str, Any] = {"cores": 2, "memory": "512", "agent": "1", "serial0": "socket"}
GUESTS: Final = range(100, 130)
"""One for each test: a double is started once."""
DIFFERENCES: Final = {
    "test_whole_log_is_read_at_once": "limit=0 means all lines (recorded); fakepve gives none",
    "test_disk_grows": "PVE writes the new size into the configuration; fakepve leaves it",
    "test_log_of_a_task_nobody_knows": (
        "PVE answers 200 and one line (recorded); fakepve 500 `unable to parse worker upid`"
    ),
}
"""Tests that fail on fakepve, and what PVE does instead."""


@attrs.frozen
class Double:
    """A running double of PVE.

    Attributes:
        name: `simulator` or `fakepve`.
        url: Its address.
        token: A token of root's.
    """

    name: str
    url: str
    token: str = attrs.field(repr=False)

    @property
    def options(self) -> dict[str, Any]:
        """Return what a client needs."""
        return {"token": self.token, "tls": Pin(fetch_fingerprint(self.url))}


@contextmanager
def simulator() -> Generator[Double]:
    cluster = SimulatedCluster(nodes=("pve1",), version=VERSION)
    for vmid in GUESTS:
        disk = "shared:8,format=qcow2"
        cluster.add_vm("pve1", vmid, {"name": f"db-{vmid}", **CONFIG, "scsi0": disk})
        cluster.guests[vmid].agent_answers = True
    token = cluster.create_token("root@pam", "pmpc")
    cluster.clock.advance(20)
    with cluster.serve(speed=100.0) as server:
        yield Double("simulator", server.url, token)


@contextmanager
def fakepve() -> Generator[Double]:
    guests = [
        {
            "vmid": vmid,
            "name": f"db-{vmid}",
            "status": "stopped",
            "config": {**CONFIG, "scsi0": f"local-lvm:vm-{vmid}-disk-0,size=8G"},
        }
        for vmid in GUESTS
    ]
    command = [
        sys.executable,
        "-m",
        "tests.e2e.fakepve_process",
        json.dumps(guests),
        TOKEN,
        VERSION,
    ]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            yield Double("fakepve", process.stdout.readline().strip(), TOKEN)
        finally:
            process.terminate()


@pytest.fixture(scope="module", params=[simulator, fakepve], ids=["simulator", "fakepve"])
def double(request: pytest.FixtureRequest) -> Iterator[Double]:
    with request.param() as made:
        yield made


@pytest.fixture(autouse=True)
def differing(double: Double, request: pytest.FixtureRequest) -> None:
    assert set(DIFFERENCES) <= set(dir(sys.modules[__name__]))
    reason = DIFFERENCES.get(request.node.originalname)
    if reason is not None and double.name == "fakepve":
        request.node.add_marker(pytest.mark.xfail(reason=reason, strict=True))


@pytest.fixture(scope="module")
def numbers() -> Iterator[int]:
    return iter(GUESTS)


@pytest.fixture
def vmid(numbers: Iterator[int]) -> int:
    return next(numbers)


@pytest.fixture
async def pve(double: Double) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(double.url, **double.options) as made:
        yield made


async def test_version_is_read(pve: AsyncClient) -> None:
    version = await pve.version.get()
    assert version.release == VERSION
    assert version.version.startswith(VERSION)


def test_both_colours_see_the_same(double: Double) -> None:
    with Client(double.url, **double.options) as pve:
        blocking = [row.to_dict() for row in pve.nodes.get()]

    async def ask() -> list[dict[str, Any]]:
        async with AsyncClient(double.url, **double.options) as pve:
            return [row.to_dict() for row in await pve.nodes.get()]

    names = [[row["node"] for row in rows] for rows in (blocking, asyncio.run(ask()))]
    assert names == [["pve1"], ["pve1"]]


async def test_guest_is_found_and_its_configuration_typed(pve: AsyncClient, vmid: int) -> None:
    guest = await pve.guest(f"db-{vmid}")
    assert (guest.vmid, (await guest.place()).path) == (vmid, f"/nodes/pve1/qemu/{vmid}")
    config = await pve.nodes("pve1").qemu(vmid).config.get()
    assert (config.name, config.cores, str(config.memory)) == (f"db-{vmid}", 2, "512")
    assert config.digest


async def test_guest_starts_and_stops(pve: AsyncClient, vmid: int) -> None:
    guest = await pve.guest(vmid)
    lines: list[str] = []
    assert (await guest.start(on_log=lines.append)).ok
    assert lines[-1] == "TASK OK"
    assert (await guest.request("GET", "/status/current"))["status"] == "running"
    assert (await guest.stop()).ok
    assert (await guest.request("GET", "/status/current"))["status"] == "stopped"


async def test_tasks_are_found_again(pve: AsyncClient, vmid: int) -> None:
    assert (await (await pve.guest(vmid)).start()).ok
    (entry,) = await pve.find_tasks(guest=vmid, type="qmstart", user="root@pam")
    assert entry.ok
    assert entry.upid.user == TOKEN.partition("=")[0]
    assert [line async for line in pve.task(entry.upid).follow()][-1] == "TASK OK"


async def test_whole_log_is_read_at_once(pve: AsyncClient, vmid: int) -> None:
    task = await pve.nodes("pve1").qemu(vmid).status.start()
    assert (await task.wait(60)).ok
    assert (await task.log())[-1] == "TASK OK"


async def test_stopped_guest_cannot_be_reset(pve: AsyncClient, vmid: int) -> None:
    with pytest.raises(ApiError, match="not running"):
        await pve.nodes("pve1").qemu(vmid).status.reset()


async def test_change_is_guarded_by_the_digest(pve: AsyncClient, vmid: int) -> None:
    config = pve.nodes("pve1").qemu(vmid).config
    before = await config.get()
    assert await pve.update(f"/nodes/pve1/qemu/{vmid}/config", {"name": "renamed", "tags": "a"})
    assert (await config.get()).name == "renamed"
    with pytest.raises(DigestMismatch):
        await config.put(name="again", digest=before.digest)
    assert (await config.get()).name == "renamed"


async def test_snapshots_come_and_go(pve: AsyncClient, vmid: int) -> None:
    guest = await pve.guest(vmid)
    assert (await guest.snapshots.create("before", "a description")).ok
    (found,) = await guest.snapshots.list()
    assert (found.name, found.description, found.is_parent) == ("before", "a description", True)
    assert (await guest.snapshots.rollback("before")).ok
    assert (await guest.snapshots.delete("before")).ok
    assert await guest.snapshots.list() == ()


async def test_clone_gets_a_number_of_its_own(pve: AsyncClient, vmid: int) -> None:
    copy, result = await (await pve.guest(vmid)).clone({"name": "copy", "full": True})
    assert result.ok
    assert copy.vmid != vmid
    assert (await copy.request("GET", "/config"))["name"] == "copy"
    assert (await copy.delete()).ok


async def test_disk_grows(pve: AsyncClient, vmid: int) -> None:
    guest = await pve.guest(vmid)
    assert (await guest.resize_disk("scsi0", "+1G")).ok
    assert "size=9G" in (await guest.request("GET", "/config"))["scsi0"]


async def test_command_in_the_guest(pve: AsyncClient, vmid: int) -> None:
    guest = await pve.guest(vmid)
    assert (await guest.start()).ok
    assert await guest.agent.answers()
    result = await guest.agent.run(["true"])
    assert result.ok


async def test_terminal_echoes(pve: AsyncClient, vmid: int) -> None:
    assert (await (await pve.guest(vmid)).start()).ok
    async with pve.console(guest=vmid).terminal() as terminal:
        await terminal.resize(100, 30)
        await terminal.write("hello")
        seen = b""
        while b"hello" not in seen:
            seen += await asyncio.wait_for(terminal.read(), 5)


async def test_console_wants_its_ticket(pve: AsyncClient, vmid: int) -> None:
    assert (await (await pve.guest(vmid)).start()).ok
    ticket = await pve.console(guest=vmid).vnc_ticket()
    with pytest.raises(AuthenticationFailed, match="invalid PVEVNC ticket"):
        await pve.open_websocket(attrs.evolve(ticket, ticket="PVEVNC:00000000::bad"))


async def test_file_arrives(pve: AsyncClient, tmp_path: Path) -> None:
    path = tmp_path / "tiny.iso"
    path.write_bytes(b"not much")
    assert (await (await pve.upload("pve1", "local", path)).wait(60)).ok
    found = await pve.volumes("pve1", "local").list(content="iso")
    assert "local:iso/tiny.iso" in [volume.volid for volume in found]


async def test_what_is_not_there(pve: AsyncClient) -> None:
    with pytest.raises(NotFound):
        await pve.nodes("pve1").qemu(999).config.get()


async def test_what_is_not_an_option(pve: AsyncClient, vmid: int) -> None:
    with pytest.raises(ParameterInvalid) as caught:
        await pve.request("PUT", f"/nodes/pve1/qemu/{vmid}/config", {"nosuch": "1"})
    assert "nosuch" in caught.value.errors


async def test_what_is_there_already(pve: AsyncClient) -> None:
    await pve.pools.post(poolid="web")
    with pytest.raises(AlreadyExists):
        await pve.pools.post(poolid="web")


async def test_second_guest_of_a_number(pve: AsyncClient, vmid: int) -> None:
    with pytest.raises(AlreadyExists):
        await pve.nodes("pve1").qemu.post(vmid=vmid, memory="512")


async def test_log_of_a_task_nobody_knows(pve: AsyncClient) -> None:
    task = pve.task("UPID:pve1:0000252F:0006D64E:6B03000E:qmstart:100:root@pam!pmpc:")
    with pytest.raises(NotFound):
        await task.log()


async def test_running_guest_cannot_be_started(pve: AsyncClient, vmid: int) -> None:
    assert (await (await pve.guest(vmid)).start()).ok
    task = await pve.nodes("pve1").qemu(vmid).status.start()
    assert isinstance(await task.wait(60), TaskFailed)


async def test_wrong_token_is_refused(double: Double) -> None:
    options: dict[str, Any] = {**double.options, "token": "root@pam!pmpc=wrong"}
    async with AsyncClient(double.url, **options) as pve:
        with pytest.raises(AuthenticationFailed):
            await pve.version.get()
