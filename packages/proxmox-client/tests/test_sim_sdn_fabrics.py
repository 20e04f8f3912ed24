"""Fabrics, prefix lists and route maps of the simulator, staged like all of its networks."""

from __future__ import annotations

from typing import Any

import pytest

from proxmox_client.testing import PveFault, SimulatedCluster

FABRICS = "/cluster/sdn/fabrics"
LISTS = "/cluster/sdn/prefix-lists"
MAPS = "/cluster/sdn/route-maps"


@pytest.fixture
def cluster() -> SimulatedCluster:
    return SimulatedCluster()


def apply(cluster: SimulatedCluster) -> None:
    cluster.call("PUT", "/cluster/sdn")
    cluster.clock.advance(30)


def fabric(cluster: SimulatedCluster, name: str = "fab1", **changes: Any) -> None:
    params = {"id": name, "protocol": "openfabric", "ip_prefix": "10.9.0.0/24", **changes}
    cluster.call("POST", f"{FABRICS}/fabric", params)


def node(cluster: SimulatedCluster, name: str, ip: str, **changes: Any) -> None:
    params = {"node_id": name, "protocol": "openfabric", "ip": ip,
              "interfaces": ["name=ens19"], **changes}  # fmt: skip
    cluster.call("POST", f"{FABRICS}/node/fab1", params)


@pytest.mark.requirement("sdn.fabrics")
def test_a_fabric_counts_for_nodes_only_after_an_apply(cluster: SimulatedCluster) -> None:
    fabric(cluster)
    node(cluster, "pve1", "10.9.0.1")
    node(cluster, "pve2", "10.9.0.2")
    (pending,) = cluster.call("GET", f"{FABRICS}/fabric", {"pending": 1})
    assert pending["state"] == "new"
    assert cluster.call("GET", f"{FABRICS}/fabric", {"running": 1}) == []
    here = "/nodes/pve1/sdn/fabrics/fab1"
    with pytest.raises(PveFault, match="fabric 'fab1' does not exist in configuration"):
        cluster.call("GET", f"{here}/neighbors")
    apply(cluster)
    neighbours = cluster.call("GET", f"{here}/neighbors")
    assert [row["neighbor"] for row in neighbours] == ["pve2"]
    assert cluster.call("GET", f"{here}/routes") == [{"route": "10.9.0.2/32", "via": ["10.9.0.2"]}]
    names = [row["name"] for row in cluster.call("GET", f"{here}/interfaces")]
    assert names == ["ens19", "dummy_fab1"]
    everything = cluster.call("GET", f"{FABRICS}/all")
    assert (len(everything["fabrics"]), len(everything["nodes"])) == (1, 2)


@pytest.mark.requirement("sdn.fabrics")
def test_a_fabric_is_checked(cluster: SimulatedCluster) -> None:
    fabric(cluster)
    with pytest.raises(PveFault, match="fabric 'fab1' already exists in config"):
        fabric(cluster)
    with pytest.raises(PveFault, match="overlapping IP prefixes"):
        fabric(cluster, "fab2", ip_prefix="10.9.0.128/25")
    with pytest.raises(PveFault, match="missing field `area`"):
        fabric(cluster, "fab3", protocol="ospf", ip_prefix="10.8.0.0/24")
    with pytest.raises(PveFault, match="outside the IP prefix"):
        node(cluster, "pve1", "10.10.0.1")
    with pytest.raises(PveFault, match="different protocol"):
        node(cluster, "pve1", "10.9.0.1", protocol="ospf")
    node(cluster, "pve1", "10.9.0.1")
    with pytest.raises(PveFault, match="contains nodes with duplicated IPs"):
        node(cluster, "pve2", "10.9.0.1")
    with pytest.raises(PveFault, match="already exists in config for fabric fab1"):
        node(cluster, "pve1", "10.9.0.5")


