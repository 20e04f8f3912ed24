"""Copies of live clusters and clusters from recordings."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from proxmox_client import Client, SystemTrust
from proxmox_client.testing import SimulatedCluster
from proxmox_client.testing.faults import SomebodyElse, Where
from proxmox_client.testing.saving import answers_of, copy_live, from_answers, live, to_document

RECORDINGS = Path(__file__).parents[3] / "tests" / "data" / "recordings"
SAME = (
    "/access/acl", "/access/groups", "/access/users", "/cluster/backup", "/cluster/options",
    "/cluster/firewall/rules", "/cluster/firewall/options", "/cluster/sdn/zones", "/storage",
    "/cluster/sdn/vnets/v1/subnets", "/cluster/firewall/ipset/monitoring",
    "/cluster/firewall/groups/webserver", "/nodes/pve1/qemu/900/firewall/ipset/own",
    "/cluster/ha/resources", "/nodes/pve1/qemu/900/firewall/rules", "/nodes/pve1/network",
)  # fmt: skip


@pytest.fixture
def source() -> SimulatedCluster:
    cluster = SimulatedCluster.generate(nodes=2, guests=20)
    cluster.add_vm(
        "pve1", 900, {"name": "own", "scsi0": "local-lvm:1", "cipassword": "s3cret-word"}
    )
    for method, path, params in (
        ("POST", "/access/groups", {"groupid": "ops"}),
        ("POST", "/access/users", {"userid": "bob@pve", "password": "s3cret-word"}),
        ("POST", "/access/users/bob@pve/token/mon", {}),
        ("PUT", "/access/acl", {"path": "/vms", "roles": "PVEVMAdmin", "users": "bob@pve"}),
        ("POST", "/cluster/sdn/zones", {"zone": "z1", "type": "simple"}),
        ("POST", "/cluster/sdn/vnets", {"vnet": "v1", "zone": "z1"}),
        ("POST", "/cluster/sdn/vnets/v1/subnets", {"subnet": "10.1.0.0/24", "type": "subnet"}),
        ("PUT", "/cluster/sdn", {}),
        ("POST", "/cluster/firewall/ipset/monitoring", {"cidr": "10.9.0.1", "comment": "probe"}),
        ("POST", "/cluster/firewall/groups/webserver", {"type": "in", "action": "ACCEPT"}),
        ("POST", "/cluster/firewall/groups/webserver", {"type": "in", "action": "DROP"}),
        ("POST", "/nodes/pve1/qemu/900/firewall/ipset", {"name": "own"}),
        ("POST", "/nodes/pve1/qemu/900/firewall/ipset/own", {"cidr": "10.9.0.2"}),
        ("PUT", "/cluster/options", {"keyboard": "de", "migration": "type=secure"}),
        ("POST", "/cluster/firewall/rules", {"type": "in", "action": "DROP"}),
        ("POST", "/cluster/firewall/rules", {"type": "in", "action": "ACCEPT", "comment": "x"}),
        ("POST", "/nodes/pve1/qemu/900/firewall/rules", {"type": "in", "action": "DROP"}),
        ("POST", "/cluster/backup",
         {"schedule": "21:00", "all": 1, "storage": "local", "prune-backups": "keep-last=3"}),
        ("POST", "/nodes/pve1/qemu/900/snapshot", {"snapname": "one"}),
        ("POST", "/cluster/ha/resources", {"sid": "vm:900", "state": "stopped"}),
    ):  # fmt: skip
        cluster.call(method, path, params)
    cluster.clock.advance(60)
    return cluster


def client(cluster: SimulatedCluster) -> Client:
    return Client(
        "https://pve1:8006",
        token=cluster.create_token("root@pam", "copy"),
        tls=SystemTrust(),
        transport=cluster.transport(),
        sleep=cluster.clock.sleep,
        now=cluster.clock.now,
    )


@pytest.mark.requirement("saving.copies")
def test_a_copy_of_a_live_cluster_answers_as_the_live_one(source: SimulatedCluster) -> None:
    written: list[object] = []
    for method in ("POST", "PUT", "DELETE"):
        source.faults.add(SomebodyElse(written.append, where=Where(method)))
    with client(source) as pve:
        copied = copy_live(pve)
    assert (written, copied.left_out) == ([], ())
    for path in SAME:
        theirs, ours = source.call("GET", path), copied.cluster.call("GET", path)
        if path == "/access/users":
            assert {row["userid"] for row in theirs} == {row["userid"] for row in ours}
        else:
            assert ours == theirs, path
    for vmid, guest in source.guests.items():
        assert copied.cluster.guests[vmid].status == guest.status
        if vmid != 900:
            assert copied.cluster.guests[vmid].text() == guest.text()
    assert list(copied.cluster.guests[900].snapshots) == ["one"]
    for name in source.storages:
        path = f"/nodes/pve2/storage/{name}/status"
        assert copied.cluster.call("GET", path)["used"] == source.call("GET", path)["used"]


@pytest.mark.requirement("saving.copies")
def test_secrets_are_not_in_what_is_read_nor_in_the_copy(source: SimulatedCluster) -> None:
    secrets = [
        token.secret for user in source.access.users.values() for token in user.tokens.values()
    ]
    with client(source) as pve:
        read = live.read(pve)
    texts = orjson.dumps(dict(read)).decode(), repr(to_document(from_answers(read).cluster))
    for secret in (*secrets, "s3cret-word", "**********"):
        assert all(secret not in text for text in texts)
    assert live.scrubbed({"a": [{"password": "x", "kept": 1}]}) == {"a": [{"kept": 1}]}


@pytest.mark.requirement("saving.recordings")
@pytest.mark.parametrize(
    ("pattern", "guest"),
    [("*.jsonl", "/nodes/pve1/qemu/100/config"), ("cluster/proxied.jsonl", "")],
)
def test_recordings_make_a_cluster_that_answers_as_recorded(pattern: str, guest: str) -> None:
    answers = answers_of(sorted(RECORDINGS.glob(pattern)))
    cluster = from_answers(answers).cluster
    assert len(cluster.guests) > 1
    for vmid, found in cluster.guests.items():
        path = f"/nodes/{found.node}/{found.kind}/{vmid}/config"
        recorded = {k: v for k, v in answers[path].items() if k not in ("digest", "cipassword")}
        ours = cluster.call("GET", path, {"current": 1})
        assert {name: ours.get(name) for name in recorded} == recorded


@pytest.mark.requirement("saving.recordings")
def test_what_is_no_recording_says_where(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"method": "GET"}\n')
    with pytest.raises(ValueError, match=r"x\.jsonl:1: no recorded exchange"):
        answers_of([path])
    with pytest.raises(ValueError, match="name no node"):
        from_answers({})
