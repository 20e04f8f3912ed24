"""Simulated machines through the API."""

from __future__ import annotations

import pytest

from proxmox_client.testing import SimulatedCluster
from proxmox_client.testing.request import SimRequest, SimResponse
from tests.lab.machines import NODE, VM, config, refused, run, volids, with_machines


@pytest.fixture
def cluster() -> SimulatedCluster:
    return with_machines()


@pytest.mark.requirement("guests.created")
def test_a_new_machine_has_what_pve_adds(cluster: SimulatedCluster) -> None:
    status, log = run(
        cluster,
        "POST",
        f"{NODE}/qemu",
        vmid=101,
        scsi0="local-lvm:8",
        net0="virtio,bridge=vmbr0",
        tags="web,db",
    )
    assert status == "OK"
    assert "successfully created disk 'local-lvm:vm-101-disk-0,size=8G'" in log
    made = config(cluster, 101)
    assert made["boot"] == "order=scsi0;net0"
    assert made["tags"] == "db;web"
    assert made["net0"].startswith("virtio=BC:24:11:")
    assert made["smbios1"].startswith("uuid=")
    assert {"meta", "vmgenid", "digest"} <= made.keys()


@pytest.mark.requirement("guests.id-taken")
@pytest.mark.parametrize("node", ["pve1", "pve2"])
def test_an_id_in_use_anywhere_is_refused(cluster: SimulatedCluster, node: str) -> None:
    fault = refused(cluster, "POST", f"/nodes/{node}/qemu", vmid=100)
    assert fault.message == "unable to create VM 100 - VM 100 already exists on node 'pve1'"


@pytest.mark.requirement("guests.clean-failure")
def test_a_failed_creation_leaves_nothing_behind(cluster: SimulatedCluster) -> None:
    before = volids(cluster)
    status, _ = run(
        cluster,
        "POST",
        f"{NODE}/qemu",
        vmid=108,
        ide0="local-lvm:1",
        ide2="local:iso/none.iso,media=cdrom",
    )
    assert status == "unable to create VM 108 - volume 'local:iso/none.iso' does not exist"
    assert 108 not in cluster.guests
    assert volids(cluster) == before


@pytest.mark.requirement("config.digest")
def test_a_stale_digest_is_refused(cluster: SimulatedCluster) -> None:
    digest = config(cluster)["digest"]
    cluster.call("PUT", f"{VM}/config", {"memory": 1024, "digest": digest})
    fault = refused(cluster, "PUT", f"{VM}/config", memory=2048, digest=digest)
    assert (fault.status, fault.message) == (500, "checksum mismatch (file change by other user?)")
    assert config(cluster)["memory"] == "1024"


@pytest.mark.requirement("config.bad-changes")
@pytest.mark.parametrize(
    ("params", "message", "errors"),
    [
        ({}, "no options specified", None),
        (
            {"delete": "bogus"},
            "Parameter verification failed.",
            {"delete": "unknown option 'bogus'"},
        ),
        ({"scsi1": "nosuch:1"}, "storage 'nosuch' does not exist", None),
        ({"scsi1": "local:abc"}, "unable to parse directory volume name 'abc'", None),
        ({"balloon": 4096}, "balloon value too large (must be smaller than assigned memory)", None),
        ({"boot": "order=scsi7"}, "invalid bootorder: device 'scsi7' does not exist'", None),
    ],
)
def test_bad_changes_change_nothing(
    cluster: SimulatedCluster,
    params: dict[str, object],
    message: str,
    errors: dict[str, str] | None,
) -> None:
    before = config(cluster)
    fault = refused(cluster, "PUT", f"{VM}/config", **params)
    assert (fault.message, fault.errors) == (message, errors)
    assert config(cluster) == before


