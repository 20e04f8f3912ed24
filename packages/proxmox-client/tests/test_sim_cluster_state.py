"""What the simulated cluster keeps: resources and their age, storages, pools, ids, networks."""

from __future__ import annotations

from typing import Any

import pytest

from proxmox_client.testing import PveFault, SimulatedCluster

GIB = 1024**3


@pytest.fixture
def cluster() -> SimulatedCluster:
    return SimulatedCluster()


def resource(cluster: SimulatedCluster, ident: str) -> dict[str, Any]:
    rows = cluster.call("GET", "/cluster/resources")
    found: dict[str, Any] = next(row for row in rows if row["id"] == ident)
    return found


@pytest.mark.requirement("freshness.unknown")
def test_a_new_guest_is_unknown_until_its_node_speaks_again(cluster: SimulatedCluster) -> None:
    cluster.call("POST", "/nodes/pve1/qemu", {"vmid": 100, "name": "web", "memory": 64})
    cluster.clock.advance(0.01)
    fresh = resource(cluster, "qemu/100")
    assert fresh["status"] == "unknown"
    assert "name" not in fresh
    cluster.clock.advance(10)
    assert (resource(cluster, "qemu/100")["status"], resource(cluster, "qemu/100")["name"]) == (
        "stopped",
        "web",
    )


@pytest.mark.requirement("freshness.live")
def test_status_lags_but_lock_and_node_are_live(cluster: SimulatedCluster) -> None:
    guest = cluster.add_vm("pve1", 100, {"memory": 64})
    cluster.clock.advance(10)
    guest.begin(1234, cluster.clock.now())
    guest.config["lock"] = "backup"
    guest.node = "pve2"
    row = resource(cluster, "qemu/100")
    assert (row["status"], row["lock"], row["node"]) == ("stopped", "backup", "pve2")
    cluster.clock.advance(10)
    assert resource(cluster, "qemu/100")["status"] == "running"


@pytest.mark.requirement("offline.noticed")
def test_guests_of_a_silent_node_look_alive_for_five_minutes(cluster: SimulatedCluster) -> None:
    cluster.add_vm("pve2", 100, {"memory": 64}, status="running")
    cluster.clock.advance(20)
    cluster.nodes["pve2"].online = False
    cluster.clock.advance(200)
    assert resource(cluster, "qemu/100")["status"] == "running"
    assert resource(cluster, "node/pve2")["status"] == "offline"
    cluster.clock.advance(200)
    assert resource(cluster, "qemu/100")["status"] == "unknown"


@pytest.mark.requirement("locks.nextid")
def test_nextid_reserves_nothing_and_checks_ids(cluster: SimulatedCluster) -> None:
    cluster.add_vm("pve1", 100, {})
    assert cluster.call("GET", "/cluster/nextid") == "101"
    assert cluster.call("GET", "/cluster/nextid") == "101"
    with pytest.raises(PveFault) as caught:
        cluster.call("GET", "/cluster/nextid", {"vmid": 100})
    assert caught.value.errors == {"vmid": "VM 100 already exists"}
    cluster.call("PUT", "/cluster/options", {"next-id": "lower=500,upper=600"})
    assert cluster.call("GET", "/cluster/nextid") == "500"


@pytest.mark.requirement("storage.space")
def test_free_space_shrinks_and_comes_back(cluster: SimulatedCluster) -> None:
    def used() -> int:
        return int(cluster.call("GET", "/nodes/pve1/storage/local/status")["used"])

    before = used()
    params = {"vmid": 100, "filename": "vm-100-disk-0.qcow2", "size": "8G", "format": "qcow2"}
    volid = cluster.call("POST", "/nodes/pve1/storage/local/content", params)
    assert volid == "local:100/vm-100-disk-0.qcow2"
    assert used() > before
    content = cluster.call("GET", "/nodes/pve1/storage/local/content", {"vmid": 100})
    assert [(row["volid"], row["size"]) for row in content] == [(volid, 8 * GIB)]
    cluster.call("DELETE", f"/nodes/pve1/storage/local/content/{volid}")
    cluster.clock.advance(1)
    assert used() == before


