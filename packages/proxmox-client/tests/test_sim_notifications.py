"""Notifications of the simulator: endpoints, matchers, and what reaches whom."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from proxmox_client.testing import PveFault, SimulatedCluster
from proxmox_client.testing.notifications import Notification, send

TOP = "/cluster/notifications"
SECRET = f"name=key,value={base64.b64encode(b'hush').decode()}"
ENDPOINTS: dict[str, dict[str, Any]] = {
    "sendmail": {"mailto": ["ops@example.com"]},
    "gotify": {"server": "https://gotify.example.com", "token": "hush"},
    "smtp": {
        "server": "mail.example.com",
        "from-address": "pve@example.com",
        "mailto-user": ["root@pam"],
        "password": "hush",
    },
    "webhook": {"url": "https://hook.example.com", "method": "post", "secret": [SECRET]},
}


@pytest.fixture
def cluster() -> SimulatedCluster:
    return SimulatedCluster(nodes=("pve1",))


def boxes(cluster: SimulatedCluster) -> dict[str, int]:
    return {name: len(found) for name, found in cluster.outside.mailboxes.items() if found}


@pytest.mark.parametrize("kind", ENDPOINTS)
@pytest.mark.requirement("notifications.endpoints")
def test_endpoints_are_kept_without_telling_their_secrets(
    cluster: SimulatedCluster, kind: str
) -> None:
    path = f"{TOP}/endpoints/{kind}"
    cluster.call("POST", path, {"name": "ops", **ENDPOINTS[kind]})
    row = cluster.call("GET", f"{path}/ops")
    assert base64.b64encode(b"hush").decode() not in str(row)
    assert "hush" not in str(row)
    with pytest.raises(PveFault, match="Cannot create 'ops', an entity with the same name"):
        cluster.call("POST", path, {"name": "ops", **ENDPOINTS[kind]})
    cluster.call("PUT", f"{path}/ops", {"comment": "on call", "digest": row["digest"]})
    with pytest.raises(PveFault, match="detected modified configuration") as stale:
        cluster.call("PUT", f"{path}/ops", {"comment": "late", "digest": row["digest"]})
    assert stale.value.status == 400
    targets = {row["name"]: row for row in cluster.call("GET", f"{TOP}/targets")}
    assert targets["ops"] == {
        "name": "ops",
        "type": kind,
        "origin": "user-created",
        "comment": "on call",
    }
    cluster.call("PUT", f"{path}/ops", {"delete": ["comment"]})
    assert "comment" not in cluster.call("GET", f"{path}/ops")
    cluster.call("DELETE", f"{path}/ops")
    with pytest.raises(PveFault, match="endpoint 'ops' not found") as gone:
        cluster.call("GET", f"{path}/ops")
    assert gone.value.status == 404


@pytest.mark.requirement("notifications.endpoints")
def test_what_pve_ships_with_is_only_set_back(cluster: SimulatedCluster) -> None:
    path = f"{TOP}/matchers/default-matcher"
    assert cluster.call("GET", f"{TOP}/matchers")[0]["origin"] == "builtin"
    cluster.call("PUT", path, {"disable": 1})
    assert cluster.call("GET", f"{TOP}/matchers")[0]["origin"] == "modified-builtin"
    cluster.call("DELETE", path)
    assert "disable" not in cluster.call("GET", path)


@pytest.mark.requirement("notifications.endpoints")
def test_a_used_endpoint_is_not_deleted_and_a_missing_one_not_used(
    cluster: SimulatedCluster,
) -> None:
    path = f"{TOP}/endpoints/sendmail"
    with pytest.raises(PveFault, match="at least provide one recipient"):
        cluster.call("POST", path, {"name": "ops"})
    cluster.call("POST", path, {"name": "ops", "mailto": ["ops@example.com"]})
    with pytest.raises(PveFault, match="endpoint 'nobody' does not exist"):
        cluster.call("POST", f"{TOP}/matchers", {"name": "m1", "target": ["nobody"]})
    cluster.call("POST", f"{TOP}/matchers", {"name": "m1", "target": ["ops"]})
    with pytest.raises(PveFault, match="cannot delete 'ops', referenced by: m1"):
        cluster.call("DELETE", f"{path}/ops")
    cluster.call("DELETE", f"{TOP}/matchers/m1")
    cluster.call("DELETE", f"{path}/ops")


@pytest.mark.parametrize(
    ("conditions", "taken"),
    [
        ({}, True),
        ({"match-severity": ["warning,error"]}, True),
        ({"match-severity": ["info"]}, False),
        ({"match-field": ["exact:type=vzdump,replication"]}, True),
        ({"match-field": ["regex:hostname=^pve[23]$"]}, False),
        ({"match-field": ["exact:type=vzdump"], "match-severity": ["info"]}, False),
        ({"match-field": ["exact:type=vzdump"], "match-severity": ["info"], "mode": "any"}, True),
        ({"match-severity": ["info"], "invert-match": 1}, True),
        ({"match-field": ["exact:job-id=nightly"]}, False),
        ({"disable": 1}, False),
    ],
)
@pytest.mark.requirement("notifications.matchers")
def test_matchers_choose(
    cluster: SimulatedCluster, conditions: dict[str, Any], taken: bool
) -> None:
    cluster.call(
        "POST", f"{TOP}/endpoints/sendmail", {"name": "ops", "mailto": ["ops@example.com"]}
    )
    cluster.call("PUT", f"{TOP}/matchers/default-matcher", {"disable": 1})
    cluster.call("POST", f"{TOP}/matchers", {"name": "m1", "target": ["ops"], **conditions})
    fields = {"type": "vzdump", "hostname": "pve1"}
    send(cluster, Notification("error", "vzdump failed", fields))
    assert boxes(cluster) == ({"ops@example.com": 1} if taken else {})


@pytest.mark.parametrize(
    "conditions",
    [{"match-severity": ["bad"]}, {"match-field": ["type=x"]}, {"match-field": ["regex:a=("]}],
)
@pytest.mark.requirement("notifications.matchers")
def test_conditions_that_cannot_be_read_are_refused(
    cluster: SimulatedCluster, conditions: dict[str, Any]
) -> None:
    with pytest.raises(PveFault):
        cluster.call("POST", f"{TOP}/matchers", {"name": "m1", **conditions})


@pytest.mark.requirement("notifications.delivery")
def test_a_target_is_tested_and_a_server_that_is_away_is_told(cluster: SimulatedCluster) -> None:
    cluster.call("POST", f"{TOP}/endpoints/gotify", {"name": "gg", **ENDPOINTS["gotify"]})
    with pytest.raises(PveFault, match="Could not test target"):
        cluster.call("POST", f"{TOP}/targets/gg/test")
    cluster.outside.mailboxes["https://gotify.example.com"] = []
    cluster.call("POST", f"{TOP}/targets/gg/test")
    cluster.call("POST", f"{TOP}/targets/mail-to-root/test")
    assert boxes(cluster) == {"https://gotify.example.com": 1, "root": 1}
    with pytest.raises(PveFault, match="endpoint 'none' does not exist"):
        cluster.call("POST", f"{TOP}/targets/none/test")


@pytest.mark.requirement("notifications.delivery")
def test_backups_tell_how_they_ended(cluster: SimulatedCluster) -> None:
    cluster.access.users["root@pam"].fields["email"] = "root@example.com"
    cluster.add_vm("pve1", 100, {"scsi0": "local-lvm:1"})
    params = {"vmid": "100", "storage": "local", "mode": "stop"}
    cluster.call("POST", "/nodes/pve1/vzdump", params)
    cluster.clock.advance(60)
    cluster.guests[100].config["lock"] = "migrate"
    cluster.call("POST", "/nodes/pve1/vzdump", params)
    cluster.clock.advance(60)
    mails = cluster.outside.mailboxes["root@example.com"]
    assert [(mail["severity"], mail["type"]) for mail in mails] == [
        ("info", "vzdump"),
        ("error", "vzdump"),
    ]


@pytest.mark.requirement("notifications.matchers")
def test_values_to_match_are_offered(cluster: SimulatedCluster) -> None:
    rows = cluster.call("GET", f"{TOP}/matcher-field-values")
    assert {"value": "pve1", "field": "hostname"} in rows
    assert {"value": "vzdump", "field": "type"} in rows
    assert len(cluster.call("GET", f"{TOP}/matcher-fields")) == 3
