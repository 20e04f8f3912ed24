"""Facts about a cluster: proxying, the wrong node, what still works without quorum."""

from __future__ import annotations

import pytest

from proxmox_client.testing.faults import NodeOffline, NoQuorum
from tests.lab.simulated import Lab

pytestmark = pytest.mark.conformance
VM = "/nodes/pve1/qemu/100"
WRONG = "/nodes/pve2/qemu/100"


@pytest.fixture
def lab() -> Lab:
    made = Lab()
    made.cluster.add_vm("pve1", 100, {"name": "web", "scsi0": "shared:1"})
    made.cluster.add_vm("pve2", 101, {"name": "db", "scsi0": "shared:1"})
    made.cluster.add_container("pve1", 200, {"hostname": "ct", "rootfs": "local:1"})
    return made


@pytest.mark.requirement("freshness.qmp")
def test_a_paused_machine_is_paused_in_the_list(lab: Lab) -> None:
    lab.task("POST", f"{VM}/status/start")
    lab.task("POST", f"{VM}/status/suspend")
    lab.cluster.clock.advance(10)
    rows = {row["id"]: row for row in lab("GET", "/cluster/resources").data}
    current = lab("GET", f"{VM}/status/current").data
    assert rows["qemu/100"]["status"] == "paused"
    assert (current["status"], current["qmpstatus"]) == ("running", "paused")


@pytest.mark.requirement("freshness.read-your-writes")
def test_what_is_written_through_one_node_is_read_through_another(lab: Lab) -> None:
    lab("PUT", f"{VM}/config", {"description": "new"}, via="pve2")
    assert lab("GET", f"{VM}/config", via="pve3").data["description"] == "new"


@pytest.mark.requirement("proxying.local-answers")
@pytest.mark.parametrize("path", ["/firewall/rules", "/rrddata?timeframe=hour", ""])
def test_some_calls_work_for_the_wrong_and_for_a_lost_node(lab: Lab, path: str) -> None:
    lab.cluster.clock.advance(20)
    assert lab("GET", f"{WRONG}{path}").status == 200
    lab.cluster.faults.add(NodeOffline("pve2"))
    found = lab("GET", "/nodes/pve2/qemu/101/firewall/rules")
    assert (found.status, lab.seconds) == (200, 0)


@pytest.mark.requirement("proxying.loop")
def test_a_call_that_must_not_be_forwarded_is_refused(lab: Lab) -> None:
    headers = {**lab.headers, "pvedisableproxy": "true"}
    answer = lab("GET", "/nodes/pve2/status", headers=headers)
    assert (answer.status, answer.reason) == (500, "proxy loop detected")


@pytest.mark.requirement("proxying.localhost")
def test_localhost_is_the_node_that_is_asked(lab: Lab) -> None:
    rows = lab("GET", "/nodes/localhost/qemu", via="pve2").data
    assert [row["vmid"] for row in rows] == [101]


@pytest.mark.requirement("wrong-node.reads")
@pytest.mark.parametrize(
    ("method", "path", "text"),
    [
        ("GET", "/config", "Configuration file 'nodes/pve2/qemu-server/100.conf' does not exist"),
        ("GET", "/status/current", "Configuration file 'nodes/pve2/qemu-server/100.conf'"),
        ("GET", "/pending", "Configuration file 'nodes/pve2/qemu-server/100.conf'"),
        ("GET", "/snapshot", "Configuration file 'nodes/pve2/qemu-server/100.conf'"),
        ("GET", "/feature?feature=snapshot", "unable to find configuration file for VM 100 on"),
        ("POST", "/status/reset", "unable to find configuration file for VM 100 on node 'pve2'"),
        ("POST", "/status/reboot", "unable to find configuration file for VM 100 on node 'pve2'"),
    ],
)
def test_reads_at_the_wrong_node_are_refused(lab: Lab, method: str, path: str, text: str) -> None:
    status, reason = lab.refusal(method, f"{WRONG}{path}")
    assert (status, reason.startswith(text)) == (500, True), reason


@pytest.mark.requirement("wrong-node.container")
@pytest.mark.parametrize(
    ("action", "text"),
    [
        ("stop", "CT 200 not running"),
        ("shutdown", "CT 200 not running"),
        ("suspend", "CT 200 not running"),
        ("reboot", "VM 200 not running"),
    ],
)
def test_a_containers_stop_at_the_wrong_node_is_refused_at_once(
    lab: Lab, action: str, text: str
) -> None:
    assert lab.refusal("POST", f"/nodes/pve2/lxc/200/status/{action}") == (500, text)


