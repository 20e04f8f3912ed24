"""Facts in passing: single sentences of the fact sheets that need no chapter of their own."""

from __future__ import annotations

import re

import pytest

from proxmox_client.testing.faults import NodeOffline, NoQuorum
from tests.lab.simulated import Lab

pytestmark = pytest.mark.conformance
VM = "/nodes/pve1/qemu/100"
CT = "/nodes/pve1/lxc/200"
START = "/cluster/bulk-action/guest/start"


@pytest.fixture
def lab() -> Lab:
    made = Lab()
    made.cluster.add_vm("pve1", 100, {"name": "web", "scsi0": "local-lvm:1"})
    made.cluster.add_vm("pve1", 101, {"name": "far", "scsi0": "shared:1"})
    made.cluster.add_container("pve1", 200, {"hostname": "ct", "rootfs": "local-lvm:1"})
    return made


@pytest.mark.requirement("auth.ticket")
def test_tickets_have_the_form_pve_gives_them(lab: Lab) -> None:
    lab.cluster.access.users["root@pam"].password = "pw"
    params = {"username": "root@pam", "password": "pw"}
    found = lab("POST", "/access/ticket", params, headers={}).data
    assert re.fullmatch(r"PVE:root@pam:[0-9A-F]{8}::[A-Za-z0-9+/=]+", found["ticket"])
    assert re.fullmatch(r"[0-9A-F]{8}:[A-Za-z0-9+/=]+", found["CSRFPreventionToken"])


@pytest.mark.requirement("auth.filtered-lists")
def test_a_separated_token_without_rights_sees_nodes_only(lab: Lab) -> None:
    secret = lab.cluster.create_token("root@pam", "bare", privsep=True)
    headers = {"authorization": f"PVEAPIToken={secret}"}
    rows = lab("GET", "/cluster/resources", headers=headers).data
    assert {row["type"] for row in rows} == {"node"}
    assert not any("maxmem" in row for row in rows)


@pytest.mark.requirement("types.numbers-as-text")
def test_jobs_and_networks_have_numbers_as_text(lab: Lab) -> None:
    job = {"schedule": "21:00", "vmid": "100", "storage": "local", "prune-backups": "keep-last=3"}
    lab("POST", "/cluster/backup", job)
    found = lab("GET", "/cluster/backup").data[0]
    assert (found["vmid"], found["prune-backups"]) == ("100", {"keep-last": "3"})
    bridge = {"iface": "vmbr7", "type": "bridge", "address": "10.0.0.1", "netmask": "24"}
    lab("POST", "/nodes/pve1/network", bridge)
    rows = {row["iface"]: row for row in lab("GET", "/nodes/pve1/network").data}
    assert rows["vmbr7"]["netmask"] == "24"


@pytest.mark.requirement("types.parsed-options")
def test_datacenter_options_come_parsed_and_guest_options_as_text(lab: Lab) -> None:
    lab("PUT", "/cluster/options", {"migration": "type=secure", "description": "notes"})
    found = lab("GET", "/cluster/options").data
    assert found["migration"] == {"type": "secure"}
    assert found["description"] == "notes\n"
    lab("PUT", f"{VM}/config", {"net0": "virtio,bridge=vmbr0,firewall=1"})
    net = lab("GET", f"{VM}/config").data["net0"]
    assert re.fullmatch(r"virtio=BC:24:11(:[0-9A-F]{2}){3},bridge=vmbr0,firewall=1", net)


@pytest.mark.requirement("tasks.failures")
def test_what_only_the_task_notices(lab: Lab) -> None:
    lab.cluster.add_vm("pve1", 110, {"scsi0": "local-lvm:1"}, template=True)
    start = lab.task("POST", "/nodes/pve1/qemu/110/status/start").exitstatus
    assert start == "you can't start a vm if it's a template"
    lab.task("POST", f"{VM}/snapshot", {"snapname": "one"})
    again = lab.task("POST", f"{VM}/snapshot", {"snapname": "one"}).exitstatus
    assert "already" in str(again)
    missing = lab.task("POST", f"{VM}/snapshot/none/rollback").exitstatus
    assert "snapshot 'none' does not exist" in str(missing)
    assert lab.task("POST", f"{VM}/status/stop").exitstatus == "OK"
    lab.task("POST", f"{CT}/status/start")
    assert lab.refusal("POST", f"{CT}/status/start") == (500, "CT 200 already running")


@pytest.mark.requirement("tasks.log")
def test_a_log_without_a_line_says_so(lab: Lab) -> None:
    upid = str(lab("POST", f"{VM}/status/start").data)
    assert [row["t"] for row in lab("GET", f"/nodes/pve1/tasks/{upid}/log").data] == ["no content"]