@pytest.mark.requirement("config.pending")
def test_a_running_machine_keeps_cold_changes_pending_until_it_restarts(
    cluster: SimulatedCluster,
) -> None:
    assert run(cluster, "POST", f"{VM}/status/start")[0] == "OK"
    cluster.call("PUT", f"{VM}/config", {"cores": 4, "description": "x"})
    assert config(cluster)["cores"] == 4
    assert "cores" not in config(cluster, current=1)
    assert config(cluster, current=1)["description"] == "x"
    cluster.call("PUT", f"{VM}/config", {"memory": 1024})
    cluster.call("PUT", f"{VM}/config", {"revert": "memory"})
    assert run(cluster, "POST", f"{VM}/status/reboot")[0] == "OK"
    assert config(cluster, current=1)["cores"] == 4
    assert config(cluster, current=1)["memory"] == "512"


@pytest.mark.requirement("config.hotplug")
def test_a_machine_without_an_operating_system_gives_nothing_back(
    cluster: SimulatedCluster,
) -> None:
    run(cluster, "POST", f"{NODE}/qemu", vmid=101, net0="virtio,bridge=vmbr0", start=1)
    fault = refused(cluster, "PUT", f"{NODE}/qemu/101/config", delete="net0")
    assert fault.errors == {
        "net0": "hotplug problem - error on hot-unplugging device 'net0' - still busy in guest?\n"
    }
    status, _ = run(cluster, "POST", f"{NODE}/qemu/101/status/shutdown", timeout=3)
    assert status == "VM quit/powerdown failed - got timeout"
    status, log = run(cluster, "POST", f"{NODE}/qemu/101/status/shutdown", timeout=2, forceStop=1)
    assert status == "OK"
    assert "terminating now with SIGTERM" in log


@pytest.mark.requirement("tasks.failures")
def test_power_errors_show_up_where_pve_has_them(cluster: SimulatedCluster) -> None:
    assert run(cluster, "POST", f"{VM}/status/stop")[0] == "OK"
    assert refused(cluster, "POST", f"{VM}/status/reset").message == "VM 100 not running"
    run(cluster, "POST", f"{VM}/status/start")
    assert run(cluster, "POST", f"{VM}/status/start")[0] == "VM 100 already running"
    status, _ = run(cluster, "POST", f"{NODE}/qemu/900/status/start")
    assert status == "you can't start a vm if it's a template"
    assert refused(cluster, "DELETE", VM).message == "VM 100 is running - destroy failed"


@pytest.mark.requirement("wrong-node.task-fails")
def test_acting_on_the_wrong_node_fails_in_the_task(cluster: SimulatedCluster) -> None:
    status, _ = run(cluster, "POST", "/nodes/pve2/qemu/100/status/start")
    assert status == "Configuration file 'nodes/pve2/qemu-server/100.conf' does not exist"
    status, _ = run(cluster, "POST", "/nodes/pve2/qemu/100/status/stop")
    assert status == "unable to find configuration file for VM 100 on node 'pve2'"
    fault = refused(cluster, "GET", "/nodes/pve2/qemu/100/config")
    assert fault.message == "Configuration file 'nodes/pve2/qemu-server/100.conf' does not exist"


@pytest.mark.requirement("config.resize")
@pytest.mark.parametrize(
    ("disk", "size", "status"),
    [
        ("scsi0", "+1G", "OK"),
        ("scsi0", "1G", "shrinking disks is not supported"),
        ("scsi9", "1G", "disk 'scsi9' does not exist"),
    ],
)
def test_resizing_tells_its_mistakes_in_the_task(
    cluster: SimulatedCluster, disk: str, size: str, status: str
) -> None:
    assert run(cluster, "PUT", f"{VM}/resize", disk=disk, size=size)[0] == status
    assert config(cluster)["scsi0"].endswith("size=5G" if status == "OK" else "size=4G")


@pytest.mark.requirement("guests.move-disk")
def test_a_moved_disk_leaves_its_source_unused_or_gone(cluster: SimulatedCluster) -> None:
    path = f"{VM}/move_disk"
    assert run(cluster, "POST", path, disk="scsi0", storage="local-lvm")[0] == "OK"
    assert config(cluster)["unused0"] == "local:100/vm-100-disk-0.qcow2"
    assert run(cluster, "POST", path, disk="scsi0", storage="shared", delete=1)[0] == "OK"
    assert "local-lvm:vm-100-disk-0" not in volids(cluster)
    cluster.call("PUT", f"{VM}/unlink", {"idlist": "unused0", "force": 1})
    assert "unused0" not in config(cluster)
    assert "local:100/vm-100-disk-0.qcow2" not in volids(cluster)


