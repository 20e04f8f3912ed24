"""Simulated software-defined networks: staging, the lock token, apply and rollback."""

from __future__ import annotations

import pytest

from proxmox_client.testing import PveFault, SimulatedCluster

ZONES, VNETS = "/cluster/sdn/zones", "/cluster/sdn/vnets"


@pytest.fixture
def cluster() -> SimulatedCluster:
    found = SimulatedCluster()
    found.call("POST", ZONES, {"zone": "z1", "type": "simple"})
    found.call("POST", VNETS, {"vnet": "v1", "zone": "z1"})
    return found


def apply(cluster: SimulatedCluster, **params: object) -> str:
    upid: str = cluster.call("PUT", "/cluster/sdn", params)
    cluster.clock.advance(10)
    return upid


@pytest.mark.requirement("sdn.staged")
def test_what_is_staged_does_not_run_until_it_is_applied(cluster: SimulatedCluster) -> None:
    assert cluster.call("GET", ZONES, {"running": 1}) == []
    apply(cluster)
    assert [row["zone"] for row in cluster.call("GET", ZONES, {"running": 1})] == ["z1"]
    states = cluster.call("GET", "/nodes/pve2/sdn/zones")
    assert states == [{"zone": "z1", "status": "available"}]


@pytest.mark.requirement("sdn.staged")
def test_pending_tells_new_changed_and_deleted_apart(cluster: SimulatedCluster) -> None:
    cluster.call("POST", ZONES, {"zone": "z2", "type": "simple", "mtu": 1400})
    apply(cluster)
    cluster.call("PUT", f"{ZONES}/z1", {"mtu": 1450})
    cluster.call("DELETE", f"{ZONES}/z2")
    cluster.call("POST", ZONES, {"zone": "z3", "type": "simple"})
    rows = {row["zone"]: row for row in cluster.call("GET", ZONES, {"pending": 1})}
    assert {name: row["state"] for name, row in rows.items()} == {
        "z1": "changed",
        "z2": "deleted",
        "z3": "new",
    }
    assert rows["z1"]["pending"] == {"mtu": 1450}


@pytest.mark.requirement("sdn.staged")
def test_rollback_drops_what_is_staged(cluster: SimulatedCluster) -> None:
    apply(cluster)
    cluster.call("PUT", f"{VNETS}/v1", {"alias": "new"})
    assert (
        '"alias": "new"'
        in cluster.call("GET", "/cluster/sdn/dry-run", {"node": "pve1"})["interfaces-diff"]
    )
    cluster.call("POST", "/cluster/sdn/rollback")
    assert "alias" not in cluster.call("GET", f"{VNETS}/v1")


@pytest.mark.requirement("sdn.lock")
def test_the_lock_is_refused_while_something_is_pending(cluster: SimulatedCluster) -> None:
    with pytest.raises(PveFault, match="configuration has pending changes"):
        cluster.call("POST", "/cluster/sdn/lock")


@pytest.mark.requirement("sdn.lock")
def test_only_the_holder_of_the_token_may_write(cluster: SimulatedCluster) -> None:
    token = cluster.call("POST", "/cluster/sdn/lock", {"allow-pending": 1})
    with pytest.raises(PveFault, match="invalid lock token provided!"):
        cluster.call("PUT", f"{VNETS}/v1", {"alias": "other"})
    cluster.call("PUT", f"{VNETS}/v1", {"alias": "mine", "lock-token": token})
    apply(cluster, **{"lock-token": token})
    cluster.call("PUT", f"{VNETS}/v1", {"alias": "other"})


@pytest.mark.requirement("sdn.apply")
def test_an_apply_ends_well_though_a_node_is_away(cluster: SimulatedCluster) -> None:
    cluster.nodes["pve3"].online = False
    task = cluster.tasks.get(apply(cluster))
    assert task.exitstatus == "OK"
    assert any("No route to host" in line for line in task.lines)


@pytest.mark.requirement("sdn.checks")
@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"zone": "z1", "tag": 5}, "tag: vlan tag is not allowed on simple zone"),
        ({"zone": "vl"}, "tag: missing vlan tag"),
        ({"zone": "vl", "tag": 7}, "tag: tag 7 already exist in vnet used"),
    ],
)
def test_a_network_must_fit_its_zone(
    cluster: SimulatedCluster, fields: dict[str, object], text: str
) -> None:
    cluster.call("POST", ZONES, {"zone": "vl", "type": "vlan", "bridge": "vmbr0"})
    cluster.call("POST", VNETS, {"vnet": "used", "zone": "vl", "tag": 7})
    with pytest.raises(PveFault) as refused:
        cluster.call("POST", VNETS, {"vnet": "bad", **fields})
    assert str(refused.value).splitlines()[-1] == text
