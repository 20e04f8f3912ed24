"""Simulated containers, and migration of both kinds, through the API."""

from __future__ import annotations

from typing import Any

import pytest

from proxmox_client.testing import SimulatedCluster
from proxmox_client.testing.guestwork.placing import place
from proxmox_client.testing.request import PveFault

NODE = "/nodes/pve1"
CT = f"{NODE}/lxc/200"
TEMPLATE = "local:vztmpl/alpine-3.20_amd64.tar.gz"


@pytest.fixture
def cluster() -> SimulatedCluster:
    """A cluster with a container 200 and machines 100 (local disk) and 102 (shared disk)."""
    made = SimulatedCluster()
    made.add_volume("local", TEMPLATE, 2_000_000, node="pve1")
    card = "name=eth0,bridge=vmbr0,ip=10.0.0.20/24"
    place(made, "lxc", "pve1", 200, {"rootfs": "local-lvm:1", "net0": card, "hostname": "ct"})
    place(made, "qemu", "pve1", 100, {"scsi0": "local-lvm:1"})
    place(made, "qemu", "pve1", 102, {"scsi0": "shared:1,format=qcow2"})
    return made


def run(cluster: SimulatedCluster, method: str, path: str, **params: object) -> tuple[str, str]:
    """Start a task, let it finish, return its exit status and log."""
    upid = cluster.call(method, path, params)
    cluster.clock.advance(120)
    task = cluster.tasks.get(upid)
    assert task.exitstatus is not None
    return task.exitstatus, "\n".join(task.lines)


def refused(cluster: SimulatedCluster, method: str, path: str, **params: object) -> PveFault:
    """Do something that has to be refused at once."""
    with pytest.raises(PveFault) as caught:
        cluster.call(method, path, params)
    return caught.value


def config(cluster: SimulatedCluster, **params: object) -> dict[str, Any]:
    """Read the container's configuration."""
    found: dict[str, Any] = cluster.call("GET", f"{CT}/config", params)
    return found


@pytest.mark.requirement("guests.created")
def test_a_new_container_has_what_pve_adds(cluster: SimulatedCluster) -> None:
    status, log = run(
        cluster,
        "POST",
        f"{NODE}/lxc",
        vmid=201,
        ostemplate=TEMPLATE,
        rootfs="local:1",
        description="a ct",
        password="hunter22",
    )
    assert status == "OK"
    assert "extracting archive" in log
    made = cluster.call("GET", f"{NODE}/lxc/201/config")
    assert made["rootfs"] == "local:201/vm-201-disk-0.raw,size=1G"
    assert (made["memory"], made["swap"], made["ostype"]) == (512, 512, "alpine")
    assert made["description"] == "a ct\n"
    assert "password" not in made


@pytest.mark.requirement("guests.clean-failure")
def test_a_missing_template_fails_the_task_and_leaves_nothing(cluster: SimulatedCluster) -> None:
    before = {volume.volid for volume in cluster.volumes}
    missing = "local:vztmpl/none.tar.gz"
    status, _ = run(cluster, "POST", f"{NODE}/lxc", vmid=209, ostemplate=missing)
    assert status == f"unable to create CT 209 - volume '{missing}' does not exist"
    assert 209 not in cluster.guests
    assert {volume.volid for volume in cluster.volumes} == before


@pytest.mark.requirement("config.resize")
def test_container_errors_come_at_once_where_a_machines_come_in_the_task(
    cluster: SimulatedCluster,
) -> None:
    assert refused(cluster, "POST", f"{CT}/status/stop").message == "CT 200 not running"
    assert refused(cluster, "POST", f"{CT}/status/reboot").message == "VM 200 not running"
    assert refused(cluster, "PUT", f"{CT}/resize", disk="rootfs", size="10M").message == (
        "unable to shrink disk size"
    )
    fault = refused(cluster, "PUT", f"{CT}/resize", disk="mp9", size="+1G")
    assert (fault.message, set(fault.errors or ())) == ("format error", {"mp", "volume"})
    run(cluster, "POST", f"{CT}/status/start")
    assert refused(cluster, "POST", f"{CT}/status/start").message == "CT 200 already running"
    assert refused(cluster, "DELETE", CT).message == (
        "unable to destroy CT 200 - container is running"
    )
    status, log = run(cluster, "DELETE", CT, force=1)
    assert status == "OK"
    assert log.startswith("forced to stop CT 200 before destroying!")


