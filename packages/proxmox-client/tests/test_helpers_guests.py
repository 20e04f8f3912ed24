"""Guests wherever they are, free numbers, guarded changes, waiting for the cluster."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from proxmox_client import (
    ApiToken,
    AsyncClient,
    Client,
    DigestMismatch,
    NotFound,
    RequestInvalid,
    TaskFailed,
    TaskOk,
    TaskRunning,
)
from proxmox_client.testing import SimulatedCluster
from proxmox_client.testing.faults import FailingTask, SomebodyElse, Where

CONFIG = "/nodes/pve1/qemu/100/config"


@pytest.fixture
def cluster() -> SimulatedCluster:
    made = SimulatedCluster()
    made.add_vm("pve1", 100, {"name": "web", "memory": "128", "scsi0": "shared:1"})
    made.add_vm("pve2", 101, {"name": "db", "memory": "128"})
    made.add_vm("pve3", 102, {"name": "db", "memory": "128"})
    made.add_container("pve2", 200, {"hostname": "proxy"})
    made.clock.advance(20)
    return made


@pytest.fixture
def token(cluster: SimulatedCluster) -> str:
    return cluster.create_token("root@pam", "test")


@pytest.fixture
def pve(cluster: SimulatedCluster, token: str) -> Iterator[Client]:
    with Client(
        "pve1",
        token=token,
        transport=cluster.transport(),
        sleep=cluster.clock.sleep,
        now=cluster.clock.now,
    ) as made:
        yield made


def test_guest_is_found_by_number_and_by_name(pve: Client) -> None:
    assert pve.guest(101).place().node == "pve2"
    assert pve.guest("101").vmid == 101
    found = pve.guest("proxy")
    assert (found.vmid, found.place().path) == (200, "/nodes/pve2/lxc/200")
    assert repr(found) == "<Guest 200>"


@pytest.mark.parametrize(("name", "why"), [("nosuch", "no such guest"), ("db", "101, 102")])
def test_guest_that_cannot_be_told(pve: Client, name: str, why: str) -> None:
    with pytest.raises(RequestInvalid, match=why):
        pve.guest(name)


def test_guest_is_followed_to_another_node(pve: Client, cluster: SimulatedCluster) -> None:
    guest = pve.guest("web")
    upid = guest.request("POST", "/migrate", {"target": "pve3"})
    assert pve.task(upid).wait(600).ok
    assert guest.request("GET", "/config")["name"] == "web"
    assert guest.place().node == "pve3"
    assert guest.start().ok


def test_guest_that_moves_between_looking_and_asking(
    pve: Client, cluster: SimulatedCluster
) -> None:
    guest = pve.guest(100)

    def move(world: SimulatedCluster) -> None:
        world.guests[100].node = "pve2"

    cluster.faults.add(SomebodyElse(move, where=Where("PUT", "*/config", times=1)))
    guest.request("PUT", "/config", {"name": "renamed"})
    assert guest.request("GET", "/config")["name"] == "renamed"


def test_what_a_guest_lacks_is_still_not_found(pve: Client) -> None:
    with pytest.raises(NotFound):
        pve.request("GET", "/nodes/pve1/qemu/4711/config")


def test_start_waits_for_a_migration(pve: Client, cluster: SimulatedCluster) -> None:
    guest = pve.guest(100)
    guest.request("POST", "/migrate", {"target": "pve2"})
    result = guest.start()
    assert isinstance(result, TaskOk)
    assert result.upid is not None
    assert result.upid.node == "pve2"


def test_switching_on_and_off(pve: Client) -> None:
    guest = pve.guest(100)
    lines: list[str] = []
    assert guest.start(on_log=lines.append).ok
    assert lines[-1] == "TASK OK"
    again = guest.start()
    assert isinstance(again, TaskOk)
    assert again.upid is None
    assert "running already" in again.note
    assert guest.request("GET", "/status/current")["status"] == "running"
    assert guest.shutdown(timeout=60, force=True).ok
    assert guest.stop().ok
    assert guest.request("GET", "/status/current")["status"] == "stopped"


def test_failing_start_is_a_result(pve: Client, cluster: SimulatedCluster) -> None:
    cluster.faults.add(FailingTask("qmstart", "100", "start failed: no memory"))
    result = pve.guest(100).start()
    assert isinstance(result, TaskFailed)
    assert "no memory" in result.message


def test_time_over_is_a_result(pve: Client) -> None:
    assert isinstance(pve.guest(100).start(timeout=0.0), TaskRunning)


def test_rivals_number_is_left_to_them(pve: Client, cluster: SimulatedCluster) -> None:
    first = pve.request("GET", "/cluster/nextid")

    def rival(world: SimulatedCluster) -> None:
        world.add_vm("pve3", int(first), {"memory": "128"})

    cluster.faults.add(SomebodyElse(rival, where=Where("POST", "/nodes/pve1/qemu", times=1)))
    vmid, result = pve.create_guest("/nodes/pve1/qemu", {"memory": 128})
    assert result.ok
    assert vmid == int(first) + 1
    assert cluster.guests[vmid].node == "pve1"


def test_rivals_number_that_only_the_clones_task_notices(
    pve: Client, cluster: SimulatedCluster
) -> None:
    first = int(pve.request("GET", "/cluster/nextid"))

    def rival(world: SimulatedCluster) -> None:
        world.add_vm("pve3", first, {"memory": "128"})

    cluster.faults.add(SomebodyElse(rival, where=Where("POST", "*/clone", times=1)))
    vmid, result = pve.create_guest("/nodes/pve1/qemu/100/clone", {"full": True})
    assert result.ok
    assert vmid > first


def test_change_that_is_none_is_not_written(pve: Client, cluster: SimulatedCluster) -> None:
    before = cluster.guests[100].digest
    assert pve.update(CONFIG, {"name": "web", "memory": 128, "tags": None}) is False
    assert cluster.guests[100].digest == before
    assert pve.update(CONFIG, {"name": "shop", "description": None}) is True
    assert pve.request("GET", CONFIG)["name"] == "shop"


def test_somebody_elses_other_keys_survive(pve: Client, cluster: SimulatedCluster) -> None:
    def edit(world: SimulatedCluster) -> None:
        world.edit(100, memory="256")

    cluster.faults.add(SomebodyElse(edit, where=Where("PUT", CONFIG, times=1)))
    assert pve.update(CONFIG, {"name": "shop"})
    config = pve.request("GET", CONFIG)
    assert (config["name"], str(config["memory"])) == ("shop", "256")


def test_somebody_elses_same_key_is_a_conflict(pve: Client, cluster: SimulatedCluster) -> None:
    def edit(world: SimulatedCluster) -> None:
        world.edit(100, name="theirs")

    cluster.faults.add(SomebodyElse(edit, where=Where("PUT", CONFIG, times=1)))
    with pytest.raises(DigestMismatch):
        pve.update(CONFIG, {"name": "ours"})
    assert pve.request("GET", CONFIG)["name"] == "theirs"


def test_waiting_for_the_cluster(pve: Client, cluster: SimulatedCluster) -> None:
    pve.request("POST", "/nodes/pve1/qemu/100/status/start")
    assert pve.wait_for(
        lambda rows: any(r.get("vmid") == 100 and r.get("status") == "running" for r in rows),
        timeout=60,
    )
    before = cluster.clock.now()
    assert not pve.wait_for(lambda rows: False, timeout=30)
    assert 20 < cluster.clock.now() - before <= 30


async def test_async_helpers_do_the_same(cluster: SimulatedCluster, token: str) -> None:
    async with AsyncClient(
        "pve1",
        token=ApiToken.parse(token),
        transport=cluster.async_transport(),
        sleep=cluster.clock.asleep,
        now=cluster.clock.now,
    ) as pve:
        guest = await pve.guest("web")
        assert (await guest.start()).ok
        assert (await guest.shutdown(force=True)).ok
        assert (await guest.stop()).ok
        assert (await guest.place()).node == "pve1"
        assert (await guest.request("GET", "/config"))["name"] == "web"
        assert repr(guest) == "<AsyncGuest 100>"
        assert await pve.update(CONFIG, {"name": "shop"})
        vmid, result = await pve.create_guest("/nodes/pve1/qemu", {"memory": 128})
        assert result.ok
        assert await pve.wait_for(lambda rows: any(row.get("vmid") == vmid for row in rows))
