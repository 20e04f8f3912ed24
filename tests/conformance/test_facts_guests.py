"""Facts about guests: types, digests, pending changes, locks, identity."""

from __future__ import annotations

import pytest

from proxmox_client import schema
from proxmox_client.testing.faults import HeldLock
from tests.lab.simulated import Lab

pytestmark = pytest.mark.conformance
VM = "/nodes/pve1/qemu/100"
CT = "/nodes/pve1/lxc/200"
GIB = 1024**3


@pytest.fixture
def lab() -> Lab:
    made = Lab()
    made.cluster.add_vm("pve1", 100, {"name": "web", "scsi0": "local-lvm:1"})
    made.cluster.add_container("pve1", 200, {"hostname": "ct", "rootfs": "local-lvm:1"})
    return made


@pytest.mark.requirement("types.numbers-as-text")
def test_some_numbers_are_text(lab: Lab) -> None:
    assert lab("GET", "/cluster/nextid").data == "101"
    lab("PUT", f"{VM}/config", {"memory": 256, "cpulimit": 2})
    config = lab("GET", f"{VM}/config").data
    assert (config["memory"], config["cpulimit"]) == ("256", "2")
    assert all(isinstance(part, str) for part in lab("GET", "/nodes/pve1/status").data["loadavg"])


@pytest.mark.requirement("types.booleans")
def test_a_value_keeps_the_text_it_was_set_with(lab: Lab) -> None:
    lab("PUT", f"{VM}/config", {"agent": "0", "onboot": 1})
    config = lab("GET", f"{VM}/config").data
    assert (config["agent"], config["onboot"]) == ("0", 1)
    assert "template" not in config


@pytest.mark.requirement("types.cloudinit-drive")
def test_a_cloud_init_drive_becomes_a_volume(lab: Lab) -> None:
    lab("PUT", f"{VM}/config", {"ide2": "local:cloudinit"})
    volid = "local:100/vm-100-cloudinit.qcow2"
    assert lab("GET", f"{VM}/config").data["ide2"] == f"{volid},media=cdrom"
    volume = lab.cluster.volumes.find("pve1", volid)
    assert volume is not None
    assert volume.size == 4 * 1024**2
    lab.task("POST", f"{VM}/clone", {"newid": 150, "full": 1})
    copied = lab("GET", "/nodes/pve1/qemu/150/config").data["ide2"]
    assert copied == "local:150/vm-150-cloudinit.qcow2,media=cdrom,size=4M"


@pytest.mark.requirement("types.snapshot-current")
def test_the_snapshot_list_ends_with_the_present(lab: Lab) -> None:
    lab.task("POST", f"{VM}/snapshot", {"snapname": "one"})
    rows = lab("GET", f"{VM}/snapshot").data
    assert [row["name"] for row in rows] == ["one", "current"]
    assert (rows[-1]["parent"], rows[-1]["running"]) == ("one", 0)
    assert len(rows[-1]["digest"]) == 40


ACCEPTED = {
    ("PUT", "/nodes/{node}/qemu/{vmid}/config"), ("POST", "/nodes/{node}/qemu/{vmid}/config"),
    ("PUT", "/nodes/{node}/lxc/{vmid}/config"), ("PUT", "/nodes/{node}/qemu/{vmid}/resize"),
    ("PUT", "/storage/{storage}"), ("PUT", "/cluster/ha/resources/{sid}"),
    ("PUT", "/cluster/sdn/zones/{zone}"), ("PUT", "/access/domains/{realm}"),
    ("PUT", "/nodes/{node}/config"), ("PUT", "/cluster/firewall/options"),
    ("DELETE", "/cluster/firewall/rules/{pos}"),
}  # fmt: skip
UNKNOWN = {
    ("PUT", "/access/users/{userid}"), ("PUT", "/access/groups/{groupid}"),
    ("PUT", "/access/roles/{roleid}"), ("PUT", "/access/acl"), ("PUT", "/pools/{poolid}"),
    ("PUT", "/cluster/backup/{id}"), ("PUT", "/cluster/options"), ("POST", "/storage"),
    ("PUT", "/nodes/{node}/network/{iface}"), ("PUT", "/nodes/{node}/dns"),
    ("POST", "/nodes/{node}/qemu"), ("DELETE", "/storage/{storage}"),
    ("POST", "/nodes/{node}/qemu/{vmid}/snapshot"), ("POST", "/nodes/{node}/qemu/{vmid}/clone"),
}  # fmt: skip


@pytest.mark.requirement("config.digest-where")
def test_a_digest_is_accepted_where_pve_accepts_one(lab: Lab) -> None:
    facts = {(entry.method, entry.path): entry for entry in schema.operations("9.2")}
    assert all("digest" in facts[key].parameters for key in ACCEPTED)
    assert all("digest" not in facts[key].parameters for key in UNKNOWN)
    answer = lab("PUT", "/cluster/options", {"digest": "0" * 40, "keyboard": "de"})
    assert list(answer.json()["errors"]) == ["digest"]
    # Any text of up to 64 characters is taken for one.
    stale = lab("PUT", f"{VM}/config", {"digest": "x", "name": "b"})
    assert stale.reason == "checksum mismatch (file change by other user?)"


@pytest.mark.requirement("config.put-and-post")
def test_put_is_at_once_and_post_a_task(lab: Lab) -> None:
    assert lab("PUT", f"{VM}/config", {"cores": 2}).data is None
    assert lab.cluster.guests[100].config["cores"] == "2"
    assert lab.task("POST", f"{VM}/config", {"cores": 3}).upid.type == "qmconfig"
    assert lab.cluster.guests[100].config["cores"] == "3"
    assert lab("POST", f"{CT}/config", {"cores": 3}).status == 501


