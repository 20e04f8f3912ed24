"""Simulated time passes fast, and the same way each time."""

from __future__ import annotations

import time

import pytest

from proxmox_client.testing import SimulatedCluster
from proxmox_client.testing.faults import Latency, NodeOffline

DAY = 24 * 3600.0


def busy(seed: int = 1) -> SimulatedCluster:
    """A cluster whose guests are under high availability."""
    cluster = SimulatedCluster(seed=seed)
    for number in range(12):
        options = {"name": f"vm{number}", "scsi0": "shared:1"}
        cluster.add_vm(f"pve{number % 3 + 1}", 100 + number, options, status="running")
    for vmid in (100, 101, 102):
        cluster.call("POST", "/cluster/ha/resources", {"sid": f"vm:{vmid}"})
    return cluster


@pytest.mark.requirement("simulator.time")
def test_a_day_with_its_rounds_and_broadcasts_passes_in_seconds() -> None:
    cluster = busy()
    begin = time.process_time()
    cluster.clock.advance(DAY)
    minutes_a_second = DAY / 60 / (time.process_time() - begin)
    # About 2,000 on the machine it was written on; a clock without events needs no time at all.
    assert minutes_a_second > 300
    assert cluster.call("GET", "/cluster/ha/status/current")[1]["status"].startswith("pve2 (active")


@pytest.mark.requirement("simulator.time", "simulator.seed")
def test_the_same_seed_and_the_same_calls_lead_to_the_same_cluster() -> None:
    def history(seed: int) -> list[object]:
        cluster = busy(seed)
        cluster.faults.add(Latency(seconds=0.1, jitter=0.5))
        cluster.clock.advance(35)
        cluster.call("POST", "/nodes/pve1/qemu/103/migrate", {"target": "pve3", "online": 1})
        cluster.call("POST", "/nodes/pve2/qemu/104/clone", {"newid": 200, "full": 1})
        fault = cluster.faults.add(NodeOffline("pve3"))
        cluster.clock.advance(200)
        fault.remove()
        cluster.clock.advance(60)
        return [
            cluster.call("GET", path)
            for path in ("/cluster/resources", "/cluster/tasks", "/cluster/log", "/nodes",
                         "/cluster/ha/status/manager_status", "/nodes/pve1/qemu/103/config")
            if path != "/nodes/pve1/qemu/103/config" or cluster.guests[103].node == "pve1"
        ]  # fmt: skip

    assert history(5) == history(5)
    assert history(5) != history(6)


@pytest.mark.requirement("simulator.time")
def test_tasks_of_different_guests_run_side_by_side_and_of_one_guest_one_after_the_other() -> None:
    cluster = SimulatedCluster()
    for vmid in (100, 101):
        cluster.add_vm("pve1", vmid, {"scsi0": "local-lvm:1"})

    def seconds(*calls: tuple[int, str]) -> float:
        begin = cluster.clock.now()
        started = [cluster.call("POST", f"/nodes/pve1/qemu/{vmid}/{path}") for vmid, path in calls]
        tasks = [cluster.tasks.get(upid) for upid in started]
        while any(task.running for task in tasks):
            cluster.clock.advance(0.05)
        return cluster.clock.now() - begin

    alone = seconds((100, "status/start"))
    seconds((100, "status/stop"))
    cluster.clock.advance(10)
    together = seconds((100, "status/start"), (101, "status/start"))
    assert together == pytest.approx(alone, abs=0.2)
    # The second task waits for the guest's lock.
    assert seconds((100, "status/reset"), (100, "status/stop")) > seconds((101, "status/reset"))
