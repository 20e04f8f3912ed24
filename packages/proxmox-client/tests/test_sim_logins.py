"""Logins of the simulator: second factors, directories, OpenID, expiry."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from proxmox_client import Client, PasswordLogin, SystemTrust
from proxmox_client.testing import PveFault, SimRequest, SimResponse, SimulatedCluster
from proxmox_client.testing.outside import Directory, IdentityProvider
from proxmox_client.testing.secondfactors import one_time_password

URI = "otpauth://totp/pve:op@pve?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&period=30&digits=6"
PASSWORD = "oppass123"


@pytest.fixture
def cluster() -> SimulatedCluster:
    made = SimulatedCluster()
    made.call("POST", "/access/users", {"userid": "op@pve", "password": PASSWORD})
    return made


def code(cluster: SimulatedCluster, ahead: float = 0) -> str:
    return one_time_password(URI, cluster.clock.now() + ahead)


def add_totp(cluster: SimulatedCluster, userid: str = "op@pve") -> str:
    params = {"type": "totp", "description": "phone", "totp": URI, "value": code(cluster)}
    return str(cluster.call("POST", f"/access/tfa/{userid}", params)["id"])


def log_in(cluster: SimulatedCluster, password: str = PASSWORD, **more: Any) -> SimResponse:
    params = {"username": "op@pve", "password": password, **more}
    return cluster.handle(SimRequest("POST", "/access/ticket", params))


def ask(cluster: SimulatedCluster, ticket: str) -> SimResponse:
    headers = {"cookie": f"PVEAuthCookie={ticket}"}
    return cluster.handle(SimRequest("GET", "/version", headers=headers))


@pytest.mark.requirement("logins.second-factor")
def test_codes_are_those_of_rfc_6238() -> None:
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    uri = f"otpauth://totp/x?secret={secret}&digits=8"
    assert [one_time_password(uri, when) for when in (59, 1111111109, 20000000000)] == [
        "94287082",
        "07081804",
        "65353130",
    ]


@pytest.mark.requirement("logins.second-factor")
def test_a_password_alone_gives_a_challenge_that_opens_nothing(cluster: SimulatedCluster) -> None:
    add_totp(cluster)
    cluster.clock.advance(60)
    first = log_in(cluster).data
    assert first["NeedTFA"] == 1
    assert "cap" not in first
    assert first["ticket"].startswith("PVE:!tfa!{")
    assert json.loads(unquote(first["ticket"].split(":")[1].removeprefix("!tfa!"))) == {
        "totp": True
    }
    assert ask(cluster, first["ticket"]).status == 401
    assert log_in(cluster, first["ticket"]).status == 401
    wrong = log_in(cluster, "totp:000000", **{"tfa-challenge": first["ticket"]})
    assert (wrong.status, wrong.reason) == (401, "authentication failure")
    full = log_in(cluster, f"totp:{code(cluster)}", **{"tfa-challenge": first["ticket"]}).data
    assert "NeedTFA" not in full
    assert ask(cluster, full["ticket"]).status == 200


@pytest.mark.requirement("logins.second-factor")
def test_a_code_works_once_and_only_in_its_time(cluster: SimulatedCluster) -> None:
    add_totp(cluster)
    cluster.clock.advance(60)
    challenge = {"tfa-challenge": log_in(cluster).data["ticket"]}
    late = code(cluster, ahead=-90)
    assert log_in(cluster, f"totp:{late}", **challenge).status == 401
    current = f"totp:{code(cluster)}"
    assert log_in(cluster, current, **challenge).status == 200
    assert log_in(cluster, current, **challenge).status == 401


@pytest.mark.requirement("logins.second-factor")
def test_a_challenge_belongs_to_one_user(cluster: SimulatedCluster) -> None:
    add_totp(cluster)
    cluster.call("POST", "/access/users", {"userid": "eve@pve", "password": "evepass12"})
    add_totp(cluster, "eve@pve")
    cluster.clock.advance(60)
    eve = {"username": "eve@pve", "password": f"totp:{code(cluster)}"}
    asked = log_in(cluster).data["ticket"]
    answer = cluster.handle(
        SimRequest("POST", "/access/ticket", {**eve, "tfa-challenge": asked})
    )  # fmt: skip
    assert answer.status == 401


@pytest.mark.requirement("logins.recovery")
def test_recovery_codes_work_once_each_and_end_a_lock(cluster: SimulatedCluster) -> None:
    add_totp(cluster)
    codes = cluster.call("POST", "/access/tfa/op@pve", {"type": "recovery"})["recovery"]
    assert len(codes) == 10
    with pytest.raises(PveFault, match="user already has recovery keys"):
        cluster.call("POST", "/access/tfa/op@pve", {"type": "recovery"})
    challenge = {"tfa-challenge": log_in(cluster).data["ticket"]}
    for _ in range(8):
        assert log_in(cluster, "totp:000000", **challenge).status == 401
    cluster.clock.advance(60)
    assert log_in(cluster, f"totp:{code(cluster)}", **challenge).status == 401
    (row,) = cluster.call("GET", "/access/tfa")
    assert row["totp-locked"] == 1
    assert log_in(cluster, f"recovery:{codes[3]}", **challenge).status == 200
    assert log_in(cluster, f"recovery:{codes[3]}", **challenge).status == 401
    assert log_in(cluster, f"totp:{code(cluster)}", **challenge).status == 200
    left = json.loads(unquote(log_in(cluster).data["ticket"].split(":")[1][5:]))["recovery"]
    assert left == [0, 1, 2, 4, 5, 6, 7, 8, 9]


@pytest.mark.requirement("logins.lock")
def test_too_many_failures_lock_every_factor_until_somebody_unlocks(
    cluster: SimulatedCluster,
) -> None:
    add_totp(cluster)
    codes = cluster.call("POST", "/access/tfa/op@pve", {"type": "recovery"})["recovery"]
    challenge = {"tfa-challenge": log_in(cluster).data["ticket"]}
    for _ in range(100):
        log_in(cluster, "recovery:wrong", **challenge)
    assert log_in(cluster, f"recovery:{codes[0]}", **challenge).status == 401
    assert cluster.call("PUT", "/access/users/op@pve/unlock-tfa") == 1
    assert cluster.call("PUT", "/access/users/op@pve/unlock-tfa") == 0
    assert log_in(cluster, f"recovery:{codes[0]}", **challenge).status == 200


@pytest.mark.requirement("logins.factors")
def test_factors_are_listed_renamed_disabled_and_removed(cluster: SimulatedCluster) -> None:
    ident = add_totp(cluster)
    path = f"/access/tfa/op@pve/{ident}"
    assert cluster.call("GET", "/access/users/op@pve")["keys"] == "x"
    assert cluster.call("GET", "/access/users/op@pve/tfa", {"multiple": 1}) == {"user": ["totp"]}
    cluster.call("PUT", path, {"description": "old phone", "enable": 0})
    entry = cluster.call("GET", path)
    assert (entry["description"], entry["enable"], entry["type"]) == ("old phone", 0, "totp")
    assert "secret" not in entry
    assert "NeedTFA" not in log_in(cluster).data
    cluster.call("DELETE", path)
    assert cluster.call("GET", "/access/tfa/op@pve") == []
    assert "keys" not in cluster.call("GET", "/access/users/op@pve")
    with pytest.raises(PveFault, match="no such entry"):
        cluster.call("DELETE", path)
    with pytest.raises(PveFault, match="No such tfa entry") as missing:
        cluster.call("GET", path)
    assert missing.value.status == 404


@pytest.mark.requirement("logins.factors")
def test_a_factor_needs_a_proof(cluster: SimulatedCluster) -> None:
    params = {"type": "totp", "description": "x", "totp": URI, "value": "000000"}
    with pytest.raises(PveFault, match="failed to verify TOTP challenge"):
        cluster.call("POST", "/access/tfa/op@pve", params)
    with pytest.raises(PveFault, match="'description' is required for new entries"):
        cluster.call("POST", "/access/tfa/op@pve", {"type": "totp"})
    with pytest.raises(PveFault, match="requires both 'totp' and 'value' parameters"):
        cluster.call("POST", "/access/tfa/op@pve", {"type": "totp", "description": "x"})


@pytest.mark.requirement("logins.password")
def test_users_repeat_their_password_to_change_factors(cluster: SimulatedCluster) -> None:
    data = log_in(cluster).data
    headers = {
        "cookie": f"PVEAuthCookie={data['ticket']}",
        "csrfpreventiontoken": data["CSRFPreventionToken"],
    }
    params = {"type": "recovery"}
    path = "/access/tfa/op@pve"
    refused = cluster.handle(SimRequest("POST", path, params, headers)).json()
    assert refused["errors"] == {"password": "password is required to modify user"}
    wrong = cluster.handle(SimRequest("POST", path, params | {"password": "wrong"}, headers))
    assert wrong.status == 401
    good = cluster.handle(SimRequest("POST", path, params | {"password": PASSWORD}, headers))
    assert len(good.data["recovery"]) == 10
    other = cluster.handle(SimRequest("POST", "/access/tfa/root@pam", params, headers))
    assert other.status == 403


@pytest.mark.requirement("logins.second-factor")
def test_the_clients_session_passes_the_second_factor(cluster: SimulatedCluster) -> None:
    add_totp(cluster)
    cluster.clock.advance(60)
    with Client(
        "https://pve1:8006",
        login=PasswordLogin("op@pve", PASSWORD, otp=lambda: code(cluster)),
        tls=SystemTrust(),
        transport=cluster.transport(),
        sleep=cluster.clock.sleep,
        now=cluster.clock.now,
    ) as pve:
        assert pve.version.get().release == cluster.version


@pytest.mark.requirement("logins.verify")
def test_credentials_can_be_checked_without_making_a_ticket(cluster: SimulatedCluster) -> None:
    wanted = {"path": "/vms/100", "privs": "VM.Audit"}
    assert log_in(cluster, **wanted).status == 401
    grant = {"path": "/vms", "roles": "PVEAuditor", "users": "op@pve"}
    cluster.call("PUT", "/access/acl", grant)
    answer = log_in(cluster, **wanted).data
    assert set(answer) == {"username", "cap"}


@pytest.mark.requirement("logins.root")
def test_root_makes_tickets_for_others(cluster: SimulatedCluster) -> None:
    cluster.access.users["root@pam"].password = "secret-root"
    params = {"username": "root@pam", "password": "secret-root"}
    root = cluster.handle(SimRequest("POST", "/access/ticket", params)).data
    assert root["clustername"] == "pmpc"
    assert log_in(cluster, root["ticket"]).data["username"] == "op@pve"


@pytest.mark.requirement("logins.expiry")
def test_tokens_and_tickets_end(cluster: SimulatedCluster) -> None:
    ticket = log_in(cluster).data["ticket"]
    expiry = int(cluster.clock.now()) + 100
    token = cluster.create_token("op@pve", "short", expire=expiry)
    asked = SimRequest("GET", "/version", headers={"authorization": f"PVEAPIToken={token}"})
    assert cluster.handle(asked).status == 200
    cluster.clock.advance(101)
    assert cluster.handle(asked).status == 401
    assert ask(cluster, ticket).status == 200
    cluster.clock.advance(7200)
    assert ask(cluster, ticket).status == 401


@pytest.mark.requirement("logins.password")
def test_changing_a_password_takes_the_old_one(cluster: SimulatedCluster) -> None:
    data = log_in(cluster).data
    headers = {
        "cookie": f"PVEAuthCookie={data['ticket']}",
        "csrfpreventiontoken": data["CSRFPreventionToken"],
    }
    params = {"userid": "op@pve", "password": "newpass123"}
    refused = cluster.handle(SimRequest("PUT", "/access/password", params, headers))
    assert "confirmation-password" in refused.json()["errors"]
    params["confirmation-password"] = PASSWORD
    assert cluster.handle(SimRequest("PUT", "/access/password", params, headers)).status == 200
    assert log_in(cluster).status == 401
    assert log_in(cluster, "newpass123").status == 200


# --- directories ----------------------------------------------------------------------------


@pytest.fixture
def directory(cluster: SimulatedCluster) -> Directory:
    made = Directory(
        users={"ann": {"password": "annpass1", "email": "ann@example.com"}, "bob": {}},
        groups={"ops": ["ann"]},
    )
    cluster.outside.directories["ldap.example.com"] = made
    cluster.call(
        "POST",
        "/access/domains",
        {"realm": "corp", "type": "ldap", "server1": "ldap.example.com",
         "base_dn": "dc=example,dc=com", "user_attr": "uid"},
    )  # fmt: skip
    return made


def sync(cluster: SimulatedCluster, **options: object) -> list[str]:
    upid = cluster.call("POST", "/access/domains/corp/sync", {"scope": "both", **options})
    cluster.clock.advance(5)
    return cluster.tasks.get(upid).lines


@pytest.mark.requirement("logins.directory")
def test_a_directory_is_synchronised_and_logs_its_users_in(
    cluster: SimulatedCluster, directory: Directory
) -> None:
    lines = sync(cluster, **{"dry-run": 1})
    assert "adding user 'ann@corp'" in lines
    assert "NOTE: Dry test run, changes were NOT written to the configuration." in lines
    assert "ann@corp" not in cluster.access.users
    sync(cluster)
    user = cluster.call("GET", "/access/users/ann@corp")
    assert (user["email"], user["groups"]) == ("ann@example.com", ["ops-corp"])
    params = {"username": "ann@corp", "password": "annpass1"}
    assert cluster.handle(SimRequest("POST", "/access/ticket", params)).status == 200
    params["password"] = "wrong"
    assert cluster.handle(SimRequest("POST", "/access/ticket", params)).status == 401


@pytest.mark.requirement("logins.directory")
def test_who_vanished_from_the_directory_goes_only_on_demand(
    cluster: SimulatedCluster, directory: Directory
) -> None:
    sync(cluster)
    del directory.users["bob"]
    sync(cluster)
    assert "bob@corp" in cluster.access.users
    assert "remove user 'bob@corp'" in sync(cluster, **{"remove-vanished": "entry"})
    assert "bob@corp" not in cluster.access.users


@pytest.mark.requirement("logins.directory")
def test_only_directories_are_synchronised(cluster: SimulatedCluster) -> None:
    with pytest.raises(PveFault, match="Cannot sync realm type 'pve'!"):
        cluster.call("POST", "/access/domains/pve/sync", {"scope": "both"})


# --- OpenID ---------------------------------------------------------------------------------


@pytest.fixture
def provider(cluster: SimulatedCluster) -> IdentityProvider:
    made = IdentityProvider()
    cluster.outside.providers["https://id.example.com"] = made
    realm = {
        "realm": "sso",
        "type": "openid",
        "issuer-url": "https://id.example.com",
        "client-id": "pve",
        "autocreate": 1,
        "username-claim": "username",
        "groups-claim": "groups",
        "groups-autocreate": 1,
    }
    cluster.call("POST", "/access/domains", realm)
    return made


def start_openid(cluster: SimulatedCluster) -> dict[str, str]:
    params = {"realm": "sso", "redirect-url": "https://pve.example.com"}
    address = str(cluster.handle(SimRequest("POST", "/access/openid/auth-url", params)).data)
    query = parse_qs(urlsplit(address).query)
    assert query["client_id"] == ["pve"]
    return {"state": query["state"][0], "redirect-url": query["redirect_uri"][0]}


def finish_openid(cluster: SimulatedCluster, params: dict[str, str]) -> SimResponse:
    return cluster.handle(SimRequest("POST", "/access/openid/login", params))


@pytest.mark.requirement("logins.openid")
def test_openid_makes_a_user_with_his_groups(
    cluster: SimulatedCluster, provider: IdentityProvider
) -> None:
    params = start_openid(cluster)
    provider.codes["c1"] = {"sub": "77", "preferred_username": "cid", "groups": ["dev"]}
    data = finish_openid(cluster, params | {"code": "c1"}).data
    assert data["username"] == "cid@sso"
    assert ask(cluster, data["ticket"]).status == 200
    assert cluster.access.users["cid@sso"].groups == {"dev-sso"}
    assert finish_openid(cluster, params | {"code": "c1"}).status == 401


@pytest.mark.requirement("logins.openid")
def test_openid_refuses_what_it_did_not_start_or_what_comes_too_late(
    cluster: SimulatedCluster, provider: IdentityProvider
) -> None:
    provider.codes["c1"] = {"preferred_username": "cid"}
    forged = {"state": "x", "code": "c1", "redirect-url": "https://pve.example.com"}
    assert finish_openid(cluster, forged).status == 401
    params = start_openid(cluster)
    assert finish_openid(cluster, params | {"code": "unknown"}).status == 401
    params = start_openid(cluster)
    cluster.clock.advance(601)
    assert finish_openid(cluster, params | {"code": "c1"}).status == 401


@pytest.mark.requirement("logins.openid")
def test_openid_needs_such_a_realm(cluster: SimulatedCluster) -> None:
    params = {"realm": "pve", "redirect-url": "https://pve.example.com"}
    answer = cluster.handle(SimRequest("POST", "/access/openid/auth-url", params))
    assert answer.reason == "wrong realm type (pve != openid)"


@pytest.mark.requirement("logins.log")
def test_the_clusters_log_tells_of_logins(cluster: SimulatedCluster) -> None:
    log_in(cluster, "wrong")
    assert cluster.call("GET", "/cluster/log") == []
    log_in(cluster)
    (entry,) = cluster.call("GET", "/cluster/log")
    assert (entry["user"], entry["msg"]) == ("root@pam", "successful auth for user 'op@pve'")