@pytest.mark.requirement("storage.local-and-shared")
def test_local_volumes_differ_by_node_and_shared_ones_do_not(cluster: SimulatedCluster) -> None:
    cluster.add_volume("local", "local:iso/a.iso", 1000, node="pve1")
    cluster.add_volume("shared", "shared:iso/b.iso", 1000)

    def names(node: str, storage: str) -> list[str]:
        rows = cluster.call("GET", f"/nodes/{node}/storage/{storage}/content")
        return [row["volid"] for row in rows]

    assert names("pve1", "local") == ["local:iso/a.iso"]
    assert names("pve2", "local") == []
    assert names("pve3", "shared") == ["shared:iso/b.iso"]


@pytest.mark.requirement("config.digest-other")
def test_the_storage_digest_guards_every_change(cluster: SimulatedCluster) -> None:
    params = {"storage": "extra", "type": "dir", "path": "/srv/extra", "content": "iso"}
    cluster.call("POST", "/storage", params)
    digest = cluster.call("GET", "/storage/extra")["digest"]
    cluster.call("PUT", "/storage/extra", {"content": "images", "digest": digest})
    with pytest.raises(PveFault, match="detected modified configuration") as caught:
        cluster.call("PUT", "/storage/extra", {"content": "iso", "digest": digest})
    assert caught.value.status == 500


@pytest.mark.requirement("storage.restricted")
def test_a_restricted_storage_is_missing_elsewhere(cluster: SimulatedCluster) -> None:
    cluster.call("PUT", "/storage/local-lvm", {"nodes": "pve1"})
    with pytest.raises(PveFault, match="not available on node 'pve2'"):
        cluster.call("GET", "/nodes/pve2/storage/local-lvm/content")
    status = cluster.call("GET", "/nodes/pve2/storage/local-lvm/status")
    assert (status["enabled"], status["active"], status["total"]) == (0, 0, 0)


@pytest.mark.requirement("storage.download")
def test_downloads_come_from_what_the_test_put_there(cluster: SimulatedCluster) -> None:
    cluster.downloads["http://mirror.example/d.iso"] = b"x" * 5000
    params = {"content": "iso", "filename": "d.iso", "url": "http://mirror.example/d.iso"}
    upid = cluster.call("POST", "/nodes/pve1/storage/local/download-url", params)
    cluster.clock.advance(5)
    assert cluster.tasks.get(upid).exitstatus == "OK"
    found = cluster.volumes.find("pve1", "local:iso/d.iso")
    assert found is not None
    assert found.size == 5000


@pytest.mark.requirement("pools.forms")
def test_pools_answer_in_the_old_form_and_the_new_one(cluster: SimulatedCluster) -> None:
    cluster.add_vm("pve1", 100, {"memory": 64})
    cluster.call("POST", "/pools", {"poolid": "p", "comment": "c"})
    cluster.call("PUT", "/pools/p", {"vms": "100"})
    old = cluster.call("GET", "/pools/p")
    (new,) = cluster.call("GET", "/pools", {"poolid": "p"})
    assert old["members"] == new["members"]
    assert [member["vmid"] for member in old["members"]] == [100]
    with pytest.raises(PveFault, match="is not empty"):
        cluster.call("DELETE", "/pools", {"poolid": "p"})


@pytest.mark.requirement("network.staged")
def test_network_changes_wait_for_a_reload(cluster: SimulatedCluster) -> None:
    path = "/nodes/pve1/network"
    cluster.call("POST", path, {"iface": "vmbr5", "type": "bridge", "cidr": "10.5.0.1/24"})
    assert "vmbr5" not in cluster.nodes["pve1"].files["network"]
    cluster.call("PUT", path)
    cluster.clock.advance(2)
    assert "vmbr5" in cluster.nodes["pve1"].files["network"]
    cluster.call("DELETE", f"{path}/vmbr5")
    cluster.call("DELETE", path)
    assert cluster.call("GET", f"{path}/vmbr5")["address"] == "10.5.0.1"


@pytest.mark.requirement("guests.silent-edits")
def test_somebody_elses_edit_leaves_no_task_but_a_new_digest(cluster: SimulatedCluster) -> None:
    guest = cluster.add_vm("pve1", 100, {"memory": 64})
    before = guest.digest
    cluster.edit(100, memory=128)
    assert guest.config["memory"] == "128"
    assert guest.digest != before
    assert cluster.nodes["pve1"].tasks == []
