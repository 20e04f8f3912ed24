"""Simulated objects of the datacenter: mappings, metric servers, CPU models, replication."""

from __future__ import annotations

import pytest

from proxmox_client.testing import PveFault, SimulatedCluster

MODELS = "/cluster/qemu/custom-cpu-models"


@pytest.fixture
def cluster() -> SimulatedCluster:
    return SimulatedCluster()


@pytest.mark.requirement("config.digest-other")
def test_a_mapping_is_guarded_by_the_digest_of_its_kind(cluster: SimulatedCluster) -> None:
    usb = "/cluster/mapping/usb"
    cluster.call("POST", usb, {"id": "stick", "map": "node=pve1,id=1234:5678"})
    old = cluster.call("GET", f"{usb}/stick")["digest"]
    change = {"map": "node=pve1,id=1234:9999", "digest": old}
    cluster.call("PUT", f"{usb}/stick", change)
    with pytest.raises(PveFault, match="detected modified configuration"):
        cluster.call("PUT", f"{usb}/stick", change)


@pytest.mark.requirement("datacenter.mappings")
def test_a_mapping_without_an_entry_for_a_node_is_noticed_there(cluster: SimulatedCluster) -> None:
    cluster.call("POST", "/cluster/mapping/dir", {"id": "srv", "map": "node=pve1,path=/srv"})
    rows = cluster.call("GET", "/cluster/mapping/dir", {"check-node": "pve2"})
    assert rows[0]["checks"][0]["severity"] == "warning"
    assert cluster.call("GET", "/cluster/mapping/dir", {"check-node": "pve1"})[0]["checks"] == []


@pytest.mark.requirement("datacenter.cpu-models")
def test_a_cpu_model_is_found_with_and_without_its_prefix(cluster: SimulatedCluster) -> None:
    cluster.call("POST", MODELS, {"cputype": "mine", "reported-model": "kvm64"})
    cluster.call("PUT", f"{MODELS}/mine", {"flags": "+aes"})
    assert cluster.call("GET", f"{MODELS}/custom-mine")["flags"] == "+aes"
    cluster.call("DELETE", f"{MODELS}/mine")
    with pytest.raises(PveFault, match="Custom cputype 'custom-mine' not found"):
        cluster.call("GET", f"{MODELS}/mine")


@pytest.mark.requirement("replication.refused")
@pytest.mark.parametrize(
    ("vmid", "target", "text"),
    [
        (999, "pve2", "Guest '999' does not exist."),
        (100, "pve1", "Source and target must not be identical"),
        (100, "pve9", "Target 'pve9' does not exist."),
        (100, "pve2", "missing replicate feature on volume 'local-lvm:vm-100-disk-0'"),
        (101, "pve2", "No replicatable volumes found"),
    ],
)
def test_replication_is_refused_with_its_reason(
    cluster: SimulatedCluster, vmid: int, target: str, text: str
) -> None:
    cluster.add_vm("pve1", 100, {"scsi0": "local-lvm:1"})
    cluster.add_vm("pve1", 101, {"scsi0": "shared:1"})
    job = {"id": f"{vmid}-0", "type": "local", "target": target}
    with pytest.raises(PveFault) as refused:
        cluster.call("POST", "/cluster/replication", job)
    assert str(refused.value) == text


@pytest.mark.requirement("joining.alone")
def test_a_node_alone_has_nothing_to_join() -> None:
    with pytest.raises(PveFault) as refused:
        SimulatedCluster(nodes=("solo",)).call("GET", "/cluster/config/join")
    assert refused.value.status == 424


@pytest.mark.requirement("nodes.metric-servers")
def test_metric_servers_have_options_of_their_own_and_are_tried(cluster: SimulatedCluster) -> None:
    path = "/cluster/metrics/server"
    udp = {"type": "influxdb", "server": "10.0.0.9", "port": 8089}
    cluster.call("POST", f"{path}/udp", udp)
    with pytest.raises(PveFault, match="unexpected property 'bucket'"):
        cluster.call("POST", f"{path}/g1", {**udp, "type": "graphite", "bucket": "b"})
    http = {**udp, "influxdbproto": "http", "token": "hush"}
    with pytest.raises(PveFault, match=r"500 Can't connect to 10\.0\.0\.9:8089"):
        cluster.call("POST", f"{path}/http", http)
    cluster.outside.mailboxes["10.0.0.9:8089"] = []
    cluster.call("POST", f"{path}/http", http)
    assert "token" not in cluster.call("GET", f"{path}/http")
    cluster.outside.mailboxes.clear()
    with pytest.raises(PveFault, match="couldn't create carbon socket"):
        cluster.call("POST", f"{path}/g1", {**udp, "type": "graphite", "proto": "tcp"})
    cluster.call("POST", f"{path}/g1", {**udp, "type": "graphite", "proto": "tcp", "disable": 1})
