"""Simulated bulk actions: what the recordings say in words."""

from __future__ import annotations

import pytest

from proxmox_client.testing import PveFault, SimRequest, SimulatedCluster
from proxmox_client.testing.faults import NodeOffline
from proxmox_client.testing.tasks import TaskRecord

GUESTS = "/cluster/bulk-action/guest"


@pytest.fixture
def cluster() -> SimulatedCluster:
    found = SimulatedCluster()
    found.add_vm("pve1", 100, {})
    found.add_vm("pve2", 101, {"onboot": 1})
    found.add_container("pve2", 200, {"rootfs": "local-lvm:1"}, status="running")
    found.add_vm("pve3", 103, {}, status="running")
    return found


def finished(cluster: SimulatedCluster, path: str, **params: object) -> TaskRecord:
    upid = cluster.call("POST", path, params)
    cluster.clock.advance(120)
    return cluster.tasks.get(upid)


@pytest.mark.requirement("bulk.forwarded")
def test_guests_are_started_each_at_its_node(cluster: SimulatedCluster) -> None:
    task = finished(cluster, f"{GUESTS}/start", vms=[100, 101])
    assert (task.exitstatus, task.lines[0]) == ("OK", "Starting guests: 100, 101")
    kinds = [[task.upid.type for task in node.tasks] for node in cluster.nodes.values()]
    assert kinds == [["bulk-start", "qmstart"], ["qmstart"], []]


@pytest.mark.requirement("bulk.forwarded")
def test_an_unknown_guest_is_no_failure(cluster: SimulatedCluster) -> None:
    task = finished(cluster, f"{GUESTS}/start", vms=[9999])
    assert (task.exitstatus, task.lines[0]) == ("OK", "Starting guests: 9999")


@pytest.mark.requirement("bulk.forwarded")
def test_a_guest_that_runs_already_is_skipped_with_a_warning(cluster: SimulatedCluster) -> None:
    task = finished(cluster, f"{GUESTS}/start", vms=[103])
    assert task.exitstatus == "WARNINGS: 1"
    assert "WARN: Skipping VM 103, already running." in task.lines


@pytest.mark.requirement("bulk.lost-node")
def test_guests_of_a_lost_node_fail_one_by_one(cluster: SimulatedCluster) -> None:
    cluster.faults.add(NodeOffline("pve3"))
    cluster.clock.advance(20)
    task = finished(cluster, f"{GUESTS}/start", vms=[103])
    assert "WARN: 595 No route to host" in task.lines
    assert task.exitstatus == "Some guests failed to start: 103"


@pytest.mark.requirement("bulk.startall")
def test_startall_starts_what_starts_at_boot(cluster: SimulatedCluster) -> None:
    assert finished(cluster, "/nodes/pve1/startall").exitstatus == "OK"
    assert not cluster.guests[100].running
    finished(cluster, "/nodes/pve2/startall")
    assert cluster.guests[101].running


@pytest.mark.requirement("bulk.startall")
def test_stopall_stops_the_nodes_guests_only(cluster: SimulatedCluster) -> None:
    finished(cluster, "/nodes/pve2/stopall", timeout=30)
    assert not cluster.guests[200].running
    assert cluster.guests[103].running


@pytest.mark.requirement("bulk.migrateall")
def test_migrateall_wants_a_number_of_workers(cluster: SimulatedCluster) -> None:
    with pytest.raises(PveFault, match="either 'max-workers' parameter or max_workers"):
        cluster.call("POST", "/nodes/pve1/migrateall", {"target": "pve2"})
    task = finished(cluster, "/nodes/pve1/migrateall", **{"target": "pve2", "max-workers": 1})
    assert (task.exitstatus, cluster.guests[100].node) == ("OK", "pve2")


@pytest.mark.requirement("auth.bulk")
def test_who_may_not_start_a_guest_may_not_in_bulk(cluster: SimulatedCluster) -> None:
    headers = {"authorization": f"PVEAPIToken={cluster.create_token('bob@pve', 't')}"}
    request = SimRequest("POST", f"{GUESTS}/start", {"vms": [100]}, headers)
    upid = cluster.handle(request).data
    cluster.clock.advance(10)
    assert cluster.tasks.get(upid).exitstatus == "Some guests failed to start: 100"
    assert not cluster.guests[100].running
