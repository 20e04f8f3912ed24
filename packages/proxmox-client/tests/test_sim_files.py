"""Volumes that are copied, looked into, pruned, or come from elsewhere; calls in one batch."""

from __future__ import annotations

import json
from typing import Any

import pytest

from proxmox_client.testing import PveFault, SimulatedCluster
from proxmox_client.testing.state import Storage, Volume

LOCAL = "/nodes/pve1/storage/local"
DAY = 86_400


@pytest.fixture
def cluster() -> SimulatedCluster:
    return SimulatedCluster(nodes=("pve1", "pve2"))


def run(
    cluster: SimulatedCluster, method: str, path: str, params: dict[str, Any]
) -> str:  # fmt: skip
    task = cluster.tasks.get(cluster.call(method, path, params))
    cluster.clock.advance(20)
    return str(task.exitstatus)


def free(cluster: SimulatedCluster, node: str = "pve1") -> int:
    return int(cluster.call("GET", f"/nodes/{node}/storage/local/status")["avail"])


@pytest.mark.requirement("storage.files")
def test_a_volume_is_copied_and_takes_space(cluster: SimulatedCluster) -> None:
    cluster.add_volume("local", "local:iso/a.iso", 4096 * 100)
    before = free(cluster, "pve2")
    source = f"{LOCAL}/content/iso/a.iso"
    params = {"target": "iso/b.iso", "target_node": "pve2"}
    assert run(cluster, "POST", source, params) == "OK"
    assert free(cluster, "pve2") == before - 4096 * 100
    assert run(cluster, "POST", source, params) == "volume 'local:iso/b.iso' already exists"
    missing = f"{LOCAL}/content/iso/none.iso"
    assert run(cluster, "POST", missing, params) == "volume 'local:iso/none.iso' does not exist"


@pytest.mark.requirement("storage.files")
def test_backups_on_a_backup_server_can_be_looked_into(cluster: SimulatedCluster) -> None:
    options = {"server": "10.0.0.9", "datastore": "main", "content": "backup"}
    cluster.storages["pbs"] = Storage("pbs", "pbs", options)
    volid = "pbs:backup/vm/100/2026-11-22T00:00:00Z"
    files = {"/etc/hosts": 12, "/etc/ssh/sshd_config": 40, "/root/x": 1}
    cluster.volumes.put(
        Volume(volid, "", "backup", "pbs-vm", 100, 0.0, vmid=100, extra={"files": files})
    )
    path = "/nodes/pve1/storage/pbs"
    assert cluster.call("GET", f"{path}/identity") == {"type": "pbs", "id": "10.0.0.9/main"}
    listing = f"{path}/file-restore/list"
    top = cluster.call("GET", listing, {"volume": volid, "filepath": "/"})
    assert [(row["text"], row["leaf"]) for row in top] == [("etc", 0), ("root", 0)]
    below = cluster.call("GET", listing, {"volume": volid, "filepath": "/etc"})
    assert [row["filepath"] for row in below] == ["/etc/hosts", "/etc/ssh"]
    file = {"volume": volid, "filepath": "/etc/hosts"}
    assert len(cluster.call("GET", f"{path}/file-restore/download", file)) == 12
    name = "local:backup/vzdump-qemu-100-2026_11_22-00_00_00.vma.zst"
    with pytest.raises(PveFault) as only:
        cluster.call("GET", f"{LOCAL}/file-restore/list", {"volume": name, "filepath": "/"})
    assert only.value.errors == {"storage": "Only PBS storages supported for file-restore."}


@pytest.mark.requirement("storage.files")
def test_a_foreign_machine_tells_how_it_would_be_created(cluster: SimulatedCluster) -> None:
    options = {"server": "10.0.0.8", "username": "root", "password": "x", "content": "import"}
    cluster.storages["esx"] = Storage("esx", "esxi", options)
    name = "ha-datacenter/ds1/web/web.vmx"
    told = {"create-args": {"name": "web", "cores": 4, "memory": 8192}}
    volume = Volume(f"esx:{name}", "", "import", "vmx", 10, 0.0, extra={"import": told})
    cluster.volumes.put(volume)
    path = "/nodes/pve1/storage/esx/import-metadata"
    found = cluster.call("GET", path, {"volume": name})
    assert (found["type"], found["source"], found["create-args"]["cores"]) == ("vm", "esxi", 4)
    with pytest.raises(PveFault, match="invalid content type 'iso'"):
        cluster.call("GET", f"{LOCAL}/import-metadata", {"volume": "iso/a.iso"})


