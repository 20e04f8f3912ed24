"""Finding, following and stopping tasks; what is true where PVE is vague. In both colours."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from proxmox_client import (
    NotFound,
    TaskError,
    TaskFailed,
    TaskLost,
    TaskOk,
    TaskWarnings,
    Upid,
)
from proxmox_client.testing import SimulatedCluster
from proxmox_client.testing.faults import Answer, FailingTask, NodeOffline, Where
from tests.lab.colours import COLOURS, open_client


@pytest.fixture
def cluster() -> SimulatedCluster:
    made = SimulatedCluster()
    made.add_vm("pve1", 100, {"name": "web", "memory": "128", "scsi0": "shared:1,format=qcow2"})
    made.add_vm("pve2", 101, {"name": "db", "memory": "128"})
    made.add_container("pve3", 200, {"hostname": "proxy"})
    made.clock.advance(20)
    return made


@pytest.fixture(params=COLOURS)
async def pve(cluster: SimulatedCluster, request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    token = cluster.create_token("root@pam", "test")
    async with open_client(request.param, cluster, token=token) as made:
        yield made


def said(found: Any) -> list[str]:
    return [f"{entry.upid.node} {entry.upid.type} {entry.upid.id}" for entry in found]


async def test_tasks_of_a_guest_are_found_on_every_node_it_lived_on(
    pve: Any, cluster: SimulatedCluster
) -> None:
    guest = await pve.guest(100)
    assert (await guest.start()).ok
    assert (await guest.stop()).ok
    cluster.clock.advance(1)
    assert (await guest.migrate("pve3")).ok
    cluster.clock.advance(1)
    assert (await guest.start()).ok
    found = await pve.find_tasks(guest=100)
    assert said(found) == ["pve3 qmstart 100", "pve1 qmigrate 100", "pve1 qmstop 100",
                           "pve1 qmstart 100"]  # fmt: skip
    assert found.silent == ()
    assert all(entry.ok and not entry.running and entry.ended for entry in found)
    assert said(await pve.find_tasks(guest=100, type="qmstart", node="pve3")) == said(found)[:1]
    assert len(await pve.find_tasks(guest=100, limit=2)) == 2
    assert (await pve.find_tasks(guest=101)).entries == ()


async def test_tasks_are_found_by_user_and_time(pve: Any, cluster: SimulatedCluster) -> None:
    other = cluster.create_token("root@pam", "other")
    async with open_client("async", cluster, token=other) as rival:
        assert (await (await rival.guest(101)).start()).ok
    cluster.clock.advance(60)
    later = cluster.clock.now()
    assert (await (await pve.guest(100)).start()).ok
    assert said(await pve.find_tasks(user="root@pam")) == ["pve1 qmstart 100", "pve2 qmstart 101"]
    assert said(await pve.find_tasks(user="root@pam!other")) == ["pve2 qmstart 101"]
    assert (await pve.find_tasks(user="root@pa")).entries == ()
    assert said(await pve.find_tasks(since=later)) == ["pve1 qmstart 100"]
    assert said(await pve.find_tasks(until=later - 30)) == ["pve2 qmstart 101"]


async def test_running_tasks_are_found_and_stopped(pve: Any, cluster: SimulatedCluster) -> None:
    upid = await pve.request("POST", "/nodes/pve1/vzdump", {"vmid": "100", "storage": "local"})
    (entry,) = await pve.find_tasks(running=True)
    assert (str(entry.upid), entry.running, entry.status) == (upid, True, "")
    assert (await pve.find_tasks(running=False, type="vzdump")).entries == ()
    task = pve.task(entry.upid)
    await task.stop()
    result = await task.wait(60)
    assert isinstance(result, TaskFailed)
    assert result.message == "interrupted by signal" or "interrupt" in result.message
    (ended,) = await pve.find_tasks(type="vzdump")
    assert not ended.ok


async def test_tasks_of_a_dead_node_are_what_the_cluster_remembers(
    pve: Any, cluster: SimulatedCluster
) -> None:
    assert (await (await pve.guest(101)).start()).ok
    assert (await (await pve.guest(200)).start()).ok
    cluster.faults.add(NodeOffline("pve2"))
    cluster.clock.advance(20)
    found = await pve.find_tasks()
    assert found.silent == ("pve2",)
    assert set(said(found)) == {"pve2 qmstart 101", "pve3 vzstart 200"}
    records = found.records()
    assert {record["status"] for record in records} == {"OK"}
    assert "<table>" in found._repr_html_()


async def test_log_is_followed_while_it_grows(pve: Any, cluster: SimulatedCluster) -> None:
    upid = await pve.request("POST", "/nodes/pve1/vzdump", {"vmid": "100", "storage": "local"})
    task = pve.task(upid)
    before = cluster.clock.now()
    lines = [line async for line in task.follow()]
    assert lines == list(await task.log())
    assert lines[-1] == "TASK OK"
    assert cluster.clock.now() > before
    assert [line async for line in task.follow()] == lines


async def test_task_nobody_knows_cannot_be_followed(pve: Any) -> None:
    task = pve.task("UPID:pve1:0000252F:0006D64E:6B03000E:qmstart:100:root@pam!test:")
    with pytest.raises(NotFound, match="no such task"):
        _ = [line async for line in task.follow()]
    with pytest.raises(NotFound, match="unable to open file"):
        await task.log()
    assert isinstance(await task.wait(5), TaskLost)


async def test_log_that_cannot_be_read_does_not_hide_how_it_ended(
    pve: Any, cluster: SimulatedCluster
) -> None:
    cluster.faults.add(FailingTask("qmstart", "100", "start failed: no memory"))
    upid = await pve.request("POST", "/nodes/pve1/qemu/100/status/start")
    cluster.faults.add(Answer(500, "unable to open file", Where("GET", "*/log")))
    result = await pve.task(upid).wait(60)
    assert isinstance(result, TaskFailed)
    assert (result.message, result.tail) == ("start failed: no memory", ())
    assert result.note == "its log cannot be read"
    with pytest.raises(TaskError, match="its log cannot be read"):
        result.raise_for_result()


async def test_ok_instead_of_a_task_means_that_nothing_was_done(pve: Any) -> None:
    blocking = getattr(pve, "_inner", pve)
    started = blocking.nodes("pve1").vzdump.post(vmid="101", storage="local")
    task = await started if blocking is pve else started
    result = await task.wait() if blocking is pve else task.wait()
    assert isinstance(result, TaskOk)
    assert result.upid is None
    assert "nothing to do" in result.note
    assert not task.started


async def test_request_to_the_ha_manager_is_not_the_deed(
    pve: Any, cluster: SimulatedCluster
) -> None:
    await pve.request("POST", "/cluster/ha/resources", {"sid": "vm:101", "state": "stopped"})
    cluster.clock.advance(30)
    upid = await pve.request("POST", "/nodes/pve2/qemu/101/status/start")
    result = await pve.task(upid).wait(60)
    assert isinstance(result, TaskOk)
    assert result.filed
    assert "HA manager" in result.note
    assert (await pve.request("GET", "/nodes/pve2/qemu/101/status/current"))["status"] == "stopped"
    assert (await (await pve.guest(101)).start()).ok  # this one waits until it runs
    assert (await pve.request("GET", "/nodes/pve2/qemu/101/status/current"))["status"] == "running"


async def test_dead_nodes_task_ended_if_the_cluster_knows_so(
    pve: Any, cluster: SimulatedCluster
) -> None:
    upid = await pve.request("POST", "/nodes/pve2/qemu/101/status/start")
    cluster.clock.advance(10)
    cluster.faults.add(NodeOffline("pve2"))
    result = await pve.task(upid).wait(600)
    assert isinstance(result, TaskOk)
    assert "does not answer" in result.note


async def test_dead_nodes_running_task_is_lost(pve: Any, cluster: SimulatedCluster) -> None:
    upid = await pve.request("POST", "/nodes/pve2/vzdump", {"vmid": "101", "storage": "local"})
    assert Upid.parse(upid).node == "pve2"
    cluster.faults.add(NodeOffline("pve2"))
    result = await pve.task(upid).wait(600)
    assert isinstance(result, TaskLost)
    assert "pve2 does not answer" in result.why


async def test_warnings_are_told(pve: Any, cluster: SimulatedCluster) -> None:
    cluster.faults.add(FailingTask("qmstart", "100", "WARNINGS: 1"))
    upid = await pve.request("POST", "/nodes/pve1/qemu/100/status/start")
    result = await pve.task(upid).wait(60)
    assert isinstance(result, TaskWarnings)
    assert (result.ok, result.count) == (True, 1)