@pytest.mark.requirement("tasks.lists")
def test_the_total_of_a_list_counts_what_was_asked_for(lab: Lab) -> None:
    for action in ("start", "stop", "start"):
        lab.task("POST", f"{VM}/status/{action}")
    found = lab("GET", "/nodes/pve1/tasks", {"typefilter": "qmstart", "limit": 1}).json()
    assert (found["total"], len(found["data"])) == (2, 1)


@pytest.mark.requirement("proxying.cluster-status")
def test_cluster_status_has_an_entry_for_the_cluster(lab: Lab) -> None:
    rows = lab("GET", "/cluster/status").data
    cluster = next(row for row in rows if row["type"] == "cluster")
    assert (cluster["nodes"], cluster["quorate"]) == (3, 1)
    assert [row["name"] for row in rows if row.get("local")] == ["pve1"]


@pytest.mark.requirement("wrong-node.container")
@pytest.mark.parametrize("call", ["status/start", "snapshot"])
def test_a_containers_start_at_the_wrong_node_fails_in_its_task(lab: Lab, call: str) -> None:
    params = {"snapname": "one"} if call == "snapshot" else {}
    task = lab.task("POST", f"/nodes/pve2/lxc/200/{call}", params)
    text = "Configuration file 'nodes/pve2/lxc/200.conf' does not exist"
    assert str(task.exitstatus).startswith((text, "unable to find configuration file for CT 200"))


@pytest.mark.requirement("guests.id-taken")
def test_a_container_with_an_id_in_use_is_refused(lab: Lab) -> None:
    lab.cluster.add_volume("local", "local:vztmpl/a.tar.gz", 1000, node="pve2")
    params = {"vmid": 100, "ostemplate": "local:vztmpl/a.tar.gz", "rootfs": "local:1"}
    status, reason = lab.refusal("POST", "/nodes/pve2/lxc", params)
    assert (status, "VM 100 already exists on node 'pve1'" in reason) == (500, True)


@pytest.mark.requirement("guests.clone-errors")
@pytest.mark.parametrize(
    ("vmid", "params", "text"),
    [
        (100, {"target": "pve2"}, "can't clone VM to node 'pve2' (VM uses local storage)"),
        (100, {"target": "pve2", "storage": "shared", "full": 1},
         "can't clone VM to node 'pve2' (VM uses local storage)"),
        (101, {"target": "pve2", "storage": "local", "full": 1},
         "can't clone to non-shared storage 'local'"),
    ],
)  # fmt: skip
def test_a_clone_to_another_node_needs_shared_disks(
    lab: Lab, vmid: int, params: dict[str, object], text: str
) -> None:
    path = f"/nodes/pve1/qemu/{vmid}/clone"
    assert lab.refusal("POST", path, {"newid": 150, **params}) == (500, text)


@pytest.mark.requirement("guests.clone-errors")
def test_a_clone_to_an_offline_node_succeeds(lab: Lab) -> None:
    lab.cluster.faults.add(NodeOffline("pve2"))
    lab.cluster.clock.advance(30)
    params = {"newid": 150, "target": "pve2", "full": 1}
    assert lab.task("POST", "/nodes/pve1/qemu/101/clone", params).exitstatus == "OK"
    assert lab.cluster.guests[150].node == "pve2"


@pytest.mark.requirement("migration.preconditions")
def test_preconditions_ignore_the_target_and_offline_nodes(lab: Lab) -> None:
    lab.cluster.faults.add(NodeOffline("pve3"))
    lab.cluster.clock.advance(30)
    found = lab("GET", "/nodes/pve1/qemu/101/migrate", {"target": "pve2"}).data
    assert sorted(found["allowed_nodes"]) == ["pve2", "pve3"]


@pytest.mark.requirement("migration.refused")
def test_migrations_that_are_refused_at_once(lab: Lab) -> None:
    path = "/nodes/pve1/qemu/101/migrate"
    assert lab.refusal("POST", path, {"target": "pve9"}) == (500, "no such cluster node 'pve9'")
    own = lab("POST", path, {"target": "pve1"})
    assert own.json()["errors"]["target"].strip() == "target is local node."
    lab.task("POST", "/nodes/pve1/qemu/101/status/start")
    running = lab.refusal("POST", path, {"target": "pve2"})
    assert running == (500, "can't migrate running VM without --online")
    lab.task("POST", f"{CT}/status/start")
    assert lab.refusal("POST", f"{CT}/migrate", {"target": "pve2"}) == (
        500,
        "can't migrate running container without --online or --restart",
    )


