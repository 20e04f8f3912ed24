"""Privileges asked for beforehand agree with what the call then answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from proxmox_client import (
    AsyncClient,
    Client,
    PasswordLogin,
    PermissionDenied,
    RequestInvalid,
)
from proxmox_client.testing import SimulatedCluster

START = "/nodes/pve1/qemu/100/status/start"


@pytest.fixture
def cluster() -> SimulatedCluster:
    made = SimulatedCluster()
    made.add_vm("pve1", 100, {"name": "web", "memory": "128"})
    made.call("POST", "/access/users", {"userid": "alice@pve"})
    made.call("POST", "/pools", {"poolid": "lab"})
    return made


@pytest.fixture
def grant(cluster: SimulatedCluster) -> Callable[[str, str], None]:
    def grant(path: str, role: str) -> None:
        who = {"users": "alice@pve", "path": path, "roles": role}
        cluster.call("PUT", "/access/acl", who)

    return grant


@pytest.fixture
def alice(cluster: SimulatedCluster) -> Iterator[Client]:
    token = cluster.create_token("alice@pve", "test")
    with Client(
        "pve1",
        token=token,
        transport=cluster.transport(),
        sleep=cluster.clock.sleep,
        now=cluster.clock.now,
    ) as made:
        yield made


def test_missing_privilege_is_named(alice: Client) -> None:
    (lacking,) = alice.missing_privileges("POST", START)
    assert (lacking.path, lacking.privileges) == ("/vms/100", ("VM.PowerMgmt",))
    said = "needs VM.PowerMgmt on /vms/100; alice@pve!test has no privilege there"
    assert str(lacking) == said


def test_granted_privilege_is_enough(alice: Client, grant: Callable[[str, str], None]) -> None:
    grant("/vms/100", "PVEVMUser")
    assert alice.missing_privileges("POST", START) == ()
    assert alice.task(alice.request("POST", START)).wait(60).ok


CALLS: list[tuple[str, str, Mapping[str, Any]]] = [
    ("POST", START, {}),
    ("POST", "/nodes/pve1/qemu/100/clone", {"newid": 200}),
    ("POST", "/nodes/pve1/qemu/100/clone", {"newid": 200, "pool": "lab"}),
    ("POST", "/pools", {"poolid": "new"}),
    ("DELETE", "/nodes/pve1/qemu/100", {}),
    ("GET", "/nodes/pve1/qemu/100/config", {}),
    ("GET", "/version", {}),
]


@pytest.mark.parametrize(("method", "path", "params"), CALLS)
@pytest.mark.parametrize("role", [None, "PVEAuditor", "PVEVMUser", "PVEVMAdmin", "Administrator"])
def test_answer_beforehand_agrees_with_the_call(
    alice: Client,
    grant: Callable[[str, str], None],
    role: str | None,
    method: str,
    path: str,
    params: Mapping[str, Any],
) -> None:
    if role is not None:
        grant("/", role)
    lacking = alice.missing_privileges(method, path, params)
    refused = _refusal(alice, method, path, params)
    if refused is None:
        assert lacking == ()
    elif refused.path in {"/vms/100", "/vms/200", "/pool/new", ""}:
        assert lacking, f"{refused} was not foreseen"


def _refusal(
    pve: Client, method: str, path: str, params: Mapping[str, Any]
) -> PermissionDenied | None:
    try:
        pve.request(method, path, params)
    except PermissionDenied as error:
        return error
    return None


def test_call_only_root_may_make(alice: Client) -> None:
    from proxmox_client import schema

    facts = next(
        o
        for o in schema.operations()
        if o.permissions is None and o.allow_token and "{" not in o.path
    )
    (lacking,) = alice.missing_privileges(facts.method, facts.path)
    assert str(lacking) == "needs root@pam; alice@pve!test can never be that"


def test_call_that_does_not_exist(alice: Client) -> None:
    with pytest.raises(RequestInvalid, match="no known PVE version"):
        alice.missing_privileges("GET", "/nonsense")


def test_call_no_token_can_make(alice: Client) -> None:
    from proxmox_client import schema

    facts = next(o for o in schema.operations() if not o.allow_token and "{" not in o.path)
    (lacking,) = alice.missing_privileges(facts.method, facts.path)
    assert "ticket instead of a token" in str(lacking)


async def test_root_lacks_nothing(cluster: SimulatedCluster) -> None:
    cluster.access.users["root@pam"].password = "a password"
    async with AsyncClient(
        "pve1",
        login=PasswordLogin("root@pam", "a password"),
        transport=cluster.async_transport(),
        sleep=cluster.clock.asleep,
        now=cluster.clock.now,
    ) as pve:
        assert await pve.missing_privileges("DELETE", "/nodes/pve1/qemu/100") == ()


@pytest.mark.parametrize(
    ("version", "wanted"),
    [("8.4", ("VM.Monitor",)), ("9.2", ("VM.GuestAgent.Unrestricted",))],
)
def test_what_is_asked_beforehand_is_what_the_servers_version_asks(
    version: str, wanted: tuple[str, ...]
) -> None:
    made = SimulatedCluster(version=version)
    made.add_vm("pve1", 100)
    made.call("POST", "/access/users", {"userid": "alice@pve"})
    token = made.create_token("alice@pve", "test")
    call = ("POST", "/nodes/pve1/qemu/100/agent/exec", {"command": "true"})
    with Client(
        "pve1",
        token=token,
        transport=made.transport(),
        sleep=made.clock.sleep,
        now=made.clock.now,
    ) as client:
        (lacking,) = client.missing_privileges(*call)
        assert lacking.privileges == wanted
        with pytest.raises(PermissionDenied, match=wanted[0]):
            client.request(*call)