@pytest.mark.requirement("storage.files")
def test_images_come_from_a_registry(cluster: SimulatedCluster) -> None:
    path, params = f"{LOCAL}/oci-registry-pull", {"reference": "docker.io/library/nginx:1.29"}
    with pytest.raises(PveFault, match="Install 'skopeo' to pull OCI images"):
        cluster.call("POST", path, params)
    cluster.nodes["pve1"].files["skopeo-installed"] = True
    assert run(cluster, "POST", path, params).startswith("command 'skopeo copy' failed")
    cluster.outside.images["docker.io/library/nginx"] = ["1.29", "latest"]
    tags = cluster.call(
        "GET", "/nodes/pve1/query-oci-repo-tags", {"reference": "docker.io/library/nginx"}
    )
    assert tags == ["1.29", "latest"]
    before = free(cluster)
    assert run(cluster, "POST", path, params) == "OK"
    assert free(cluster) < before
    with pytest.raises(PveFault, match="refusing to override existing file"):
        cluster.call("POST", path, params)


def backups(cluster: SimulatedCluster, ages: list[float], protected: int = -1) -> None:
    now = cluster.clock.now()
    for index, age in enumerate(ages):
        name = f"local:backup/vzdump-qemu-100-2026_01_01-00_00_{index:02d}.vma.zst"
        volume = cluster.add_volume("local", name, 1000)
        volume.ctime, volume.protected = now - age, index == protected


@pytest.mark.parametrize(
    ("rules", "kept"),
    [
        ("keep-last=2", [0, 1]),
        ("keep-daily=3", [0, 2, 3]),
        ("keep-last=1,keep-daily=2", [0, 2, 3]),
        ("keep-all=1", [0, 1, 2, 3, 4, 5]),
        ("keep-yearly=1", [0]),
    ],
)
@pytest.mark.requirement("storage.pruning")
def test_pruning_keeps_by_last_and_by_period(
    cluster: SimulatedCluster, rules: str, kept: list[int]
) -> None:
    cluster.clock.advance(DAY - cluster.clock.now() % DAY + 43_200)
    backups(cluster, [60, 3600, DAY, 2 * DAY, 3 * DAY, 30 * DAY])
    path = f"{LOCAL}/prunebackups"
    rows = cluster.call("GET", path, {"prune-backups": rules})
    numbers = sorted(int(row["volid"][-10:-8]) for row in rows if row["mark"] == "keep")
    assert numbers == kept
    run(cluster, "DELETE", path, {"prune-backups": rules})
    assert len(cluster.call("GET", f"{LOCAL}/content", {"content": "backup"})) == len(kept)


@pytest.mark.requirement("storage.pruning")
def test_protected_backups_neither_go_nor_count(cluster: SimulatedCluster) -> None:
    backups(cluster, [60, 120, 180], protected=0)
    rows = cluster.call("GET", f"{LOCAL}/prunebackups", {"prune-backups": "keep-last=1"})
    assert [row["mark"] for row in rows] == ["protected", "keep", "remove"]


@pytest.mark.requirement("operations.batch")
def test_calls_of_a_batch_have_a_status_each(cluster: SimulatedCluster) -> None:
    commands = [
        {"method": "GET", "path": "version"},
        {"method": "GET", "path": "qemu/9999/config"},
        {"method": "PUT", "path": "time", "args": {"timezone": "Nowhere"}},
        {"method": "GET", "path": "nothing"},
    ]
    rows = cluster.call("POST", "/nodes/pve1/execute", {"commands": json.dumps(commands)})
    assert [row["status"] for row in rows] == [200, 500, 400, 500]
    assert rows[0]["data"]["release"] == cluster.version
    assert "timezone" in rows[2]["errors"]
    assert rows[3]["message"] == "no handler for 'nodes/pve1/nothing'\n"
    with pytest.raises(PveFault):
        cluster.call("POST", "/nodes/pve1/execute", {"commands": "notjson"})


@pytest.mark.requirement("operations.ceph")
def test_nodes_without_ceph_say_so(cluster: SimulatedCluster) -> None:
    with pytest.raises(PveFault, match="binary not installed: /usr/bin/ceph-mon"):
        cluster.call("GET", "/nodes/pve1/ceph/osd")
    with pytest.raises(PveFault, match="binary not installed: /usr/bin/ceph-mds"):
        cluster.call("POST", "/nodes/pve1/ceph/mds/pve1")
    assert cluster.call("GET", "/cluster/ceph/metadata", {"scope": "versions"}) == {}
    assert {"name": "osd"} in cluster.call("GET", "/nodes/pve1/ceph")