@pytest.mark.requirement("sdn.fabrics")
def test_changes_are_guarded_and_removal_takes_the_nodes(cluster: SimulatedCluster) -> None:
    fabric(cluster)
    node(cluster, "pve1", "10.9.0.1")
    path = f"{FABRICS}/fabric/fab1"
    digest = cluster.call("GET", path)["digest"]
    change = {"protocol": "openfabric", "hello_interval": 5}
    cluster.call("PUT", path, {**change, "digest": digest})
    with pytest.raises(PveFault, match="detected modified configuration"):
        cluster.call("PUT", path, {**change, "digest": digest})
    one = f"{FABRICS}/node/fab1/pve1"
    cluster.call(
        "PUT", one,
        {"protocol": "openfabric", "ip": "10.9.0.9", "delete": ["interfaces"]},
    )  # fmt: skip
    assert "interfaces" not in cluster.call("GET", one)
    cluster.call("DELETE", path)
    assert cluster.call("GET", f"{FABRICS}/node") == []
    with pytest.raises(PveFault, match="node 'pve1' does not exist in fabric 'fab1'"):
        cluster.call("GET", one)


@pytest.mark.requirement("sdn.fabrics")
def test_the_global_lock_holds_for_fabrics_too(cluster: SimulatedCluster) -> None:
    cluster.call("POST", "/cluster/sdn/lock")
    with pytest.raises(PveFault, match="invalid lock token provided"):
        fabric(cluster)


@pytest.mark.requirement("sdn.policies")
def test_prefix_lists_number_their_entries(cluster: SimulatedCluster) -> None:
    entries = ["action=permit,prefix=10.0.0.0/8", "action=deny,prefix=0.0.0.0/0,seq=100"]
    cluster.call("POST", LISTS, {"id": "pl1", "entries": entries})
    one = f"{LISTS}/pl1/entries"
    cluster.call("POST", one, {"action": "permit", "prefix": "192.168.0.0/16", "seq": 7})
    assert [row["seq"] for row in cluster.call("GET", one)] == [7, 100, 105]
    cluster.call("PUT", f"{one}/7", {"action": "deny"})
    assert cluster.call("GET", f"{one}/7")["action"] == "deny"
    with pytest.raises(PveFault, match="already has an entry 7"):
        cluster.call("POST", one, {"action": "permit", "prefix": "10.1.0.0/16", "seq": 7})
    cluster.call("DELETE", f"{one}/7")
    with pytest.raises(PveFault, match="has no entry 7"):
        cluster.call("GET", f"{one}/7")
    assert cluster.call("GET", LISTS, {"pending": 1})[0]["state"] == "new"
    cluster.call("PUT", f"{LISTS}/pl1", {"delete": ["entries"]})
    assert cluster.call("GET", f"{LISTS}/pl1")["entries"] == []
    cluster.call("DELETE", f"{LISTS}/pl1")
    with pytest.raises(PveFault, match="prefix list 'pl1' does not exist"):
        cluster.call("GET", f"{LISTS}/pl1")


@pytest.mark.requirement("sdn.policies")
def test_route_maps_are_made_of_ordered_entries(cluster: SimulatedCluster) -> None:
    for order in (20, 10):
        cluster.call(
            "POST", f"{MAPS}/entries", {"route-map-id": "rm1", "order": order, "action": "permit"}
        )
    assert cluster.call("GET", MAPS) == [{"id": "rm1"}]
    rows = cluster.call("GET", f"{MAPS}/entries/rm1")
    assert [row["order"] for row in rows] == [10, 20]
    one = f"{MAPS}/entries/rm1/entry/10"
    cluster.call("PUT", one, {"action": "deny"})
    assert cluster.call("GET", one)["action"] == "deny"
    cluster.call("DELETE", one)
    with pytest.raises(PveFault, match="has no entry with order 10"):
        cluster.call("GET", one)


@pytest.mark.requirement("sdn.bridges")
def test_bridges_of_a_zone_show_the_cards_of_running_guests(cluster: SimulatedCluster) -> None:
    cluster.call("POST", "/cluster/sdn/zones", {"zone": "z1", "type": "simple"})
    cluster.call("POST", "/cluster/sdn/vnets", {"vnet": "vn1", "zone": "z1"})
    apply(cluster)
    cluster.add_vm("pve1", 100, {"net0": "virtio,bridge=vn1"}, status="running")
    (bridge,) = cluster.call("GET", "/nodes/pve1/sdn/zones/z1/bridges")
    assert bridge["ports"] == [{"name": "tap100i0", "vmid": "100", "index": "net0"}]
    with pytest.raises(PveFault, match="is not an EVPN zone"):
        cluster.call("GET", "/nodes/pve1/sdn/zones/z1/ip-vrf")
    assert cluster.call("GET", "/nodes/pve1/sdn/vnets/vn1/mac-vrf") == []