@pytest.mark.requirement("migration.phases")
def test_an_online_migration_leaves_a_start_by_root_at_the_target(lab: Lab) -> None:
    lab.task("POST", "/nodes/pve1/qemu/101/status/start")
    params = {"target": "pve2", "online": 1}
    upid = str(lab("POST", "/nodes/pve1/qemu/101/migrate", params).data)
    lab.cluster.clock.advance(2)
    path = "/nodes/pve1/qemu/101"
    locked = (500, "VM is locked (migrate)")
    assert lab.refusal("PUT", f"{path}/config", {"name": "x"}) == locked
    assert lab.refusal("POST", f"{path}/migrate", params) == locked
    assert lab.ended(upid).exitstatus == "OK"
    rows = lab("GET", "/nodes/pve2/tasks", {"source": "all"}).data
    assert [(row["type"], row["user"]) for row in rows] == [("qmstart", "root@pam")]


@pytest.mark.requirement("offline.delays")
def test_extjs_tells_of_an_offline_node_in_the_status_line(lab: Lab) -> None:
    lab.cluster.faults.add(NodeOffline("pve3"))
    with lab.http() as client:
        answer = client.get("/api2/extjs/nodes/pve3/status")
    assert (answer.status_code, answer.reason_phrase) == (595, "No route to host")
    assert answer.content == b""


@pytest.mark.requirement("quorum.works")
def test_without_quorum_people_can_log_in_and_replication_waits(lab: Lab) -> None:
    lab.cluster.access.users["root@pam"].password = "pw"
    lab.cluster.faults.add(NoQuorum())
    params = {"username": "root@pam", "password": "pw"}
    assert lab("POST", "/access/ticket", params, headers={}).status == 200
    text = "cfs-lock 'file-replication_cfg' error: no quorum!"
    assert lab.refusal("GET", "/nodes/pve1/replication") == (500, text)
    assert lab.seconds == pytest.approx(9.92)
    assert lab.refusal("GET", f"{VM}/migrate") == (500, "cluster not ready - no quorum?")


@pytest.mark.requirement("bulk.forwarded")
def test_bulk_actions_tell_of_bad_numbers_and_of_guests_that_failed(lab: Lab) -> None:
    bad = lab("POST", START, {"vms": ["abc"]})
    assert (bad.status, list(bad.json()["errors"])) == (400, ["vms[0]"])
    lab.cluster.guests[100].config["lock"] = "backup"
    task = lab.task("POST", "/cluster/bulk-action/guest/shutdown", {"vms": [101]})
    assert task.exitstatus in ("OK", "WARNINGS: 1")
    failed = lab.task("POST", START, {"vms": [100, 101]})
    assert failed.exitstatus == "Some guests failed to start: 100"
    moved = lab.task("POST", "/cluster/bulk-action/guest/migrate", {"vms": [101], "target": "pve9"})
    assert any("no such cluster node 'pve9'" in line for line in moved.lines)


@pytest.mark.requirement("bulk.startall")
def test_suspendall_skips_containers(lab: Lab) -> None:
    lab.task("POST", f"{CT}/status/start")
    task = lab.task("POST", "/nodes/pve1/suspendall", {"vms": "200"})
    assert "WARN: skipping 200, only VMs can be suspended" in task.lines


@pytest.mark.requirement("storage.restricted")
def test_a_storage_may_name_nodes_that_are_not_there(lab: Lab) -> None:
    params = {"storage": "xx", "type": "dir", "path": "/x", "content": "images", "nodes": "pve9"}
    assert lab("POST", "/storage", params).status == 200
    assert "xx" not in [row["storage"] for row in lab("GET", "/nodes/pve1/storage").data]
    elsewhere = lab.refusal("GET", "/nodes/pve1/storage/xx/content")
    assert elsewhere == (500, "storage 'xx' is not available on node 'pve1'")


@pytest.mark.requirement("sdn.apply")
def test_two_applies_at_once_both_end_well_one_after_the_other(lab: Lab) -> None:
    zone = {"zone": "z1", "type": "simple", "nodes": "pve9"}
    assert lab("POST", "/cluster/sdn/zones", zone).status == 200
    upids = [str(lab("PUT", "/cluster/sdn", via=via).data) for via in ("pve1", "pve2")]
    assert [lab.ended(upid).exitstatus for upid in upids] == ["OK", "OK"]
    reloads = [task for task in lab.cluster.nodes["pve3"].tasks if task.upid.type == "srvreload"]
    assert reloads


@pytest.mark.requirement("guests.deleted")
def test_a_guest_under_high_availability_needs_purge(lab: Lab) -> None:
    lab("POST", "/cluster/ha/resources", {"sid": "vm:101", "state": "stopped"})
    text = "unable to remove VM 101 - used in HA resources and purge parameter not set."
    assert lab.refusal("DELETE", "/nodes/pve1/qemu/101") == (500, text)


@pytest.mark.requirement("http.nested-errors")
def test_some_errors_nest(lab: Lab) -> None:
    params = {"vnet": "v1", "zone": "nope"}
    status, reason = lab.refusal("POST", "/cluster/sdn/vnets", params)
    assert status == 500
    assert reason.startswith("create sdn vnet object failed: ")
