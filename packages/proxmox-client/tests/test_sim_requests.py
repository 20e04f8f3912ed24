"""The simulator's answers before any handler runs: routing, credentials, parameters, proxying."""

from __future__ import annotations

import pytest

from proxmox_client import schema
from proxmox_client.testing import PveFault, SimRequest, SimResponse, SimulatedCluster
from proxmox_client.testing.routing import handlers

UNKNOWN = "property is not defined in schema and the schema does not allow additional properties"


def ask(cluster: SimulatedCluster, method: str, path: str, **params: object) -> SimResponse:
    token = cluster.create_token("root@pam", "t")
    headers = {"authorization": f"PVEAPIToken={token}"}
    return cluster.handle(SimRequest(method, path, params, headers))


@pytest.fixture
def cluster() -> SimulatedCluster:
    return SimulatedCluster()


@pytest.mark.requirement("simulator.operations")
def test_every_operation_of_every_version_answers_something(cluster: SimulatedCluster) -> None:
    for facts in schema.operations(cluster.version):
        path = facts.path.replace("{node}", "pve1").replace("{vmid}", "9999")
        if "{" in path or facts.method != "GET" or facts.path.endswith("/report"):
            continue
        answer = ask(cluster, facts.method, path)
        assert answer.status in (200, 400, 403, 500, 501), f"{facts.path}: {answer}"


@pytest.mark.requirement("simulator.operations")
def test_an_operation_that_is_not_simulated_says_so_and_never_succeeds(
    cluster: SimulatedCluster,
) -> None:
    known = handlers()
    missing = [
        facts
        for facts in schema.operations("9.2")
        if (facts.method, facts.path) not in known and facts.path == "/cluster/ha/resources"
    ]
    for facts in missing:
        answer = ask(
            cluster,
            facts.method,
            facts.path,
            **({"sid": "vm:1"} if "P" in facts.method[:1] else {}),
        )
        assert answer.status == 501
        assert "does not simulate" in answer.reason


@pytest.mark.requirement("http.unknown-path")
def test_an_unknown_path_is_501_with_pves_sentence(cluster: SimulatedCluster) -> None:
    answer = ask(cluster, "GET", "/nosuchpath")
    assert (answer.status, answer.reason) == (501, "Method 'GET /nosuchpath' not implemented")
    assert answer.json() == {"data": None, "message": "Method 'GET /nosuchpath' not implemented"}


@pytest.mark.requirement("http.unauthorised")
def test_no_credentials_cost_three_seconds_and_an_empty_body(cluster: SimulatedCluster) -> None:
    before = cluster.clock.now()
    answer = cluster.handle(SimRequest("GET", "/version"))
    assert (answer.status, answer.reason, answer.body) == (401, "No ticket", b"")
    assert cluster.clock.now() == pytest.approx(before + 3)


@pytest.mark.requirement("http.bad-parameters")
def test_all_bad_parameters_are_reported_at_once(cluster: SimulatedCluster) -> None:
    answer = ask(
        cluster, "POST", "/access/users", userid="m@pve", expire="soon", enable="maybe", foo=1
    )
    assert answer.status == 400
    assert answer.json()["errors"] == {
        "expire": "type check ('integer') failed - got 'soon'",
        "enable": "type check ('boolean') failed - got 'maybe'",
        "foo": UNKNOWN,
    }


@pytest.mark.requirement("http.bad-parameters")
def test_an_index_beyond_the_family_is_an_unknown_parameter(cluster: SimulatedCluster) -> None:
    answer = ask(cluster, "POST", "/nodes/pve1/qemu", vmid=100, scsi99="local:1")
    assert answer.json()["errors"] == {"scsi99": UNKNOWN}


@pytest.mark.requirement("http.property-strings")
def test_property_strings_are_checked_key_by_key(cluster: SimulatedCluster) -> None:
    answer = ask(cluster, "POST", "/nodes/pve1/qemu", vmid=100, net0="virtio,tag=9999,foo=1")
    assert answer.json()["errors"]["net0"].splitlines() == [
        "invalid format - format error",
        f"net0.foo: {UNKNOWN}",
        "net0.tag: value must have a maximum value of 4094",
    ]


@pytest.mark.requirement("http.unknown-node", "proxying.any-node")
def test_any_node_answers_for_any_other_but_not_for_an_unknown_one(
    cluster: SimulatedCluster,
) -> None:
    cluster.add_vm("pve2", 101, {"memory": 64})
    assert ask(cluster, "GET", "/nodes/pve2/qemu/101/config").status == 200
    answer = ask(cluster, "GET", "/nodes/pve9/qemu")
    assert answer.status == 500
    assert answer.reason.startswith("hostname lookup 'pve9' failed")


@pytest.mark.requirement("offline.delays")
def test_an_offline_node_is_595_with_an_empty_body(cluster: SimulatedCluster) -> None:
    cluster.nodes["pve2"].online = False
    answer = ask(cluster, "GET", "/nodes/pve2/status")
    assert (answer.status, answer.reason, answer.body) == (595, "No route to host", b"")


@pytest.mark.requirement("http.forwarded")
def test_forwarded_calls_carry_two_connection_headers(cluster: SimulatedCluster) -> None:
    forwarded = ask(cluster, "GET", "/nodes/pve1/qemu")
    direct = ask(cluster, "GET", "/version")
    assert [v for k, v in forwarded.headers if k == "Connection"] == ["close", "Keep-Alive"]
    assert [v for k, v in direct.headers if k == "Connection"] == ["Keep-Alive"]


@pytest.mark.requirement("simulator.versions")
@pytest.mark.parametrize("version", ["8.4", "9.0", "9.1", "9.2"])
def test_the_served_version_decides_what_exists(version: str) -> None:
    cluster = SimulatedCluster(version=version)
    assert ask(cluster, "GET", "/version").data["release"] == version
    rules = ask(cluster, "GET", "/cluster/ha/rules")
    assert ("not implemented" in rules.reason) == (version == "8.4")


@pytest.mark.requirement("simulator.inside")
def test_calls_from_within_need_no_credentials(cluster: SimulatedCluster) -> None:
    assert cluster.call("GET", "/cluster/nextid") == "100"
    with pytest.raises(PveFault, match="storage 'x1' does not exist"):
        cluster.call("GET", "/storage/x1")


@pytest.mark.requirement("simulator.seed")
def test_the_same_seed_makes_the_same_cluster() -> None:
    first, second = SimulatedCluster(seed=7), SimulatedCluster(seed=7)
    for cluster in (first, second):
        cluster.add_vm("pve1", 100, {"memory": 64, "net0": "virtio,bridge=vmbr0"})
    assert first.guests[100].config == second.guests[100].config
    assert first.create_token("root@pam", "a") == second.create_token("root@pam", "a")