@pytest.mark.requirement("guests.snapshots")
def test_snapshots_can_be_taken_rolled_back_and_removed(cluster: SimulatedCluster) -> None:
    path = f"{VM}/snapshot"
    assert run(cluster, "POST", path, snapname="s1", description="first")[0] == "OK"
    assert run(cluster, "POST", path, snapname="s1")[0] == "snapshot name 's1' already used"
    assert refused(cluster, "POST", path, snapname="current").message == (
        "unable to use snapshot name 'current' (reserved name)"
    )
    run(cluster, "PUT", f"{VM}/resize", disk="scsi0", size="+4G")
    cluster.call("PUT", f"{VM}/config", {"memory": 2048})
    assert run(cluster, "POST", f"{path}/s1/rollback")[0] == "OK"
    assert config(cluster)["memory"] == "512"
    assert config(cluster)["scsi0"].endswith("size=4G")
    assert run(cluster, "DELETE", f"{path}/s1")[0] == "OK"
    assert run(cluster, "DELETE", f"{path}/s1")[0] == "snapshot 's1' does not exist"
    assert [row["name"] for row in cluster.call("GET", path)] == ["current"]


@pytest.mark.requirement("guests.snapshots")
def test_two_snapshots_at_once_exclude_each_other(cluster: SimulatedCluster) -> None:
    upids = [cluster.call("POST", f"{VM}/snapshot", {"snapname": name}) for name in ("aa", "bb")]
    cluster.clock.advance(10)
    first, second = (cluster.tasks.get(upid) for upid in upids)
    assert first.exitstatus == "OK"
    assert second.exitstatus == "VM is locked (snapshot)"
    assert second.lines[:2] == ["trying to acquire lock...", " OK"]


@pytest.mark.requirement("locks.property")
def test_a_locked_machine_refuses_changes_at_once_and_power_in_the_task(
    cluster: SimulatedCluster,
) -> None:
    cluster.guests[100].config["lock"] = "backup"
    assert refused(cluster, "PUT", f"{VM}/config", memory=64).message == "VM is locked (backup)"
    for method, path in (("POST", f"{VM}/status/start"), ("DELETE", VM)):
        assert run(cluster, method, path)[0] == "VM is locked (backup)"
    cluster.call("PUT", f"{VM}/config", {"delete": "lock", "skiplock": 1})
    assert "lock" not in config(cluster)


@pytest.mark.requirement("locks.flock")
def test_a_held_flock_times_out_after_ten_seconds(cluster: SimulatedCluster) -> None:
    path = "/var/lock/qemu-server/lock-100.conf"
    cluster.locks.take(path)
    began = cluster.clock.now()
    fault = refused(cluster, "PUT", f"{VM}/config", description="held")
    assert fault.message == f"can't lock file '{path}' - got timeout"
    assert 10 <= cluster.clock.now() - began < 10.5


@pytest.mark.requirement("guests.deleted")
def test_protection_guards_machine_and_disks(cluster: SimulatedCluster) -> None:
    cluster.call("PUT", f"{VM}/config", {"protection": 1})
    assert refused(cluster, "DELETE", VM).message == "can't remove VM 100 - protection mode enabled"
    assert refused(cluster, "PUT", f"{VM}/config", delete="scsi0").message == (
        "can't remove drive 'scsi0' - protection mode enabled"
    )


@pytest.mark.requirement("config.suspended")
def test_a_suspended_machine_is_locked_and_resumes_with_start(cluster: SimulatedCluster) -> None:
    run(cluster, "POST", f"{VM}/status/start")
    assert run(cluster, "POST", f"{VM}/status/suspend", todisk=1)[0] == "OK"
    assert config(cluster)["lock"] == "suspended"
    assert any("state-suspend" in volid for volid in volids(cluster))
    assert run(cluster, "POST", f"{VM}/status/start")[0] == "OK"
    assert "lock" not in config(cluster)
    assert not any("state-suspend" in volid for volid in volids(cluster))


