"""Accounts of the simulator: tokens, tickets, roles and the access control list."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

import pytest

from proxmox_client import schema
from proxmox_client.testing import PveFault, SimRequest, SimResponse, SimulatedCluster


@pytest.fixture
def cluster() -> SimulatedCluster:
    made = SimulatedCluster()
    made.add_vm("pve1", 100, {"memory": 64})
    made.add_vm("pve1", 101, {"memory": 64})
    made.call("POST", "/access/users", {"userid": "op@pve", "password": "oppass123"})
    return made


def grant(cluster: SimulatedCluster, path: str, role: str, **who: object) -> None:
    cluster.call("PUT", "/access/acl", {"path": path, "roles": role, **who})


def ask(cluster: SimulatedCluster, token: str, method: str, path: str) -> SimResponse:
    headers = {"authorization": f"PVEAPIToken={token}"}
    return cluster.handle(SimRequest(method, path, headers=headers))


def vmids(answer: SimResponse) -> list[int]:
    return [row["vmid"] for row in answer.data if "vmid" in row]


@pytest.mark.requirement("auth.privileges")
def test_a_user_sees_what_he_was_granted(cluster: SimulatedCluster) -> None:
    grant(cluster, "/vms/101", "PVEVMUser", users="op@pve")
    token = cluster.create_token("op@pve", "full")
    assert vmids(ask(cluster, token, "GET", "/cluster/resources")) == [101]
    assert ask(cluster, token, "GET", "/nodes/pve1/qemu/101/config").status == 200
    denied = ask(cluster, token, "GET", "/nodes/pve1/qemu/100/config")
    assert (denied.status, denied.reason) == (
        403,
        "Permission check failed (/vms/100, VM.Audit)",
    )


@pytest.mark.requirement("auth.before-existence")
def test_permission_comes_before_existence(cluster: SimulatedCluster) -> None:
    token = cluster.create_token("op@pve", "full")
    assert ask(cluster, token, "GET", "/nodes/pve1/qemu/9999/config").status == 403


@pytest.mark.requirement("auth.privileges")
def test_a_separated_token_has_what_both_it_and_its_user_have(cluster: SimulatedCluster) -> None:
    token = cluster.create_token("op@pve", "ci", privsep=True)
    grant(cluster, "/vms", "PVEVMAdmin", users="op@pve")
    assert vmids(ask(cluster, token, "GET", "/cluster/resources")) == []
    grant(cluster, "/vms/100", "PVEAuditor", tokens="op@pve!ci")
    assert vmids(ask(cluster, token, "GET", "/cluster/resources")) == [100]
    assert ask(cluster, token, "DELETE", "/nodes/pve1/qemu/100").status == 403


@pytest.mark.requirement("auth.privileges")
def test_membership_in_a_pool_grants_on_its_guests(cluster: SimulatedCluster) -> None:
    cluster.call("POST", "/pools", {"poolid": "team"})
    cluster.call("PUT", "/pools", {"poolid": "team", "vms": "101"})
    grant(cluster, "/pool/team", "PVEVMUser", users="op@pve")
    token = cluster.create_token("op@pve", "full")
    assert vmids(ask(cluster, token, "GET", "/cluster/resources")) == [101]


@pytest.mark.requirement("auth.privileges")
def test_groups_grant_and_noaccess_takes_away(cluster: SimulatedCluster) -> None:
    cluster.call("POST", "/access/groups", {"groupid": "ops"})
    cluster.call("PUT", "/access/users/op@pve", {"groups": "ops"})
    grant(cluster, "/vms", "PVEVMUser", groups="ops")
    token = cluster.create_token("op@pve", "full")
    assert vmids(ask(cluster, token, "GET", "/cluster/resources")) == [100, 101]
    grant(cluster, "/vms/100", "NoAccess", users="op@pve")
    assert vmids(ask(cluster, token, "GET", "/cluster/resources")) == [101]


@pytest.mark.requirement("auth.privileges")
def test_entries_that_do_not_propagate_end_where_they_stand(cluster: SimulatedCluster) -> None:
    grant(cluster, "/vms", "PVEVMUser", users="op@pve", propagate=0)
    token = cluster.create_token("op@pve", "full")
    assert vmids(ask(cluster, token, "GET", "/cluster/resources")) == []


@pytest.mark.requirement("auth.wrong-token")
@pytest.mark.parametrize(
    "token", ["root@pam!nope=x", "garbage", "nobody@pve!x=y", "op@pve!full=wrong"]
)
def test_wrong_tokens_are_refused_alike(cluster: SimulatedCluster, token: str) -> None:
    cluster.create_token("op@pve", "full")
    answer = ask(cluster, token, "GET", "/version")
    assert (answer.status, answer.reason, answer.body) == (401, "Authentication failed!", b"")


@pytest.mark.requirement("auth.csrf")
def test_a_ticket_needs_its_csrf_token_to_write(cluster: SimulatedCluster) -> None:
    login = cluster.handle(
        SimRequest("POST", "/access/ticket", {"username": "op@pve", "password": "oppass123"})
    ).data
    cookie = {"cookie": f"PVEAuthCookie={login['ticket']}"}
    assert cluster.handle(SimRequest("GET", "/version", headers=cookie)).status == 200
    poor = cluster.handle(SimRequest("POST", "/pools", {"poolid": "p"}, cookie))
    assert poor.reason == "Permission denied - invalid csrf token"
    rich = cookie | {"csrfpreventiontoken": login["CSRFPreventionToken"]}
    allowed = cluster.handle(SimRequest("POST", "/pools", {"poolid": "p"}, rich))
    assert allowed.status == 403


@pytest.mark.requirement("auth.ticket")
def test_tickets_expire_after_two_hours_and_can_be_renewed(cluster: SimulatedCluster) -> None:
    def log_in(password: str) -> SimResponse:
        params = {"username": "op@pve", "password": password}
        return cluster.handle(SimRequest("POST", "/access/ticket", params))

    first = log_in("oppass123").data["ticket"]
    cluster.clock.advance(3600)
    second = log_in(first).data["ticket"]
    cluster.clock.advance(5000)
    headers = {"authorization": f"PVEAuthCookie={first}"}
    assert cluster.handle(SimRequest("GET", "/version", headers=headers)).status == 401
    headers = {"authorization": f"PVEAuthCookie={second}"}
    assert cluster.handle(SimRequest("GET", "/version", headers=headers)).status == 200


@pytest.mark.requirement("auth.disabled")
def test_a_disabled_user_is_out_at_once(cluster: SimulatedCluster) -> None:
    token = cluster.create_token("op@pve", "full")
    assert ask(cluster, token, "GET", "/version").status == 200
    cluster.call("PUT", "/access/users/op@pve", {"enable": 0})
    assert ask(cluster, token, "GET", "/version").status == 401


@pytest.mark.requirement("auth.token-not-root")
def test_roots_token_is_not_root(cluster: SimulatedCluster) -> None:
    token = cluster.create_token("root@pam", "t")
    answer = ask(cluster, token, "GET", "/cluster/backup-info")
    assert answer.reason == "Permission check failed (user != root@pam)"


@pytest.mark.requirement("auth.token-secret")
def test_a_tokens_secret_is_told_once_and_works(cluster: SimulatedCluster) -> None:
    path = "/access/users/op@pve/token/new"
    made = cluster.call("POST", path, {"privsep": 0})
    token = f"{made['full-tokenid']}={made['value']}"
    assert ask(cluster, token, "GET", "/version").status == 200
    assert "value" not in cluster.call("GET", path)
    cluster.call("DELETE", path)
    assert ask(cluster, token, "GET", "/version").status == 401


@pytest.mark.requirement("auth.privileges")
@pytest.mark.parametrize("version", ["8.4", "9.0", "9.1", "9.2"])
def test_every_privilege_an_operation_asks_for_exists_in_its_version(version: str) -> None:
    names = set(SimulatedCluster(version=version).access.all_privileges)
    asked = {
        name for entry in schema.operations(version) for name in privileges_in(entry.permissions)
    }
    assert asked - names == set()


def privileges_in(declared: object) -> set[str]:
    """Find the words that look like privileges anywhere in a permission check."""
    if isinstance(declared, str):
        return {declared} if re.fullmatch(r"[A-Z][A-Za-z]+(\.[A-Z][A-Za-z]+)+", declared) else set()
    if isinstance(declared, Mapping):
        return privileges_in(list(cast("Mapping[str, object]", declared).values()))
    if isinstance(declared, (list, tuple)):
        return {name for part in cast("list[object]", declared) for name in privileges_in(part)}
    return set()


AGENT = "/nodes/pve1/qemu/100/agent/get-osinfo"


@pytest.mark.requirement("auth.privileges")
@pytest.mark.parametrize(
    ("version", "asked"),
    [
        ("8.4", "VM.Monitor"),
        ("9.0", "VM.GuestAgent.Audit|VM.GuestAgent.Unrestricted"),
        ("9.2", "VM.GuestAgent.Audit|VM.GuestAgent.Unrestricted"),
    ],
)
def test_agent_calls_ask_for_what_their_version_calls_the_privilege(
    version: str, asked: str
) -> None:
    cluster = SimulatedCluster(version=version)
    cluster.add_vm("pve1", 100, {"memory": 64})
    cluster.call("POST", "/access/users", {"userid": "op@pve"})
    token = cluster.create_token("op@pve", "ci")
    denied = ask(cluster, token, "GET", AGENT)
    assert (denied.status, denied.reason) == (
        403,
        f"Permission check failed (/vms/100, {asked})",
    )
    grant(cluster, "/vms/100", "PVEVMAdmin", users="op@pve")
    assert ask(cluster, token, "GET", AGENT).status != 403


@pytest.mark.requirement("auth.privileges")
def test_a_role_takes_the_privileges_of_its_version_only() -> None:
    names = {"8.4": "VM.Monitor", "9.2": "VM.GuestAgent.Audit"}
    for version, other in (("8.4", "9.2"), ("9.2", "8.4")):
        cluster = SimulatedCluster(version=version)
        cluster.call("POST", "/access/roles", {"roleid": "watch", "privs": names[version]})
        with pytest.raises(PveFault) as refused:
            cluster.call("POST", "/access/roles", {"roleid": "other", "privs": names[other]})
        text = f"invalid format - invalid privilege '{names[other]}'\n"
        assert refused.value.errors == {"privs": text}
