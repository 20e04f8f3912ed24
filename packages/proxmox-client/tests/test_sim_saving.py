"""Saving and loading simulated clusters: everything that answers is kept, and goes on."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxmox_client import schema
from proxmox_client.testing import SimulatedCluster
from proxmox_client.testing.faults import Answer, Edit, Latency, NodeOffline, NoQuorum, SomebodyElse
from proxmox_client.testing.saving import Unsaveable, from_document, save, to_document
from proxmox_client.testing.saving.document import MADE_ANEW, NOT_KEPT
from tests.lab.simulated import Lab

VM = "/nodes/pve1/qemu/100"
# Their answers come from chance or from the process they run in.
_UNSTEADY = ("/report", "/rrd", "/syslog", "/journal", "/log", "/vncwebsocket")


def furnished() -> Lab:
    """Make a cluster with something of every kind."""
    lab = Lab(SimulatedCluster(nodes=("pve1", "pve2", "pve3"), seed=3))
    cluster = lab.cluster
    cluster.add_vm("pve1", 100, {"name": "web", "scsi0": "local-lvm:4"}, status="running")
    cluster.add_vm("pve2", 101, {"name": "base", "scsi0": "shared:2"}, template=True)
    cluster.add_vm("pve2", 102, {"name": "ha", "scsi0": "shared:2"})
    cluster.add_container("pve3", 200, {"hostname": "ct", "rootfs": "local:1"})
    cluster.add_volume("local", "local:iso/a.iso", 1000)
    for method, path, params in (
        ("PUT", f"{VM}/config", {"sockets": 2, "tags": "a;b"}),
        ("POST", "/access/groups", {"groupid": "ops"}),
        ("POST", "/access/users", {"userid": "bob@pve", "password": "password1"}),
        ("POST", "/access/users/bob@pve/token/mon", {}),
        ("PUT", "/access/acl", {"path": "/vms", "roles": "PVEAuditor", "users": "bob@pve"}),
        ("POST", "/pools", {"poolid": "prod"}),
        ("PUT", "/pools", {"poolid": "prod", "vms": "100", "storage": "shared"}),
        ("POST", "/cluster/sdn/zones", {"zone": "z1", "type": "simple"}),
        ("POST", "/cluster/firewall/rules", {"type": "in", "action": "DROP"}),
        ("POST", f"{VM}/firewall/aliases", {"name": "me", "cidr": "10.0.0.1"}),
        ("POST", "/cluster/backup", {"schedule": "21:00", "all": 1, "storage": "local"}),
        ("POST", "/nodes/pve1/network", {"iface": "vmbr9", "type": "bridge"}),
        ("POST", "/cluster/ha/resources", {"sid": "vm:102"}),
    ):
        assert lab(method, path, params).status == 200, path
    lab.task("POST", f"{VM}/snapshot", {"snapname": "one"})
    lab.task("POST", "/nodes/pve3/vzdump", {"vmid": "200", "storage": "shared"})
    cluster.clock.advance(35)
    return lab


def everything(cluster: SimulatedCluster) -> dict[str, Any]:
    """Read all there is to read of a cluster and of guest 100."""
    found: dict[str, Any] = {}
    fill = {
        "{node}": "pve1", "{vmid}": "100", "{storage}": "shared", "{poolid}": "prod",
        "{userid}": "bob@pve", "{snapname}": "one", "{zone}": "z1", "{sid}": "vm:102",
    }  # fmt: skip
    secret = cluster.access.users["root@pam"].tokens["lab"].secret
    lab = Lab.__new__(Lab)
    lab.cluster, lab.headers = cluster, {"authorization": f"PVEAPIToken=root@pam!lab={secret}"}
    for facts in schema.operations("9.2"):
        path = facts.path
        for mark, text in fill.items():
            path = path.replace(mark, text)
        if facts.method == "GET" and "{" not in path and not path.endswith(_UNSTEADY):
            answer = lab("GET", path)
            body = orjson.loads(answer.body) if answer.body[:1] == b"{" else answer.body
            found[path] = (answer.status, answer.reason, body)
    return found


def again(cluster: SimulatedCluster) -> SimulatedCluster:
    return from_document(to_document(cluster))


@pytest.mark.requirement("saving.round-trip")
def test_a_loaded_cluster_answers_alike_and_goes_on_alike(tmp_path: Path) -> None:
    cluster = furnished().cluster
    cluster.save(tmp_path / "lab.yaml")
    loaded = SimulatedCluster.load(tmp_path / "lab.yaml")
    assert everything(loaded) == everything(cluster)
    for one in (cluster, loaded):
        one.clock.advance(60)
        one.call("POST", f"{VM}/clone", {"newid": 150, "full": 1})
        one.clock.advance(400)
    assert everything(loaded) == everything(cluster)
    assert cluster.guests[150].config["smbios1"] == loaded.guests[150].config["smbios1"]


@pytest.mark.requirement("saving.round-trip")
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000), guests=st.integers(0, 12), wait=st.integers(0, 40))
def test_saving_what_was_loaded_writes_the_same(seed: int, guests: int, wait: int) -> None:
    cluster = SimulatedCluster.generate(nodes=2, guests=guests, seed=seed)
    cluster.clock.advance(wait)
    once = from_document(to_document(cluster))
    assert everything_of(once) == everything_of(cluster)
    assert to_document(from_document(to_document(once))) == to_document(once)


def everything_of(cluster: SimulatedCluster) -> list[object]:
    return [cluster.guests, cluster.nodes, cluster.storages, cluster.pools, list(cluster.volumes)]


@pytest.mark.requirement("saving.complete")
def test_every_part_of_a_cluster_is_saved_or_made_anew() -> None:
    cluster = furnished().cluster
    document = to_document(cluster)
    unknown = vars(cluster).keys() - document.keys() - MADE_ANEW - NOT_KEPT
    assert unknown == set()


@pytest.mark.requirement("saving.ways-in")
def test_credentials_stay_good() -> None:
    lab = furnished()
    lab.cluster.access.users["root@pam"].password = "pw"
    params = {"username": "root@pam", "password": "pw"}
    ticket = lab("POST", "/access/ticket", params, headers={}).data["ticket"]
    lab.cluster = again(lab.cluster)
    assert lab("GET", "/version").status == 200
    assert lab("GET", "/version", headers={"cookie": f"PVEAuthCookie={ticket}"}).status == 200


@pytest.mark.requirement("saving.running-tasks")
def test_running_tasks_refuse_or_die() -> None:
    lab = furnished()
    upid = str(lab("POST", f"{VM}/snapshot", {"snapname": "two"}).data)
    with pytest.raises(Unsaveable, match="qmsnapshot 100"):
        to_document(lab.cluster)
    loaded = from_document(to_document(lab.cluster, "kill"))
    assert loaded.tasks.get(upid).exitstatus == "unexpected status"
    assert lab.ended(upid).exitstatus == "OK"


@pytest.mark.requirement("saving.faults")
def test_faults_in_force_are_kept_and_can_be_ended() -> None:
    lab = furnished()
    lab.cluster.faults.add(NodeOffline("pve3"))
    lab.cluster.faults.add(NoQuorum())
    lab.cluster.faults.add(Latency(2))
    lab.cluster.clock.advance(3)
    lab.cluster = again(lab.cluster)
    lab.cluster.clock.advance(5)
    rows = {row["node"]: row["status"] for row in lab("GET", "/nodes").data}
    assert (rows["pve3"], lab.seconds) == ("offline", 2)
    assert not lab.cluster.quorate
    lab.cluster.faults.clear()
    lab.cluster.clock.advance(60)
    rows = {row["node"]: row["status"] for row in lab("GET", "/nodes").data}
    assert (rows["pve3"], lab.cluster.quorate) == ("online", True)


@pytest.mark.requirement("saving.faults")
def test_a_fault_with_a_function_cannot_be_saved() -> None:
    cluster = SimulatedCluster(nodes=("pve1",))
    cluster.faults.add(Answer(500, "no"))
    cluster.faults.add(SomebodyElse(Edit("POST", "/pools", {"poolid": "theirs"})))
    assert len(list(again(cluster).faults)) == 2
    cluster.faults.add(SomebodyElse(lambda now: None))
    with pytest.raises(Unsaveable, match="faults"):
        to_document(cluster)


@pytest.mark.requirement("saving.files")
def test_the_file_is_its_owners_only_and_mistakes_in_it_are_named(tmp_path: Path) -> None:
    path = tmp_path / "lab.yaml"
    save(SimulatedCluster(nodes=("pve1",)), path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text()
    for wrong, reason in (
        ("", "no saved cluster"),
        ("format: 99\n", "no saved cluster of form 1"),
        ("a: [", "cannot load"),
        (text.replace("!testing.state.Node", "!subprocess.Popen"), "no class of its state"),
        (text.replace("booted:", "boooted:"), "boooted"),
    ):
        path.write_text(wrong)
        with pytest.raises(Unsaveable, match=reason):
            SimulatedCluster.load(path)


@pytest.mark.requirement("simulator.seed")
@settings(max_examples=8, deadline=None)
@given(
    seed=st.integers(0, 100),
    steps=st.lists(st.sampled_from(["start", "stop", "clone", "snapshot", "wait"]), max_size=12),
)
def test_one_seed_and_one_order_of_calls_make_one_cluster(seed: int, steps: list[str]) -> None:
    assert to_document(_played(seed, steps)) == to_document(_played(seed, steps))


def _played(seed: int, steps: list[str]) -> SimulatedCluster:
    cluster = SimulatedCluster(nodes=("pve1", "pve2"), seed=seed)
    cluster.add_vm("pve1", 100, {"scsi0": "local-lvm:1", "net0": "virtio,bridge=vmbr0"})
    lab = Lab(cluster)
    for number, step in enumerate(steps):
        match step:
            case "clone":
                lab("POST", f"{VM}/clone", {"newid": 200 + number, "full": 1})
            case "snapshot":
                lab("POST", f"{VM}/snapshot", {"snapname": f"s{number}"})
            case "wait":
                cluster.clock.advance(7)
            case _:
                lab("POST", f"{VM}/status/{step}")
    cluster.clock.advance(300)
    return cluster