@pytest.mark.requirement("types.secrets")
def test_cloud_init_values_are_hidden_where_pve_hides_them(cluster: SimulatedCluster) -> None:
    run(cluster, "POST", f"{VM}/config", ide0="local:cloudinit", ciuser="deb", cipassword="geheim")
    shown = config(cluster)
    assert shown["cipassword"] == "**********"
    assert shown["ide0"] == "local:100/vm-100-cloudinit.qcow2,media=cdrom"
    assert shown["boot"] == "order=scsi0;net0"
    rows = {row["key"]: row["value"] for row in cluster.call("GET", f"{VM}/cloudinit")}
    assert rows == {"ciuser": "deb", "cipassword": "**********"}
    dumped = cluster.call("GET", f"{VM}/cloudinit/dump", {"type": "user"})
    assert "geheim" not in dumped
    fault = refused(cluster, "PUT", f"{VM}/config", ide3="local:cloudinit")
    assert fault.message == "ide3 - cloud-init drive is already attached at 'ide0'"


@pytest.mark.requirement("guests.agent")
def test_without_an_agent_the_server_waits_three_seconds(cluster: SimulatedCluster) -> None:
    assert refused(cluster, "POST", f"{VM}/agent/ping").message == "VM 100 is not running"
    cluster.call("PUT", f"{VM}/config", {"agent": "1"})
    run(cluster, "POST", f"{VM}/status/start")
    began = cluster.clock.now()
    assert refused(cluster, "POST", f"{VM}/agent/ping").message == "QEMU guest agent is not running"
    assert cluster.clock.now() - began == pytest.approx(3, abs=0.1)
    cluster.guests[100].agent_answers = True
    assert cluster.call("POST", f"{VM}/agent/ping") == {"result": {}}


@pytest.mark.requirement("auth.filtered-lists")
def test_lists_show_only_what_the_caller_may_see(cluster: SimulatedCluster) -> None:
    assert {row["vmid"] for row in ask(cluster, "root@pam", "GET", f"{NODE}/qemu").data} == {
        100,
        900,
    }
    assert ask(cluster, "nobody@pve", "GET", f"{NODE}/qemu").data == []


@pytest.mark.requirement("auth.token-not-root")
def test_only_root_itself_sets_args_and_lock(cluster: SimulatedCluster) -> None:
    answer = ask(cluster, "root@pam", "PUT", f"{VM}/config", args="-foo")
    assert (answer.status, answer.reason) == (500, "only root can set 'args' config")


def ask(
    cluster: SimulatedCluster, user: str, method: str, path: str, **params: object
) -> SimResponse:
    """Ask with a token of a user."""
    headers = {"authorization": f"PVEAPIToken={cluster.create_token(user, 'test')}"}
    return cluster.handle(SimRequest(method, path, params, headers))


@pytest.mark.requirement("freshness.statistics")
def test_statistics_begin_with_the_first_broadcast_and_are_known_everywhere(
    cluster: SimulatedCluster,
) -> None:
    cluster.call("POST", f"{NODE}/qemu", {"vmid": 105, "memory": 64, "start": 1})
    fault = refused(cluster, "GET", f"{NODE}/qemu/105/rrddata", timeframe="hour")
    assert fault.message.startswith("RRD error: opening '/var/lib/rrdcached/db/pve-vm-9.0/105'")
    cluster.clock.advance(600)
    rows = cluster.call("GET", "/nodes/pve3/qemu/105/rrddata", {"timeframe": "hour"})
    assert len(rows) == 60
    assert set(rows[0]) == {"time"}
    assert {"cpu", "mem", "maxmem", "netin", "memhost"} <= rows[-1].keys()


@pytest.mark.requirement("tasks.failures")
def test_a_missing_bridge_is_accepted_and_noticed_at_the_start(cluster: SimulatedCluster) -> None:
    cluster.call("PUT", f"{VM}/config", {"net0": "virtio,bridge=nobr"})
    status, log = run(cluster, "POST", f"{VM}/status/start")
    assert status == "start failed: QEMU exited with code 1"
    assert "bridge 'nobr' does not exist" in log
    assert not cluster.guests[100].running
