"""Shutting down and starting simulated nodes; what guards the way to other clusters."""

from __future__ import annotations

import pytest

from proxmox_client.testing import PveFault, SimulatedCluster


@pytest.fixture
def cluster() -> SimulatedCluster:
    made = SimulatedCluster()
    made.add_vm("pve2", 100, {"scsi0": "shared:1"}, status="running")
    return made


@pytest.mark.requirement("nodes.power")
def test_a_node_that_is_rebooted_goes_and_comes_back(cluster: SimulatedCluster) -> None:
    assert cluster.call("POST", "/nodes/pve2/status", {"command": "reboot"}) is None
    assert cluster.call("GET", "/nodes/pve2/version")["version"]
    cluster.clock.advance(20)
    with pytest.raises(PveFault) as caught:
        cluster.call("GET", "/nodes/pve2/version")
    assert caught.value.status == 595
    assert not cluster.guests[100].running
    cluster.clock.advance(60)
    assert cluster.call("GET", "/nodes/pve2/version")["version"]


@pytest.mark.requirement("nodes.power")
def test_a_node_that_is_shut_down_stays_away(cluster: SimulatedCluster) -> None:
    cluster.call("POST", "/nodes/pve2/status", {"command": "shutdown"})
    cluster.clock.advance(3600)
    rows = {row["node"]: row["status"] for row in cluster.call("GET", "/nodes")}
    assert rows == {"pve1": "online", "pve2": "offline", "pve3": "online"}


@pytest.mark.requirement("migration.elsewhere")
def test_a_machine_does_not_reach_another_cluster(cluster: SimulatedCluster) -> None:
    asked = {
        "target-endpoint": "host=192.0.2.9,apitoken=PVEAPIToken=root@pam!a=b",
        "target-storage": "1",
        "target-bridge": "1",
    }
    with pytest.raises(PveFault, match="can't migrate running VM without --online"):
        cluster.call("POST", "/nodes/pve2/qemu/100/remote_migrate", asked)
    with pytest.raises(PveFault, match=r"Can.t connect to 192\.0\.2\.9:8006"):
        cluster.call("POST", "/nodes/pve2/qemu/100/remote_migrate", {**asked, "online": 1})


@pytest.mark.requirement("migration.elsewhere")
def test_a_tunnel_that_nobody_enters_times_out(cluster: SimulatedCluster) -> None:
    opened = cluster.call("POST", "/nodes/pve1/qemu/200/mtunnel")
    cluster.clock.advance(400)
    status = cluster.tasks.get(opened["upid"]).exitstatus
    assert status == "mtunnel: timeout waiting for tunnel"
    with pytest.raises(PveFault) as caught:
        cluster.call("POST", "/nodes/pve1/qemu/100/mtunnel")
    assert "already exists on node 'pve2'" in (caught.value.errors or {})["vmid"]