@pytest.mark.requirement("config.digest-other")
def test_a_stale_digest_has_the_containers_own_sentence(cluster: SimulatedCluster) -> None:
    fault = refused(cluster, "PUT", f"{CT}/config", memory=64, digest="0" * 40)
    assert fault.message == (
        "detected modified configuration - file changed by other user? Try again."
    )


@pytest.mark.requirement("config.hotplug-container")
def test_a_new_mount_point_is_made_at_once_and_a_changed_one_at_the_next_start(
    cluster: SimulatedCluster,
) -> None:
    run(cluster, "POST", f"{CT}/status/start")
    cluster.call("PUT", f"{CT}/config", {"mp0": "local-lvm:1,mp=/data", "memory": 256})
    assert config(cluster, current=1)["mp0"] == "local-lvm:vm-200-disk-1,mp=/data,size=1G"
    assert config(cluster, current=1)["memory"] == 256
    cluster.call("PUT", f"{CT}/config", {"mp0": "local-lvm:2,mp=/data"})
    assert config(cluster)["mp0"] == "local-lvm:2,mp=/data"
    assert run(cluster, "POST", f"{CT}/status/reboot")[0] == "OK"
    assert config(cluster)["mp0"] == "local-lvm:vm-200-disk-2,mp=/data,size=2G"
    assert config(cluster)["unused0"] == "local-lvm:vm-200-disk-1"


@pytest.mark.requirement("locks.clone")
def test_the_source_of_a_container_clone_is_locked_meanwhile(cluster: SimulatedCluster) -> None:
    upid = cluster.call("POST", f"{CT}/clone", {"newid": 202, "hostname": "copy"})
    assert refused(cluster, "POST", f"{CT}/clone", newid=203).message == "CT is locked (disk)"
    cluster.clock.advance(30)
    assert cluster.tasks.get(upid).exitstatus == "OK"
    copy = cluster.call("GET", f"{NODE}/lxc/202/config")
    assert copy["hostname"] == "copy"
    assert copy["rootfs"] == "local-lvm:vm-202-disk-0,size=1G"
    assert copy["net0"] != config(cluster)["net0"]
    assert "lock" not in config(cluster)


@pytest.mark.requirement("guests.templates")
def test_a_container_template_answers_before_it_is_one(cluster: SimulatedCluster) -> None:
    assert cluster.call("POST", f"{CT}/template") is None
    assert "template" not in config(cluster)
    cluster.clock.advance(1)
    assert config(cluster)["template"] == 1
    assert config(cluster)["rootfs"].startswith("local-lvm:base-200-disk-0,")
    assert run(cluster, "POST", f"{CT}/clone", newid=204)[0] == "OK"


@pytest.mark.requirement("guests.snapshots")
def test_running_containers_are_not_frozen_without_criu(cluster: SimulatedCluster) -> None:
    run(cluster, "POST", f"{CT}/status/start")
    status, _ = run(cluster, "POST", f"{CT}/status/suspend")
    assert status.endswith("failed: exit code 1")


@pytest.mark.requirement("guests.move-disk")
def test_a_volume_moves_to_another_storage(cluster: SimulatedCluster) -> None:
    path = f"{CT}/move_volume"
    assert run(cluster, "POST", path, volume="rootfs", storage="local", delete=1)[0] == "OK"
    assert config(cluster)["rootfs"] == "local:200/vm-200-disk-0.raw,size=1G"
    assert cluster.volumes.find("pve1", "local-lvm:vm-200-disk-0") is None


@pytest.mark.requirement("migration.refused")
@pytest.mark.parametrize(
    ("params", "status", "message"),
    [
        ({"target": "pve1"}, 400, "Parameter verification failed."),
        ({"target": "pve9"}, 500, "no such cluster node 'pve9'"),
        ({"target": "pve2", "targetstorage": "nosuch"}, 500, "storage 'nosuch' does not exist"),
    ],
)
def test_migrations_that_cannot_be(
    cluster: SimulatedCluster, params: dict[str, object], status: int, message: str
) -> None:
    fault = refused(cluster, "POST", f"{NODE}/qemu/100/migrate", **params)
    assert (fault.status, fault.message) == (status, message)


