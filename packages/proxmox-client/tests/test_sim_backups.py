"""Simulated backups: making, listing, restoring; jobs."""

from __future__ import annotations

import pytest

from proxmox_client.testing import PveFault, SimulatedCluster

CONTENT = "/nodes/pve1/storage/local/content"


@pytest.fixture
def cluster() -> SimulatedCluster:
    found = SimulatedCluster()
    config = {"name": "web", "scsi0": "local-lvm:4", "net0": "virtio,bridge=vmbr0"}
    found.add_vm("pve1", 100, config)
    found.add_container("pve2", 200, {"hostname": "ct", "rootfs": "local:1"})
    return found


def wait(cluster: SimulatedCluster, upid: str) -> str | None:
    cluster.clock.advance(60)
    return cluster.tasks.get(upid).exitstatus


def back_up(cluster: SimulatedCluster, **params: object) -> str:
    options = {"vmid": "100", "storage": "local", "compress": "zstd", **params}
    assert wait(cluster, cluster.call("POST", "/nodes/pve1/vzdump", options)) == "OK"
    volid: str = cluster.call("GET", CONTENT, {"content": "backup"})[-1]["volid"]
    return volid


@pytest.mark.requirement("backup.contents")
def test_a_backup_is_listed_with_its_notes_and_holds_the_configuration(
    cluster: SimulatedCluster,
) -> None:
    volid = back_up(cluster, **{"notes-template": "{{guestname}} on {{node}}"})
    row = cluster.call("GET", CONTENT, {"content": "backup"})[0]
    assert (row["notes"], row["vmid"], row["format"]) == ("web on pve1", 100, "vma.zst")
    text = cluster.call("GET", "/nodes/pve1/vzdump/extractconfig", {"volume": volid})
    assert "name: web\n" in text


@pytest.mark.requirement("wrong-node.backup")
def test_a_backup_on_the_wrong_node_answers_ok_and_does_nothing(cluster: SimulatedCluster) -> None:
    assert cluster.call("POST", "/nodes/pve1/vzdump", {"vmid": "200", "storage": "local"}) == "OK"
    assert cluster.call("GET", CONTENT, {"content": "backup"}) == []


@pytest.mark.requirement("backup.failures")
def test_a_missing_guest_fails_the_job_but_not_the_others(cluster: SimulatedCluster) -> None:
    params = {"vmid": "9999,100", "storage": "local"}
    upid = cluster.call("POST", "/nodes/pve1/vzdump", params)
    assert wait(cluster, upid) == "job errors"
    assert len(cluster.call("GET", CONTENT, {"content": "backup"})) == 1


@pytest.mark.requirement("backup.contents")
def test_a_guest_is_locked_while_it_is_backed_up(cluster: SimulatedCluster) -> None:
    cluster.call("POST", "/nodes/pve1/vzdump", {"vmid": "100", "storage": "local"})
    cluster.clock.advance(0.2)
    with pytest.raises(PveFault, match=r"VM is locked \(backup\)"):
        cluster.call("PUT", "/nodes/pve1/qemu/100/config", {"name": "other"})


@pytest.mark.requirement("backup.restore")
def test_a_restored_machine_is_as_before_and_with_unique_has_its_own_addresses(
    cluster: SimulatedCluster,
) -> None:
    volid = back_up(cluster)
    params = {"vmid": 110, "archive": volid, "unique": 1, "name": "copy"}
    assert wait(cluster, cluster.call("POST", "/nodes/pve1/qemu", params)) == "OK"
    old, new = cluster.guests[100].config, cluster.guests[110].config
    assert (new["name"], new["scsi0"]) == ("copy", "local-lvm:vm-110-disk-0,size=4G")
    assert new["net0"] != old["net0"]
    assert "lock" not in new


@pytest.mark.requirement("backup.restore")
def test_a_forced_restore_replaces_a_stopped_guest_and_its_disks(cluster: SimulatedCluster) -> None:
    volid = back_up(cluster)
    cluster.call("PUT", "/nodes/pve1/qemu/100/config", {"name": "changed"})
    with pytest.raises(PveFault, match="unable to restore VM 100 - VM 100 already exists"):
        cluster.call("POST", "/nodes/pve1/qemu", {"vmid": 100, "archive": volid})
    params = {"vmid": 100, "archive": volid, "force": 1}
    assert wait(cluster, cluster.call("POST", "/nodes/pve1/qemu", params)) == "OK"
    assert cluster.guests[100].config["name"] == "web"
    assert len(cluster.volumes.owned(100, "pve1", cluster.storages)) == 1


@pytest.mark.requirement("backup.failures")
def test_a_full_storage_fails_the_backup(cluster: SimulatedCluster) -> None:
    cluster.volumes.full.add("local")
    upid = cluster.call("POST", "/nodes/pve1/vzdump", {"vmid": "100", "storage": "local"})
    assert wait(cluster, upid) == "job errors"
    assert "lock" not in cluster.guests[100].config


@pytest.mark.requirement("backup.coverage")
def test_guests_without_a_job_are_listed(cluster: SimulatedCluster) -> None:
    job = {"id": "nightly", "schedule": "02:00", "vmid": "100", "storage": "local"}
    cluster.call("POST", "/cluster/backup", job)
    rows = cluster.call("GET", "/cluster/backup-info/not-backed-up")
    assert [row["vmid"] for row in rows] == [200]
    cluster.call("PUT", "/cluster/backup/nightly", {"all": 1})
    assert "vmid" not in cluster.call("GET", "/cluster/backup/nightly")
    assert cluster.call("GET", "/cluster/backup-info/not-backed-up") == []
