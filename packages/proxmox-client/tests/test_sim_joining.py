"""Making a cluster in the simulator, joining it, leaving it and coming back."""

from __future__ import annotations

from typing import Any

import pytest

from proxmox_client.testing import PveFault, SimRequest, SimResponse, SimulatedCluster
from proxmox_client.testing.tasks import TaskRecord

ROOT = {"username": "root@pam", "password": "a-password"}


@pytest.fixture
def first() -> SimulatedCluster:
    made = SimulatedCluster(nodes=("pve1",))
    made.access.users["root@pam"].password = "a-password"
    return made


@pytest.fixture
def second(first: SimulatedCluster) -> SimulatedCluster:
    return first.add_server("pve2", "b-password")


def create(cluster: SimulatedCluster) -> TaskRecord:
    task = cluster.tasks.get(cluster.call("POST", "/cluster/config", {"clustername": "rec3"}))
    cluster.clock.advance(5)
    return task


def join(first: SimulatedCluster, lonely: SimulatedCluster, **changes: Any) -> TaskRecord:
    params = {
        "hostname": "10.77.0.1",
        "password": "a-password",
        "fingerprint": first.nodes["pve1"].fingerprint,
        **changes,
    }
    task = lonely.tasks.get(lonely.call("POST", "/cluster/config/join", params))
    lonely.clock.advance(30)
    return task


def log_in(cluster: SimulatedCluster, via: str, **who: str) -> dict[str, str]:
    answer = cluster.handle(SimRequest("POST", "/access/ticket", {**ROOT, **who}, via=via))
    return {"cookie": f"PVEAuthCookie={answer.data['ticket']}"}


def ask(cluster: SimulatedCluster, path: str, via: str, headers: dict[str, str]) -> SimResponse:
    return cluster.handle(SimRequest("GET", path, headers=headers, via=via))


@pytest.mark.requirement("joining.create")
def test_a_cluster_is_made_of_a_server_that_is_alone(first: SimulatedCluster) -> None:
    assert first.call("GET", "/cluster/config/nodes") == []
    assert first.call("GET", "/cluster/config/totem") is None
    with pytest.raises(PveFault, match="node is not in a cluster") as alone:
        first.call("GET", "/cluster/config/join")
    assert alone.value.status == 424
    task = create(first)
    assert (task.exitstatus, task.upid.type, task.upid.id) == ("OK", "clustercreate", "rec3")
    totem = first.call("GET", "/cluster/config/totem")
    assert (totem["cluster_name"], totem["config_version"]) == ("rec3", "1")
    (member,) = first.call("GET", "/cluster/config/join")["nodelist"]
    assert member["pve_fp"] == first.nodes["pve1"].fingerprint
    with pytest.raises(PveFault, match=r"corosync\.conf' already exists"):
        create(first)
    with pytest.raises(PveFault, match="unknown node 'nope'"):
        first.call("GET", "/cluster/config/join", {"node": "nope"})


@pytest.mark.requirement("joining.separate")
def test_servers_that_are_alone_know_nothing_of_each_other(
    first: SimulatedCluster, second: SimulatedCluster
) -> None:
    second.call("POST", "/access/users", {"userid": "own@pve"})
    assert list(first.nodes) == ["pve1"]
    assert "own@pve" not in first.access.users
    wrong = first.handle(SimRequest("POST", "/access/ticket", ROOT, via="pve2"))
    assert wrong.status == 401
    headers = log_in(first, "pve2", password="b-password")
    assert [row["node"] for row in ask(first, "/nodes", "pve2", headers).data] == ["pve2"]
    assert ask(first, "/nodes", "pve1", headers).status == 401


@pytest.mark.parametrize(
    ("changes", "exitstatus"),
    [
        ({"password": "wrong"}, "401 authentication failure"),
        ({"fingerprint": ":".join(["AA"] * 32)}, "fingerprint '{shown}' not verified, abort!"),
        ({"hostname": "10.77.0.9"}, "500 Can't connect to 10.77.0.9:8006 (No route to host)"),
    ],
)
@pytest.mark.requirement("joining.join")
def test_what_keeps_a_server_out_shows_in_the_task(
    first: SimulatedCluster, second: SimulatedCluster, changes: dict[str, str], exitstatus: str
) -> None:
    create(first)
    task = join(first, second, **changes)
    shown = first.nodes["pve1"].fingerprint
    assert task.exitstatus == exitstatus.format(shown=shown)
    assert list(first.nodes) == ["pve1"]