@pytest.mark.requirement("migration.phases")
def test_a_migrating_machine_is_at_its_new_node_before_the_task_ends(
    cluster: SimulatedCluster,
) -> None:
    upid = cluster.call("POST", f"{NODE}/qemu/102/migrate", {"target": "pve2"})
    task = cluster.tasks.get(upid)
    assert cluster.guests[102].node == "pve1"
    while cluster.guests[102].node == "pve1":
        cluster.clock.advance(0.05)
    assert task.running
    fault = refused(cluster, "PUT", "/nodes/pve2/qemu/102/config", memory=64)
    assert fault.message == "VM is locked (migrate)"
    cluster.clock.advance(10)
    assert task.exitstatus == "OK"
    assert cluster.guests[102].lock is None


@pytest.mark.requirement("migration.names")
def test_local_disks_move_along_and_take_free_names(cluster: SimulatedCluster) -> None:
    cluster.add_volume("local-lvm", "vm-100-disk-0", 1024**3, node="pve2")
    assert run(cluster, "POST", f"{NODE}/qemu/100/migrate", target="pve2")[0] == "OK"
    moved = cluster.call("GET", "/nodes/pve2/qemu/100/config")
    assert moved["scsi0"] == "local-lvm:vm-100-disk-1,size=1G"
    assert cluster.volumes.find("pve1", "local-lvm:vm-100-disk-0") is None
    assert cluster.volumes.find("pve2", "local-lvm:vm-100-disk-1") is not None


@pytest.mark.requirement("migration.refused")
def test_a_running_machine_needs_online_and_permission_for_local_disks(
    cluster: SimulatedCluster,
) -> None:
    path = f"{NODE}/qemu/100/migrate"
    run(cluster, "POST", f"{NODE}/qemu/100/status/start")
    assert refused(cluster, "POST", path, target="pve2").message == (
        "can't migrate running VM without --online"
    )
    status, log = run(cluster, "POST", path, target="pve2", online=1)
    assert status == "migration aborted"
    assert "without with-local-disks option" in log
    assert cluster.guests[100].node == "pve1"
    params = {"target": "pve2", "online": 1, "with-local-disks": 1}
    assert run(cluster, "POST", path, **params)[0] == "OK"
    assert (cluster.guests[100].node, cluster.guests[100].status) == ("pve2", "running")


@pytest.mark.requirement("migration.aborted")
def test_an_aborted_migration_leaves_the_machine_where_it_was(cluster: SimulatedCluster) -> None:
    place(cluster, "qemu", "pve1", 103, {"scsi0": "local-lvm:100"})
    before = {(volume.node, volume.volid) for volume in cluster.volumes}
    upid = cluster.call("POST", f"{NODE}/qemu/103/migrate", {"target": "pve2"})
    task = cluster.tasks.get(upid)
    cluster.clock.advance(5)
    cluster.tasks.stop(task)
    assert task.exitstatus == "migration aborted"
    assert cluster.guests[103].node == "pve1"
    assert cluster.guests[103].lock is None
    assert {(volume.node, volume.volid) for volume in cluster.volumes} == before


@pytest.mark.requirement("migration.container")
def test_a_running_container_moves_only_with_a_restart(cluster: SimulatedCluster) -> None:
    path = f"{CT}/migrate"
    run(cluster, "POST", f"{CT}/status/start")
    assert refused(cluster, "POST", path, target="pve2").message == (
        "can't migrate running container without --online or --restart"
    )
    assert run(cluster, "POST", path, target="pve2", online=1)[0] == "migration aborted"
    assert run(cluster, "POST", path, target="pve2", restart=1)[0] == "OK"
    assert (cluster.guests[200].node, cluster.guests[200].status) == ("pve2", "running")


@pytest.mark.requirement("migration.preconditions")
def test_preconditions_name_local_disks_and_nodes(cluster: SimulatedCluster) -> None:
    found = cluster.call("GET", f"{NODE}/qemu/100/migrate")
    assert sorted(found["allowed_nodes"]) == ["pve2", "pve3"]
    assert [disk["volid"] for disk in found["local_disks"]] == ["local-lvm:vm-100-disk-0"]
    assert cluster.call("GET", f"{NODE}/qemu/102/migrate")["local_disks"] == []
    assert cluster.call("GET", f"{CT}/migrate")["running"] == 0
