"""Snapshots, disks, clones and moves of a guest wherever it is, in both colours."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from proxmox_client import NotFound, ParameterInvalid, TaskFailed, TaskRunning
from proxmox_client.testing import SimulatedCluster
from proxmox_client.testing.faults import Latency, NodeOffline, SomebodyElse, Where
from tests.lab.colours import COLOURS, open_client


@pytest.fixture
def cluster() -> SimulatedCluster:
    made = SimulatedCluster()
    made.add_vm("pve1", 100, {"name": "web", "memory": "128", "scsi0": "shared:1,format=qcow2"})
    made.add_container("pve2", 200, {"hostname": "proxy", "rootfs": "local-lvm:1"})
    made.clock.advance(20)
    return made


@pytest.fixture(params=COLOURS)
async def pve(cluster: SimulatedCluster, request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    token = cluster.create_token("root@pam", "test")
    async with open_client(request.param, cluster, token=token) as made:
        yield made


@pytest.mark.parametrize("guest", ["web", "proxy"])
async def test_snapshots_come_and_go(pve: Any, guest: str) -> None:
    found = await pve.guest(guest)
    assert await found.snapshots.list() == ()
    lines: list[str] = []
    made = await found.snapshots.create("before", "a description", on_log=lines.append)
    assert made.ok
    assert lines[-1] == "TASK OK"
    assert (await found.snapshots.create("after")).ok
    first, second = await found.snapshots.list()
    assert (first.name, first.description, first.parent) == ("before", "a description", "")
    assert (second.name, second.parent, second.is_parent) == ("after", "before", True)
    assert 0 < first.created <= second.created
    assert not first.with_memory
    assert (await found.snapshots.rollback("before", start=True)).ok
    assert (await found.request("GET", "/status/current"))["status"] == "running"
    assert [entry.is_parent for entry in await found.snapshots.list()] == [True, False]
    assert (await found.snapshots.delete("after")).ok
    assert [entry.name for entry in await found.snapshots.list()] == ["before"]


async def test_memory_is_saved_with_a_running_machine(pve: Any) -> None:
    guest = await pve.guest(100)
    assert (await guest.start()).ok
    assert (await guest.snapshots.create("live", memory=True)).ok
    (live,) = await guest.snapshots.list()
    assert live.with_memory


async def test_containers_have_no_memory_to_save(pve: Any) -> None:
    guest = await pve.guest(200)
    assert (await guest.snapshots.create("plain", memory=True)).ok


async def test_second_snapshot_of_a_name_fails_in_its_task(pve: Any) -> None:
    guest = await pve.guest(100)
    assert (await guest.snapshots.create("one")).ok
    again = await guest.snapshots.create("one")
    assert isinstance(again, TaskFailed)
    assert "already" in again.message
    missing = await guest.snapshots.rollback("nosuch")
    assert isinstance(missing, TaskFailed)


async def test_name_that_is_none_is_refused_at_once(pve: Any) -> None:
    with pytest.raises(ParameterInvalid):
        await (await pve.guest(100)).snapshots.create("1 2")


async def test_snapshot_waits_for_a_migration_and_follows(
    pve: Any, cluster: SimulatedCluster
) -> None:
    guest = await pve.guest(100)
    await guest.request("POST", "/migrate", {"target": "pve3"})
    cluster.clock.advance(1)
    assert (await guest.place()).lock == "migrate"
    result = await guest.snapshots.create("moved")
    assert result.ok
    assert result.upid.node == "pve3"


async def test_snapshot_follows_a_guest_that_moves_in_between(
    pve: Any, cluster: SimulatedCluster
) -> None:
    def move(world: SimulatedCluster) -> None:
        world.guests[200].node = "pve1"

    guest = await pve.guest(200)
    cluster.faults.add(SomebodyElse(move, where=Where("POST", "*/snapshot", times=1)))
    result = await guest.snapshots.create("moved")
    assert (result.ok, result.upid.node) == (True, "pve1")


async def test_disks_grow_and_move(pve: Any, cluster: SimulatedCluster) -> None:
    guest = await pve.guest(100)
    assert (await guest.resize_disk("scsi0", "+1G")).ok
    assert "size=2G" in (await guest.request("GET", "/config"))["scsi0"]
    smaller = await guest.resize_disk("scsi0", "1G")
    assert isinstance(smaller, TaskFailed)
    assert "shrink" in smaller.message
    assert (await guest.move_disk("scsi0", "local-lvm")).ok
    config = await guest.request("GET", "/config")
    assert config["scsi0"].startswith("local-lvm:")
    assert "unused0" not in config
    assert (await guest.move_disk("scsi0", "shared", format="qcow2", keep=True)).ok
    config = await guest.request("GET", "/config")
    assert config["unused0"].startswith("local-lvm:")


async def test_containers_disks_grow_and_move(pve: Any) -> None:
    guest = await pve.guest(200)
    assert (await guest.resize_disk("rootfs", "3G")).ok
    assert (await guest.move_disk("rootfs", "shared")).ok
    rootfs = (await guest.request("GET", "/config"))["rootfs"]
    assert rootfs.startswith("shared:")
    assert "size=3G" in rootfs


async def test_clone_takes_a_free_number(pve: Any, cluster: SimulatedCluster) -> None:
    guest = await pve.guest(100)
    first = int(await pve.request("GET", "/cluster/nextid"))

    def rival(world: SimulatedCluster) -> None:
        world.add_vm("pve1", first, {"memory": "128"})

    cluster.faults.add(SomebodyElse(rival, where=Where("POST", "*/clone", times=1)))
    copy, result = await guest.clone({"name": "copy", "full": True})
    assert result.ok
    assert copy.vmid == first + 1
    assert (await copy.request("GET", "/config"))["name"] == "copy"
    other, result = await guest.clone({"newid": 555})
    assert (result.ok, other.vmid) == (True, 555)


async def test_number_taken_by_creating(pve: Any, cluster: SimulatedCluster) -> None:
    first = int(await pve.request("GET", "/cluster/nextid"))

    def rival(world: SimulatedCluster) -> None:
        world.add_vm("pve3", first, {"memory": "128"})

    cluster.faults.add(SomebodyElse(rival, where=Where("POST", "/nodes/pve1/qemu", times=1)))
    blocking = not hasattr(pve, "aclose")

    def create(vmid: int) -> Any:
        tree = pve._inner if blocking else pve
        return tree.request("POST", "/nodes/pve1/qemu", {"vmid": vmid, "memory": 128})

    vmid, upid = await pve.allocate_vmid(create)
    assert vmid == first + 1
    assert upid.startswith("UPID:pve1:")


async def test_number_is_kept_where_something_else_exists(
    pve: Any, cluster: SimulatedCluster
) -> None:
    sent: list[int] = []

    def create(vmid: int) -> TaskFailed:
        sent.append(vmid)
        upid = pve.task("UPID:pve1:0000252F:0006D64E:6B03000E:qmclone:100:root@pam:").upid
        return TaskFailed(upid, "volume 'x' already exists")

    async def acreate(vmid: int) -> TaskFailed:
        return create(vmid)

    blocking = not hasattr(pve, "aclose")
    if blocking:
        pve = pve._inner
        _, result = pve.allocate_vmid(create)
    else:
        _, result = await pve.allocate_vmid(acreate)
    assert isinstance(result, TaskFailed)
    assert len(sent) == 1


@pytest.mark.parametrize("guest", [100, 200])
async def test_migration_ends_when_the_guest_is_there(pve: Any, guest: int) -> None:
    found = await pve.guest(guest)
    if guest == 200:
        assert (await found.move_disk("rootfs", "shared")).ok
    assert (await found.start()).ok
    assert (await found.migrate("pve3")).ok
    place = await found.place()
    assert (place.node, place.lock) == ("pve3", "")
    assert (await found.request("GET", "/status/current"))["status"] == "running"


async def test_migration_of_an_ha_guest_ends_when_it_has_happened(
    pve: Any, cluster: SimulatedCluster
) -> None:
    await pve.request("POST", "/cluster/ha/resources", {"sid": "vm:100"})
    guest = await pve.guest(100)
    assert (await guest.start(timeout=300)).ok
    result = await guest.migrate("pve2", timeout=600)
    assert result.ok
    assert result.filed
    assert (await guest.place()).node == "pve2"
    assert (await guest.shutdown(timeout=300, force=True)).ok
    soon = await guest.start(timeout=2)
    assert isinstance(soon, TaskRunning)


async def test_deleted_guest_is_gone(pve: Any, cluster: SimulatedCluster) -> None:
    guest = await pve.guest(100)
    assert (await guest.delete(purge=True)).ok
    assert 100 not in cluster.guests
    with pytest.raises(NotFound):
        await pve.request("GET", "/nodes/pve1/qemu/100/config")


async def test_guests_configuration_is_guarded_wherever_it_is(
    pve: Any, cluster: SimulatedCluster
) -> None:
    guest = await pve.guest(200)

    def move_and_edit(world: SimulatedCluster) -> None:
        world.guests[200].node = "pve3"
        world.edit(200, memory="256")

    where = Where("PUT", "*/lxc/200/config", times=1)
    cluster.faults.add(SomebodyElse(move_and_edit, where=where))
    assert await guest.update({"hostname": "edge"})
    config = await guest.request("GET", "/config")
    assert (config["hostname"], config["memory"]) == ("edge", 256)
    assert not await guest.update({"hostname": "edge"})


async def test_slow_server_only_takes_longer(pve: Any, cluster: SimulatedCluster) -> None:
    cluster.faults.add(Latency(5.0, where=Where("POST", "*/snapshot")))
    assert (await (await pve.guest(100)).snapshots.create("late")).ok


async def test_ha_manager_that_drops_a_request_is_not_waited_for_for_ever(
    pve: Any, cluster: SimulatedCluster
) -> None:
    await pve.request("POST", "/cluster/ha/resources", {"sid": "vm:100", "state": "stopped"})
    cluster.clock.advance(30)
    cluster.faults.add(NodeOffline("pve3"))
    cluster.clock.advance(30)
    before = cluster.clock.now()
    result = await (await pve.guest(100)).migrate("pve3")
    assert isinstance(result, TaskRunning)
    assert 300 <= cluster.clock.now() - before < 400