@pytest.mark.requirement("joining.join")
def test_joining_replaces_what_the_server_had(
    first: SimulatedCluster, second: SimulatedCluster
) -> None:
    create(first)
    second.call("POST", "/access/users", {"userid": "own@pve"})
    before = log_in(first, "pve2", password="b-password")
    params = {
        "hostname": "pve1",
        "password": "a-password",
        "fingerprint": first.nodes["pve1"].fingerprint,
    }
    upid = second.call("POST", "/cluster/config/join", params)
    status = f"/nodes/pve2/tasks/{upid}/status"
    first.clock.advance(0.5)
    assert ask(first, status, "pve2", before).data["status"] == "running"
    first.clock.advance(4)
    refused = ask(first, status, "pve2", before)
    assert (refused.status, refused.reason) == (401, "Authentication failed!")
    headers = log_in(first, "pve2")
    assert ask(second, status, "pve2", headers).data["status"] == "running"
    first.clock.advance(30)
    assert ask(first, status, "pve1", headers).data["exitstatus"] == "OK"
    assert "own@pve" not in first.access.users
    members = ask(first, "/cluster/config/nodes", "pve2", headers).data
    assert {row["name"]: row["nodeid"] for row in members} == {"pve1": "1", "pve2": "2"}
    nodes = {row["node"]: row["status"] for row in ask(first, "/nodes", "pve2", headers).data}
    assert nodes == {"pve1": "online", "pve2": "online"}
    first.add_vm("pve2", 100, {"scsi0": "local-lvm:1"}, status="running")
    assert first.call("GET", "/nodes/pve2/qemu/100/status/current")["status"] == "running"


@pytest.mark.requirement("joining.join")
def test_a_server_with_guests_or_in_a_cluster_may_not_join(
    first: SimulatedCluster, second: SimulatedCluster
) -> None:
    create(first)
    second.add_vm("pve2", 100, {})
    task = join(first, second)
    assert task.exitstatus == "Check if node may join a cluster failed!"
    assert "* this host already contains virtual guests" in task.lines
    assert join(first, second, force=1).exitstatus == "OK"
    assert first.guests[100].node == "pve2"
    again = first.call(
        "POST",
        "/cluster/config/join",
        {"hostname": "pve2", "password": "x", "fingerprint": first.nodes["pve2"].fingerprint},
    )
    first.clock.advance(20)
    assert first.tasks.get(again).exitstatus == "Check if node may join a cluster failed!"


@pytest.mark.requirement("joining.join")
def test_one_join_at_a_time(first: SimulatedCluster, second: SimulatedCluster) -> None:
    create(first)
    second.locks.take("/var/lock/pvecm.lock", until=second.clock.now() + 60)
    task = join(first, second)
    assert task.exitstatus == "can't lock file '/var/lock/pvecm.lock' - got timeout"
    assert task.lines[0] == "trying to acquire lock..."


@pytest.mark.requirement("joining.remove")
def test_a_member_is_removed_and_joins_again_after_a_new_installation(
    first: SimulatedCluster, second: SimulatedCluster
) -> None:
    create(first)
    join(first, second)
    with pytest.raises(PveFault, match="Cannot delete myself from cluster!"):
        first.call("DELETE", "/cluster/config/nodes/pve1")
    with pytest.raises(PveFault, match="pve9 is not a known host of the cluster"):
        first.call("DELETE", "/cluster/config/nodes/pve9")
    first.add_vm("pve2", 100, {})
    first.call("DELETE", "/cluster/config/nodes/pve2")
    assert list(first.nodes) == ["pve1"]
    assert first.call("GET", "/cluster/resources", {"type": "vm"}) == []
    fresh = first.add_server("pve2", "c-password")
    assert join(first, fresh).exitstatus == "OK"
    versions = first.call("GET", "/cluster/config/totem")["config_version"]
    assert (sorted(first.nodes), versions) == (["pve1", "pve2"], "4")


@pytest.mark.requirement("joining.add")
def test_a_node_is_added_by_hand_with_an_address_of_its_own(first: SimulatedCluster) -> None:
    create(first)
    path = "/cluster/config/nodes/pve4"
    with pytest.raises(PveFault, match="unsupported old API version"):
        first.call("POST", path, {"new_node_ip": "10.77.0.4"})
    with pytest.raises(PveFault, match="no links and no fallback ip"):
        first.call("POST", path, {"apiversion": 1})
    with pytest.raises(PveFault, match=r"address '10\.77\.0\.1' already used"):
        first.call("POST", path, {"apiversion": 1, "new_node_ip": "10.77.0.1"})
    answer = first.call("POST", path, {"apiversion": 1, "new_node_ip": "10.77.0.4", "votes": 2})
    assert "ring0_addr: 10.77.0.4" in answer["corosync_conf"]
    with pytest.raises(PveFault, match="can't add existing node 'pve4'"):
        first.call("POST", path, {"apiversion": 1, "new_node_ip": "10.77.0.4"})
