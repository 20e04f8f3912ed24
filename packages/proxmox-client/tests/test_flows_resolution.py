"""Writes whose answer is lost before or after their effect are told apart, never repeated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from proxmox_client import AmbiguousWrite, AsyncClient, Client, RetryPolicy, Verdict
from proxmox_client.flows.resolution import PATIENCE
from proxmox_client.testing import SimulatedCluster
from proxmox_client.testing.faults import Drop, NodeOffline, Where
from proxmox_client.values.login import PasswordLogin
from proxmox_client.wire.params import build_raw_request, sent_params
from proxmox_client.wire.tasktypes import trace_of

GUEST = "/nodes/pve1/qemu/100"
Write = tuple[str, str, Mapping[str, Any]]

WITH_TASK: tuple[Write, ...] = (
    ("POST", f"{GUEST}/status/start", {}),
    ("POST", f"{GUEST}/clone", {"newid": 200}),
    ("POST", f"{GUEST}/snapshot", {"snapname": "before"}),
    ("PUT", f"{GUEST}/resize", {"disk": "scsi0", "size": "+1G"}),
    ("POST", f"{GUEST}/migrate", {"target": "pve2"}),
    ("POST", "/nodes/pve1/qemu", {"vmid": 300, "memory": 128}),
    ("DELETE", GUEST, {}),
)
WITH_EFFECT: tuple[Write, ...] = (
    ("PUT", f"{GUEST}/config", {"name": "renamed", "tags": "b,a", "delete": "description"}),
    ("PUT", f"{GUEST}/config", {"net0": "virtio,bridge=vmbr0"}),
    ("POST", "/pools", {"poolid": "lab"}),
    ("DELETE", "/pools/old", {}),
    ("POST", "/access/users", {"userid": "alice@pve", "password": "secret-password"}),
    ("PUT", "/access/users/bob@pve", {"comment": "bob"}),
    ("DELETE", "/access/users/bob@pve", {}),
)


@pytest.fixture
def cluster() -> SimulatedCluster:
    made = SimulatedCluster()
    config = {"name": "web", "memory": "128", "description": "x", "scsi0": "shared:1,format=qcow2"}
    made.add_vm("pve1", 100, config)
    made.call("POST", "/pools", {"poolid": "old"})
    made.call("POST", "/access/users", {"userid": "bob@pve"})
    return made


def client(cluster: SimulatedCluster) -> Client:
    return Client(
        "pve1",
        token=cluster.create_token("root@pam", "test"),
        transport=cluster.transport(),
        sleep=cluster.clock.sleep,
        now=cluster.clock.now,
        retry=RetryPolicy(first_delay=0.0),
    )


def lose(cluster: SimulatedCluster, pve: Client, write: Write, moment: Any) -> AmbiguousWrite:
    method, path, params = write
    with cluster.faults.add(Drop(moment, Where(method, path))) as fault:
        with pytest.raises(AmbiguousWrite) as caught:
            pve.request(method, path, params)
        assert fault.seen == 1, "a write was sent twice"
    return caught.value


@pytest.mark.parametrize("write", WITH_TASK, ids=lambda write: f"{write[0]} {write[1]}")
def test_task_tells_that_a_write_was_applied(cluster: SimulatedCluster, write: Write) -> None:
    with client(cluster) as pve:
        resolution = pve.resolve(lose(cluster, pve, write, "after"))
        assert resolution.verdict is Verdict.APPLIED, resolution
        assert resolution.upid is not None
        assert pve.task(resolution.upid).wait(600).ok


@pytest.mark.parametrize("write", WITH_EFFECT, ids=lambda write: f"{write[0]} {write[1]}")
def test_effect_tells_that_a_write_was_applied(cluster: SimulatedCluster, write: Write) -> None:
    with client(cluster) as pve:
        resolution = pve.resolve(lose(cluster, pve, write, "after"))
        assert resolution.verdict is Verdict.APPLIED, resolution


@pytest.mark.parametrize(
    "write", [*WITH_TASK, *WITH_EFFECT], ids=lambda write: f"{write[0]} {write[1]}"
)
def test_write_that_never_arrived_was_not_applied(cluster: SimulatedCluster, write: Write) -> None:
    with client(cluster) as pve:
        before = cluster.clock.now()
        resolution = pve.resolve(lose(cluster, pve, write, "before"))
        assert resolution.verdict is Verdict.NOT_APPLIED, resolution
        assert cluster.clock.now() - before >= PATIENCE
        pve.request(*write)  # so it may be repeated


def test_older_task_of_the_same_kind_is_not_mistaken(cluster: SimulatedCluster) -> None:
    with client(cluster) as pve:
        for verb in ("start", "stop"):
            pve.task(pve.request("POST", f"{GUEST}/status/{verb}")).wait(60)
        cluster.clock.advance(60)
        error = lose(cluster, pve, ("POST", f"{GUEST}/status/start", {}), "before")
        assert pve.resolve(error).verdict is Verdict.NOT_APPLIED


def test_somebody_elses_task_is_not_ours(cluster: SimulatedCluster) -> None:
    with client(cluster) as pve:
        error = lose(cluster, pve, ("POST", f"{GUEST}/status/start", {}), "before")
        cluster.call("POST", f"{GUEST}/status/start")
        assert pve.resolve(error).verdict is Verdict.NOT_APPLIED


def test_two_tasks_that_could_be_ours_stay_unknown(cluster: SimulatedCluster) -> None:
    with client(cluster) as pve:
        error = lose(cluster, pve, ("POST", f"{GUEST}/clone", {"newid": 200}), "after")
        pve.request("POST", f"{GUEST}/clone", {"newid": 201})
        assert pve.resolve(error).verdict is Verdict.UNKNOWN


def test_node_out_of_reach_stays_unknown(cluster: SimulatedCluster) -> None:
    cluster.add_vm("pve2", 101, {"memory": "128"})
    with client(cluster) as pve:
        write: Write = ("POST", "/nodes/pve2/qemu/101/status/start", {})
        error = lose(cluster, pve, write, "after")
        with cluster.faults.add(NodeOffline("pve2")):
            resolution = pve.resolve(error)
        assert resolution.verdict is Verdict.UNKNOWN
        assert "could not be looked for" in resolution.evidence


def test_partly_changed_object_stays_unknown(cluster: SimulatedCluster) -> None:
    with client(cluster) as pve:
        write: Write = ("PUT", f"{GUEST}/config", {"name": "renamed", "memory": 256})
        error = lose(cluster, pve, write, "before")
        cluster.edit(100, memory=256)
        assert pve.resolve(error).verdict is Verdict.UNKNOWN


def test_new_volume_cannot_be_compared(cluster: SimulatedCluster) -> None:
    with client(cluster) as pve:
        write: Write = ("PUT", f"{GUEST}/config", {"scsi1": "shared:1"})
        assert pve.resolve(lose(cluster, pve, write, "after")).verdict is Verdict.UNKNOWN


async def test_async_client_resolves_too(cluster: SimulatedCluster) -> None:
    async with AsyncClient(
        "pve1",
        token=cluster.create_token("root@pam", "test"),
        transport=cluster.async_transport(),
        sleep=cluster.clock.asleep,
        now=cluster.clock.now,
    ) as pve:
        with (
            cluster.faults.add(Drop("after", Where("POST", "*/start"))),
            pytest.raises(AmbiguousWrite) as caught,
        ):
            await pve.nodes("pve1").qemu(100).status.start()
        assert "client.resolve(error)" in str(caught.value)
        resolution = await pve.resolve(caught.value)
        assert resolution.verdict is Verdict.APPLIED


def test_lost_answer_of_a_user_with_a_ticket(cluster: SimulatedCluster) -> None:
    cluster.access.users["root@pam"].password = "secret-password"
    with Client(
        "pve1",
        login=PasswordLogin("root@pam", "secret-password"),
        transport=cluster.transport(),
        sleep=cluster.clock.sleep,
        now=cluster.clock.now,
    ) as pve:
        error = lose(cluster, pve, ("POST", f"{GUEST}/status/start", {}), "after")
        resolution = pve.resolve(error)
    assert resolution.upid is not None
    assert resolution.upid.user == "root@pam"


def test_what_was_sent_is_remembered_without_secrets(cluster: SimulatedCluster) -> None:
    params = {"name": "x", "cipassword": "s3cret", "delete": "tags", "sshkeys": "ssh-ed25519"}
    request = build_raw_request("PUT", f"{GUEST}/config", params)
    assert sent_params(request) == {"name": "x", "delete": "tags", "sshkeys": "ssh-ed25519"}
    with client(cluster) as pve:
        error = lose(cluster, pve, ("PUT", f"{GUEST}/config", {"cipassword": "s3cret"}), "after")
        assert "s3cret" not in f"{error} {error!r} {vars(error)} {error.args}"
        assert pve.resolve(error).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("method", "address", "types", "about"),
    [
        ("POST", "/nodes/a/lxc/200/status/stop", {"vzstop", "hastop"}, "200"),
        ("POST", "/nodes/a/lxc", {"vzcreate", "vzrestore"}, "7"),
        ("POST", "/nodes/a/storage/s/upload", {"imgcopy"}, None),
        ("POST", "/nodes/a/startall", {"startall"}, None),
        ("DELETE", "/nodes/a/storage/s/content/s:iso/x.iso", {"imgdel"}, None),
    ],
)
def test_tasks_are_known_by_type_and_id(
    method: str, address: str, types: set[str], about: str | None
) -> None:
    trace = trace_of(method, address, {"vmid": "7"})
    assert trace is not None
    node = None if address.endswith("/upload") else "a"  # whoever is asked takes the file
    assert (trace.node, set(trace.types), trace.id) == (node, types, about)
    assert trace_of("PUT", "/pools/x", {}) is None
