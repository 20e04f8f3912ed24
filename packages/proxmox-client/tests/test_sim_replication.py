"""Replication in the simulator: jobs, runs on schedule, failures, removal."""

from __future__ import annotations

from typing import Any

import pytest

from proxmox_client.testing import PveFault, SimulatedCluster
from proxmox_client.testing.faults import NodeOffline
from proxmox_client.testing.state import Storage

ALL = "/cluster/replication"
HERE = "/nodes/pve1/replication/100-0"


@pytest.fixture
def cluster() -> SimulatedCluster:
    made = SimulatedCluster()
    made.storages["tank"] = Storage("tank", "zfspool", {"pool": "tank", "content": "images"})
    made.add_vm("pve1", 100, {"scsi0": "tank:10", "scsi1": "tank:5,replicate=0"})
    return made


def create(cluster: SimulatedCluster, **options: Any) -> None:
    params = {"id": "100-0", "type": "local", "target": "pve2", "schedule": "*/10", **options}
    cluster.call("POST", ALL, params)


def status(cluster: SimulatedCluster) -> dict[str, Any]:
    found: dict[str, Any] = cluster.call("GET", f"{HERE}/status")
    return found


def copies(cluster: SimulatedCluster, node: str = "pve2") -> list[str]:
    return [volume.volid for volume in cluster.volumes.on("tank", node)]


@pytest.mark.requirement("replication.runs")
def test_a_job_runs_on_its_schedule_and_copies_what_it_may(cluster: SimulatedCluster) -> None:
    create(cluster)
    assert copies(cluster) == []
    first = status(cluster)
    assert first["next_sync"] % 600 == 0
    assert first["last_sync"] == 0
    cluster.clock.advance_to(first["next_sync"] + 1)
    assert "pid" in status(cluster)
    cluster.clock.advance(120)
    after = status(cluster)
    assert copies(cluster) == ["tank:vm-100-disk-0"]
    assert (after["last_sync"], after["fail_count"]) == (first["next_sync"], 0)
    assert after["next_sync"] == first["next_sync"] + 600
    lines = [row["t"] for row in cluster.call("GET", f"{HERE}/log")]
    assert "full sync" in str(lines)
    assert lines[-1].endswith("end replication job")
    cluster.clock.advance(600)
    again = [row["t"] for row in cluster.call("GET", f"{HERE}/log")]
    assert "incremental sync" in str(again)


@pytest.mark.requirement("replication.runs")
def test_a_job_can_be_run_soon(cluster: SimulatedCluster) -> None:
    create(cluster, schedule="daily")
    cluster.clock.advance(86_400 + 60)
    before = status(cluster)["last_sync"]
    cluster.call("POST", f"{HERE}/schedule_now")
    cluster.clock.advance(70)
    assert status(cluster)["last_sync"] > before


@pytest.mark.requirement("replication.jobs")
def test_only_what_can_be_replicated_is(cluster: SimulatedCluster) -> None:
    cluster.add_vm("pve1", 101, {"scsi0": "local-lvm:1"})
    cluster.add_vm("pve1", 102, {"scsi0": "shared:1"})
    wrong = "missing replicate feature on volume 'local-lvm:vm-101-disk-0'"
    with pytest.raises(PveFault, match=wrong):
        create(cluster, id="101-0")
    with pytest.raises(PveFault, match="No replicatable volumes found"):
        create(cluster, id="102-0")
    with pytest.raises(PveFault, match="Source 'pve3' does not match current node"):
        create(cluster, source="pve3")
    create(cluster)
    with pytest.raises(PveFault, match="replication job '100-0' already exists"):
        create(cluster)


@pytest.mark.requirement("replication.runs")
def test_a_target_that_is_away_fails_the_run_and_later_ones_wait_longer(
    cluster: SimulatedCluster,
) -> None:
    create(cluster)
    with cluster.faults.add(NodeOffline("pve2")):
        cluster.clock.advance(700)
        row = status(cluster)
        assert row["fail_count"] == 1
        assert row["error"].endswith("failed: exit code 255")
        assert row["next_sync"] == 0
    cluster.clock.advance(10)
    assert status(cluster)["next_sync"] == status(cluster)["last_try"] + 300
    (mail,) = cluster.outside.mailboxes["root"]
    assert (mail["type"], mail["job-id"], mail["severity"]) == ("replication", "100-0", "error")


@pytest.mark.requirement("replication.runs")
def test_a_job_follows_its_guest(cluster: SimulatedCluster) -> None:
    create(cluster)
    cluster.guests[100].node = "pve2"
    (row,) = cluster.call("GET", "/nodes/pve2/replication")
    assert (row["source"], row["target"]) == ("pve2", "pve1")
    assert cluster.call("GET", "/nodes/pve1/replication") == []
    with pytest.raises(PveFault, match="no such replication job '100-0'"):
        status(cluster)


@pytest.mark.requirement("replication.jobs")
def test_removal_takes_the_copies_unless_they_are_kept(cluster: SimulatedCluster) -> None:
    create(cluster)
    cluster.clock.advance(900)
    cluster.call("DELETE", f"{ALL}/100-0")
    assert cluster.call("GET", f"{ALL}/100-0")["remove_job"] == "full"
    cluster.clock.advance(120)
    assert cluster.call("GET", ALL) == []
    assert copies(cluster) == []
    create(cluster)
    cluster.clock.advance(900)
    cluster.call("DELETE", f"{ALL}/100-0", {"keep": 1})
    cluster.clock.advance(120)
    assert copies(cluster) == ["tank:vm-100-disk-0"]
    create(cluster)
    cluster.call("DELETE", f"{ALL}/100-0", {"force": 1})
    assert cluster.call("GET", ALL) == []


@pytest.mark.requirement("replication.jobs")
def test_changes_are_guarded_by_the_digest(cluster: SimulatedCluster) -> None:
    create(cluster)
    digest = cluster.call("GET", f"{ALL}/100-0")["digest"]
    cluster.call("PUT", f"{ALL}/100-0", {"comment": "x", "disable": 1, "digest": digest})
    with pytest.raises(PveFault, match="detected modified configuration"):
        cluster.call("PUT", f"{ALL}/100-0", {"comment": "y", "digest": digest})
    with pytest.raises(PveFault, match="unable to delete required option 'target'"):
        cluster.call("PUT", f"{ALL}/100-0", {"delete": "target"})
    cluster.clock.advance(3600)
    assert status(cluster)["last_sync"] == 0
