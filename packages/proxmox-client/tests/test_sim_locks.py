"""Locks of the simulator: time-outs on the virtual clock, sharing, first come, first served."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from proxmox_client.testing import PveFault, SimulatedCluster, TaskRecord

NAME = "/var/lock/qemu-server/lock-100.conf"
TIMEOUT = f"can't lock file '{NAME}' - got timeout"


@pytest.fixture
def cluster() -> SimulatedCluster:
    return SimulatedCluster()


def holding(cluster: SimulatedCluster, label: str, got: list[str], *, shared: bool = False) -> str:
    def work(task: TaskRecord) -> Iterator[float]:
        yield from cluster.locks.wait(NAME, timeout=10, message=TIMEOUT, shared=shared)
        got.append(label)
        yield 2.0
        cluster.locks.release(NAME)

    return cluster.tasks.start("pve1", "qmconfig", work, user="root@pam")


@pytest.mark.requirement("locks.table")
def test_waiters_are_served_in_the_order_they_came(cluster: SimulatedCluster) -> None:
    got: list[str] = []
    for label in "abcd":
        holding(cluster, label, got)
    cluster.clock.advance(30)
    assert got == ["a", "b", "c", "d"]


@pytest.mark.requirement("locks.table")
def test_a_waiter_gives_up_after_its_time(cluster: SimulatedCluster) -> None:
    cluster.locks.take(NAME)
    upid = holding(cluster, "a", [])
    cluster.clock.advance(9)
    assert cluster.tasks.get(upid).running
    cluster.clock.advance(2)
    assert cluster.tasks.get(upid).exitstatus == TIMEOUT


@pytest.mark.requirement("locks.table")
def test_sharers_hold_together_and_keep_others_out(cluster: SimulatedCluster) -> None:
    got: list[str] = []
    holding(cluster, "a", got, shared=True)
    holding(cluster, "b", got, shared=True)
    holding(cluster, "c", got)
    cluster.clock.advance(1)
    assert got == ["a", "b"]
    cluster.clock.advance(5)
    assert got == ["a", "b", "c"]


@pytest.mark.requirement("locks.table")
def test_a_lock_held_for_a_time_runs_out(cluster: SimulatedCluster) -> None:
    cluster.locks.take(NAME, until=cluster.clock.now() + 3)
    got: list[str] = []
    holding(cluster, "a", got)
    cluster.clock.advance(2)
    assert got == []
    cluster.clock.advance(2)
    assert got == ["a"]


@pytest.mark.requirement("locks.table")
def test_a_stopped_waiter_leaves_the_queue(cluster: SimulatedCluster) -> None:
    cluster.locks.take(NAME, until=cluster.clock.now() + 5)
    got: list[str] = []
    first = holding(cluster, "a", got)
    holding(cluster, "b", got)
    cluster.clock.advance(1)
    cluster.tasks.stop(cluster.tasks.get(first))
    cluster.clock.advance(10)
    assert got == ["b"]


@pytest.mark.requirement("locks.flock")
def test_a_change_waits_ten_seconds_for_a_guests_lock(cluster: SimulatedCluster) -> None:
    cluster.add_vm("pve1", 100, {"memory": 64})
    cluster.locks.take(NAME)
    before = cluster.clock.now()
    with pytest.raises(PveFault, match="got timeout"):
        cluster.call("PUT", "/nodes/pve1/qemu/100/config", {"memory": 128})
    assert cluster.clock.now() == pytest.approx(before + 10, abs=0.2)


@pytest.mark.requirement("locks.cluster-files")
def test_writers_of_one_file_at_the_same_moment_wait_in_steps_of_a_second(
    cluster: SimulatedCluster,
) -> None:
    """Recorded: nine took 0.1 to 4.4 s, and none was lost (cluster_locks.jsonl, first lines)."""
    secret = cluster.create_token("root@pam", "many")
    begin = cluster.clock.now()

    async def create(number: int) -> float:
        via = f"pve{number % 3 + 1}"
        async with httpx.AsyncClient(
            transport=cluster.async_transport(via),
            base_url="https://pve1:8006/api2/json",
            headers={"Authorization": f"PVEAPIToken={secret}"},
        ) as client:
            fields = {"storage": f"par{number}", "type": "dir", "path": f"/tmp/par{number}"}
            response = await client.post("/storage", data=fields)
        assert response.status_code == 200
        return cluster.clock.now() - begin

    async def all_at_once() -> list[float]:
        return sorted(await asyncio.gather(*(create(number) for number in range(9))))

    seconds = asyncio.run(all_at_once())
    assert {f"par{number}" for number in range(9)} <= cluster.storages.keys()
    assert seconds[0] < 0.1
    assert all(wait > 0.9 for wait in seconds[1:])
    assert 1.5 < seconds[-1] < 7