@pytest.mark.requirement("wrong-node.clone")
def test_a_clone_to_an_id_used_elsewhere_fails_in_its_task(lab: Lab) -> None:
    task = lab.task("POST", f"{VM}/clone", {"newid": 101, "full": 1})
    path = "/etc/pve/nodes/pve1/qemu-server/101.conf"
    assert f"close (rename) atomic file '{path}' failed: File exists" in str(task.exitstatus)
    assert lab.refusal("POST", f"{VM}/clone", {"newid": 100}) == (
        500,
        "unable to create VM 100: config file already exists",
    )


@pytest.mark.requirement("pools.members")
def test_a_pool_takes_any_guest_and_is_deleted_only_when_empty(lab: Lab) -> None:
    lab("POST", "/pools", {"poolid": "mix"})
    assert lab("PUT", "/pools/mix", {"vms": "9999"}).status == 200
    lab("PUT", "/pools/mix", {"vms": "100"})
    status, reason = lab.refusal("DELETE", "/pools/mix")
    assert (status, reason.startswith("delete pool failed: pool 'mix' is not empty")) == (500, True)


@pytest.mark.requirement("backup.restore-elsewhere")
def test_a_forced_restore_over_a_guest_elsewhere_is_refused(lab: Lab) -> None:
    lab.task("POST", "/nodes/pve1/vzdump", {"vmid": "100", "storage": "shared"})
    archive = next(volume.volid for volume in lab.cluster.volumes if volume.content == "backup")
    params = {"vmid": 100, "archive": archive, "force": 1}
    status, reason = lab.refusal("POST", "/nodes/pve2/qemu", params)
    assert status == 500
    path = "/etc/pve/nodes/pve2/qemu-server/100.conf"
    assert reason == (
        f"unable to restore VM 100 - close (rename) atomic file '{path}' failed: File exists"
    )


@pytest.mark.requirement("bulk.migrateall")
def test_migrateall_refuses_itself_and_unknown_nodes(lab: Lab) -> None:
    params = {"max-workers": 1}
    path = "/nodes/pve1/migrateall"
    assert lab.refusal("POST", path, {**params, "target": "pve1"})[0] == 400
    unknown = lab.refusal("POST", path, {**params, "target": "pve9"})
    assert unknown == (500, "no such cluster node 'pve9'")
    empty = lab.task("POST", "/nodes/pve3/migrateall", {**params, "target": "pve1"})
    assert empty.exitstatus == "OK"


@pytest.mark.requirement("quorum.works")
def test_without_quorum_some_writes_work(lab: Lab) -> None:
    lab.task("POST", f"{VM}/status/start")
    with lab.cluster.faults.add(NoQuorum()):
        assert lab.task("POST", f"{VM}/status/stop").exitstatus == "OK"
        bridge = {"iface": "vmbr9", "type": "bridge"}
        assert lab("POST", "/nodes/pve1/network", bridge).status == 200
        image = {"vmid": 100, "filename": "vm-100-disk-9.raw", "size": "1M"}
        assert lab("POST", "/nodes/pve1/storage/local/content", image).status == 200


@pytest.mark.requirement("ha.errors")
@pytest.mark.parametrize(
    ("method", "path", "params", "text"),
    [
        ("POST", "", {"sid": "vm:9999"}, "resource 'vm:9999' does not exist in cluster"),
        ("POST", "", {"sid": "ct:100"}, "resource 'ct:100' - guest with ID 100 is not a container"),
        ("POST", "", {"sid": "vm:101"}, "create resource failed: resource ID 'vm:101' already"),
        ("GET", "/vm:100", {}, "no such resource 'vm:100'"),
        ("PUT", "/vm:100", {"state": "stopped"}, "update resources config failed: no such resour"),
        ("DELETE", "/vm:100", {}, "cannot delete service 'vm:100', not HA managed!"),
        ("POST", "/vm:100/migrate", {"node": "pve2"}, "resource 'vm:100' is not HA managed"),
    ],
)
def test_ha_resources_are_refused_with_their_reasons(
    lab: Lab, method: str, path: str, params: dict[str, str], text: str
) -> None:
    lab("POST", "/cluster/ha/resources", {"sid": "vm:101"})
    status, reason = lab.refusal(method, f"/cluster/ha/resources{path}", params)
    assert status == 500
    assert text in reason


@pytest.mark.requirement("quorum.ha-and-sdn")
def test_without_quorum_ha_says_so_and_sdn_is_not_locked(lab: Lab) -> None:
    lab.cluster.faults.add(NoQuorum())
    status = {row["id"]: row for row in lab("GET", "/cluster/ha/status/current").data}
    assert status["quorum"]["status"] == "No quorum on node 'pve1'!"
    assert status["quorum"]["quorate"] == 0
    manager = lab("GET", "/cluster/ha/status/manager_status").data
    assert manager["quorum"]["quorate"] == ""
    assert lab.refusal("POST", "/cluster/sdn/lock") == (
        500,
        "could not acquire lock for SDN config: cfs-lock 'domain-sdn' error: no quorum!",
    )
