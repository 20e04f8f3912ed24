"""The client against two doubles of PVE: our simulator, and fakepve, which others wrote.

Every test here runs on both. Where fakepve does not do what PVE was recorded to do, the table
below says so, and the test has to fail there: once fakepve learns it, its line goes.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
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
    OperationNotImplemented,
    ParameterInvalid,
    TaskFailed,
)
from tests.lab.doubles import GUESTS, TOKEN, VERSION, Double, fakepve, simulator

DIFFERENCES: Final = {
    "test_whole_log_is_read_at_once": "limit=0 means all lines (recorded); fakepve gives none",
    "test_disk_grows": "PVE writes the new size into the configuration; fakepve leaves it",
    "test_disk_does_not_shrink": "it sets any size; recorded is a failing task (tasks.jsonl)",
    "test_log_of_a_task_nobody_knows": (
        "PVE answers 200 and one line (recorded); fakepve 500 `unable to parse worker upid`"
    ),
    "test_status_of_a_task_nobody_knows": "it says 500; recorded is 400 (tasks.jsonl)",
    "test_unknown_path": "its router says 404; recorded is 501 (auth.jsonl)",
    "test_tags_are_sorted_and_unique": "it keeps tags as sent; recorded are sorted (qemu.jsonl)",
    "test_users_come_and_go": "its accounts are canned answers",
    "test_guest_does_not_migrate_to_its_own_node": "it takes any target",
    "test_networks_are_staged": "its networks are canned answers",
}
"""Tests that fail on fakepve, and what PVE does instead."""


@pytest.fixture(scope="module", params=[simulator, fakepve], ids=["simulator", "fakepve"])
def double(request: pytest.FixtureRequest) -> Iterator[Double]:
    with request.param() as made:
        yield made


@pytest.mark.requirement("doubles.shared-suite")
def test_every_difference_names_a_test() -> None:
    assert set(DIFFERENCES) <= set(dir(sys.modules[__name__]))


@pytest.fixture(autouse=True)
def differing(double: Double, request: pytest.FixtureRequest) -> None:
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
    after = await config.get()
    assert (after.name, after.digest != before.digest) == ("renamed", True)
    with pytest.raises(DigestMismatch):
        await config.put(name="again", digest=before.digest)
    assert (await config.get()).name == "renamed"


async def test_snapshots_come_and_go(pve: AsyncClient, vmid: int) -> None:
    guest = await pve.guest(vmid)
    assert (await guest.snapshots.create("before", "a description")).ok
    rows = await guest.request("GET", "/snapshot")
    assert [row["name"] for row in rows] == ["before", "current"]
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


async def test_disk_does_not_shrink(pve: AsyncClient, vmid: int) -> None:
    task = await pve.nodes("pve1").qemu(vmid).resize.put(disk="scsi0", size="1G")
    result = await task.wait(60)
    assert isinstance(result, TaskFailed)
    assert "shrinking disks is not supported" in result.message


async def test_tags_are_sorted_and_unique(pve: AsyncClient, vmid: int) -> None:
    config = f"/nodes/pve1/qemu/{vmid}/config"
    await pve.request("PUT", config, {"tags": "web,db,web"})
    assert (await pve.request("GET", config))["tags"] == "db;web"


async def test_configuration_is_posted_as_a_task(pve: AsyncClient, vmid: int) -> None:
    config = pve.nodes("pve1").qemu(vmid).config
    assert (await (await config.post(name="posted")).wait(60)).ok
    assert (await config.get()).name == "posted"


async def test_running_guest_keeps_sockets_pending(pve: AsyncClient, vmid: int) -> None:
    guest = await pve.guest(vmid)
    assert (await guest.start()).ok
    await guest.request("PUT", "/config", {"sockets": 2})
    rows = {row["key"]: row for row in await guest.request("GET", "/pending")}
    assert str(rows["sockets"]["pending"]) == "2"
    assert "sockets" not in await guest.request("GET", "/config", {"current": 1})


async def test_running_guest_is_not_deleted(pve: AsyncClient, vmid: int) -> None:
    guest = await pve.guest(vmid)
    assert (await guest.start()).ok
    with pytest.raises(ApiError, match="is running"):
        await pve.request("DELETE", f"/nodes/pve1/qemu/{vmid}")
    assert (await guest.stop()).ok
    assert (await guest.delete()).ok
    with pytest.raises(NotFound):
        await pve.request("GET", f"/nodes/pve1/qemu/{vmid}/config")


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
    with pytest.raises(NotFound) as caught:
        await pve.nodes("pve1").qemu(999).config.get()
    assert caught.value.status == 500


async def test_unknown_path(pve: AsyncClient) -> None:
    with pytest.raises(OperationNotImplemented):
        await pve.request("GET", "/nosuch")


async def test_free_number_is_text(pve: AsyncClient) -> None:
    assert isinstance(await pve.request("GET", "/cluster/nextid"), str)


async def test_what_is_not_an_option(pve: AsyncClient, vmid: int) -> None:
    options = {"nosuch": "1", "cores": "many"}
    with pytest.raises(ParameterInvalid) as caught:
        await pve.request("PUT", f"/nodes/pve1/qemu/{vmid}/config", options)
    assert set(caught.value.errors) == {"nosuch", "cores"}


async def test_what_is_there_already(pve: AsyncClient) -> None:
    await pve.pools.post(poolid="web")
    with pytest.raises(AlreadyExists):
        await pve.pools.post(poolid="web")


async def test_pool_with_a_guest_is_not_deleted(pve: AsyncClient, vmid: int) -> None:
    await pve.request("POST", "/pools", {"poolid": "both"})
    await pve.request("PUT", "/pools/both", {"vms": str(vmid)})
    with pytest.raises(ApiError, match="is not empty"):
        await pve.request("DELETE", "/pools/both")


async def test_users_come_and_go(pve: AsyncClient) -> None:
    async def users() -> list[str]:
        return [row["userid"] for row in await pve.request("GET", "/access/users")]

    await pve.request("POST", "/access/users", {"userid": "bob@pve"})
    assert "bob@pve" in await users()
    await pve.request("DELETE", "/access/users/bob@pve")
    assert "bob@pve" not in await users()


async def test_new_rule_becomes_the_first(pve: AsyncClient, vmid: int) -> None:
    path = f"/nodes/pve1/qemu/{vmid}/firewall/rules"
    for comment in ("first", "second"):
        rule = {"type": "in", "action": "DROP", "comment": comment}
        await pve.request("POST", path, rule)
    rules = await pve.request("GET", path)
    assert [row["comment"] for row in rules] == ["second", "first"]


async def test_networks_are_staged(pve: AsyncClient) -> None:
    await pve.request("POST", "/cluster/sdn/zones", {"zone": "z1", "type": "simple"})
    pending = await pve.request("GET", "/cluster/sdn/zones", {"pending": 1})
    assert [(row["zone"], row["state"]) for row in pending] == [("z1", "new")]


async def test_guest_does_not_migrate_to_its_own_node(pve: AsyncClient, vmid: int) -> None:
    with pytest.raises(ParameterInvalid) as caught:
        await pve.request("POST", f"/nodes/pve1/qemu/{vmid}/migrate", {"target": "pve1"})
    assert (caught.value.status, "target" in caught.value.errors) == (400, True)


async def test_second_guest_of_a_number(pve: AsyncClient, vmid: int) -> None:
    with pytest.raises(AlreadyExists):
        await pve.nodes("pve1").qemu.post(vmid=vmid, memory="512")


async def test_log_of_a_task_nobody_knows(pve: AsyncClient) -> None:
    task = pve.task("UPID:pve1:0000252F:0006D64E:6B03000E:qmstart:100:root@pam!pmpc:")
    with pytest.raises(NotFound):
        await task.log()


async def test_status_of_a_task_nobody_knows(pve: AsyncClient) -> None:
    upid = "UPID:pve1:00001111:00002222:63000000:qmstart:100:root@pam:"
    with pytest.raises(ApiError) as caught:
        await pve.request("GET", f"/nodes/pve1/tasks/{upid}/status")
    assert caught.value.status == 400


async def test_running_guest_cannot_be_started(pve: AsyncClient, vmid: int) -> None:
    assert (await (await pve.guest(vmid)).start()).ok
    task = await pve.nodes("pve1").qemu(vmid).status.start()
    result = await task.wait(60)
    assert isinstance(result, TaskFailed)
    assert "already running" in result.message


async def test_wrong_token_is_refused(double: Double) -> None:
    options: dict[str, Any] = {**double.options, "token": "root@pam!pmpc=wrong"}
    async with AsyncClient(double.url, **options) as pve:
        with pytest.raises(AuthenticationFailed):
            await pve.version.get()