@pytest.mark.requirement("config.reboot-applies")
def test_a_reboot_by_the_api_applies_what_is_pending(lab: Lab) -> None:
    lab.task("POST", f"{VM}/status/start")
    lab("PUT", f"{VM}/config", {"sockets": 2})
    assert "sockets" not in lab("GET", f"{VM}/config", {"current": 1}).data
    lab.task("POST", f"{VM}/status/reboot")
    assert lab("GET", f"{VM}/config", {"current": 1}).data["sockets"] == 2


@pytest.mark.requirement("config.resize-trap")
def test_a_pending_drive_reverts_a_resize(lab: Lab) -> None:
    lab.task("POST", f"{VM}/status/start")
    old = lab("GET", f"{VM}/config").data["scsi0"]
    lab("PUT", f"{VM}/config", {"scsi0": f"{old},ssd=1"})
    lab.task("PUT", f"{VM}/resize", {"disk": "scsi0", "size": "+1G"})
    assert "size=2G" in lab("GET", f"{VM}/config", {"current": 1}).data["scsi0"]
    lab.task("POST", f"{VM}/status/stop")
    lab.task("POST", f"{VM}/status/start")
    assert "size=1G" in lab("GET", f"{VM}/config").data["scsi0"]


@pytest.mark.requirement("config.bad-changes")
def test_deleting_an_option_that_is_not_set_is_fine(lab: Lab) -> None:
    assert lab("PUT", f"{VM}/config", {"delete": "description"}).status == 200
    answer = lab("PUT", f"{VM}/config", {"delete": "nosuchoption"})
    assert (answer.status, "delete" in answer.json()["errors"]) == (400, True)


@pytest.mark.requirement("config.resize")
def test_a_resize_checks_its_digest_in_the_task(lab: Lab) -> None:
    params = {"disk": "scsi0", "size": "+1G", "digest": "0" * 40}
    task = lab.task("PUT", f"{VM}/resize", params)
    assert task.exitstatus == "checksum mismatch (file change by other user?)"


@pytest.mark.requirement("locks.after-stop")
def test_cleaning_up_after_a_stop_holds_the_lock_for_a_moment(lab: Lab) -> None:
    lab.task("POST", f"{VM}/status/start")
    lab.task("POST", f"{VM}/status/stop")
    task = lab.task("POST", f"{VM}/status/start")
    assert task.exitstatus == "OK"
    assert task.lines[0] == "trying to acquire lock..."


@pytest.mark.requirement("locks.storage")
@pytest.mark.parametrize(
    ("storage", "name", "text"),
    [
        ("shared", "storage-shared", "cfs-lock 'storage-shared' error: got lock request timeout"),
        (
            "local",
            "pve1:/var/lock/pve-manager/pve-storage-local",
            "can't lock file '/var/lock/pve-manager/pve-storage-local' - got timeout",
        ),
    ],
)
def test_allocation_waits_for_the_storages_lock(
    lab: Lab, storage: str, name: str, text: str
) -> None:
    lab.cluster.faults.add(HeldLock(name, 3))
    assert lab("PUT", f"{VM}/config", {"scsi1": f"{storage}:1"}).status == 200
    assert lab.seconds >= 3
    lab.cluster.faults.add(HeldLock(name, 60))
    answer = lab("PUT", f"{VM}/config", {"scsi2": f"{storage}:1"})
    assert (answer.status, answer.reason) == (500, text)
    params = {"vmid": 101, "scsi0": f"{storage}:1"}
    lab.cluster.faults.clear()
    lab.cluster.faults.add(HeldLock(name, 60))
    assert text in str(lab.task("POST", "/nodes/pve1/qemu", params).exitstatus)


@pytest.mark.requirement("guests.clones")
def test_a_clone_takes_a_name_and_no_tags_and_drops_what_is_pending(lab: Lab) -> None:
    assert lab.refusal("POST", f"{VM}/clone", {"newid": 150, "tags": "a"})[0] == 400
    lab.task("POST", f"{VM}/status/start")
    lab("PUT", f"{VM}/config", {"sockets": 2})
    lab.task("POST", f"{VM}/clone", {"newid": 150, "name": "copy", "full": 1})
    config = lab("GET", "/nodes/pve1/qemu/150/config").data
    source = lab("GET", f"{VM}/config").data
    assert config["name"] == "copy"
    assert "sockets" not in config
    assert config["meta"] == source["meta"]
    assert config["smbios1"] != source["smbios1"]


@pytest.mark.requirement("guests.deleted")
def test_a_deletion_answers_before_the_guest_is_gone(lab: Lab) -> None:
    lab("PUT", f"{VM}/config", {"delete": "scsi0"})
    assert "unused0" in lab.cluster.guests[100].config
    upid = lab("DELETE", VM).data
    assert 100 in lab.cluster.guests
    lab.ended(upid)
    assert 100 not in lab.cluster.guests
    assert [volume.volid for volume in lab.cluster.volumes if volume.vmid == 100] == []


@pytest.mark.requirement("guests.deleted")
def test_a_running_guest_is_not_deleted(lab: Lab) -> None:
    lab.task("POST", f"{VM}/status/start")
    assert lab.refusal("DELETE", VM) == (500, "VM 100 is running - destroy failed")


@pytest.mark.requirement("guests.vmid-and-node")
def test_a_number_can_be_used_again(lab: Lab) -> None:
    lab.task("DELETE", VM)
    params = {"vmid": 100, "name": "another", "memory": 64}
    assert lab.task("POST", "/nodes/pve2/qemu", params).exitstatus == "OK"
    assert lab.cluster.guests[100].node == "pve2"
