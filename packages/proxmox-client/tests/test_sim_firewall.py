"""The simulated firewall: what the recordings do not show."""

from __future__ import annotations

import pytest

from proxmox_client.testing import PveFault, SimulatedCluster

RULES = "/cluster/firewall/rules"


@pytest.fixture
def cluster() -> SimulatedCluster:
    return SimulatedCluster()


def comments(cluster: SimulatedCluster) -> list[str]:
    return [rule["comment"] for rule in cluster.call("GET", RULES)]


def add(cluster: SimulatedCluster, comment: str, **fields: object) -> None:
    rule = {"type": "in", "action": "ACCEPT", "comment": comment, **fields}
    cluster.call("POST", RULES, rule)


@pytest.mark.requirement("firewall.positions")
def test_a_new_rule_shifts_the_others_down(cluster: SimulatedCluster) -> None:
    for name in "abc":
        add(cluster, name)
    assert comments(cluster) == ["c", "b", "a"]


@pytest.mark.requirement("firewall.positions")
@pytest.mark.parametrize(
    ("position", "to", "order"),
    [(0, 2, "bca"), (2, 0, "acb"), (0, 1, "cba"), (0, 9, "bac"), (1, 1, "cba")],
)
def test_a_moved_rule_lands_before_the_one_that_stood_there(
    cluster: SimulatedCluster, position: int, to: int, order: str
) -> None:
    for name in "abc":
        add(cluster, name)
    cluster.call("PUT", f"{RULES}/{position}", {"moveto": to})
    assert comments(cluster) == list(order)


@pytest.mark.requirement("firewall.positions")
def test_a_digest_of_before_an_insert_is_stale(cluster: SimulatedCluster) -> None:
    add(cluster, "a")
    digest = cluster.call("GET", f"{RULES}/0")["digest"]
    add(cluster, "b")
    with pytest.raises(PveFault, match="detected modified configuration"):
        cluster.call("DELETE", f"{RULES}/0", {"digest": digest})


@pytest.mark.requirement("proxying.local-answers")
def test_a_guests_firewall_is_the_same_on_every_path(cluster: SimulatedCluster) -> None:
    cluster.add_vm("pve1", 100, {})
    cluster.call("PUT", "/nodes/pve3/qemu/100/firewall/options", {"enable": True})
    assert cluster.call("GET", "/nodes/pve1/qemu/100/firewall/options")["enable"] == 1


@pytest.mark.requirement("firewall.references")
@pytest.mark.parametrize(
    ("fields", "name", "text"),
    [
        ({"source": "+none"}, "source", "no such ipset 'none'"),
        ({"dest": "dc/none"}, "dest", "no such alias 'dc/none'"),
        ({"dport": "22"}, "proto", "missing property - 'dport' requires this property"),
        ({"dport": "22", "proto": "esp"}, "dport", "protocol 'esp' does not support ports"),
        ({"action": "JUMP"}, "action", "unknown action 'JUMP'"),
    ],
)
def test_a_bad_rule_is_refused_by_field(
    cluster: SimulatedCluster, fields: dict[str, str], name: str, text: str
) -> None:
    with pytest.raises(PveFault) as refused:
        add(cluster, "bad", **fields)
    assert refused.value.errors == {name: text}


@pytest.mark.requirement("firewall.references")
def test_a_rule_may_name_the_guests_and_the_clusters_aliases(cluster: SimulatedCluster) -> None:
    cluster.add_vm("pve1", 100, {})
    guest = "/nodes/pve1/qemu/100/firewall"
    cluster.call("POST", "/cluster/firewall/aliases", {"name": "LAN", "cidr": "10.0.0.0/8"})
    cluster.call("POST", f"{guest}/aliases", {"name": "me", "cidr": "fd00::1"})
    cluster.call("POST", f"{guest}/rules", {"type": "in", "action": "DROP", "source": "dc/lan"})
    cluster.call("POST", f"{guest}/rules", {"type": "in", "action": "DROP", "dest": "me"})
    assert [rule["ipversion"] for rule in cluster.call("GET", f"{guest}/rules")] == [6, 4]
    references = cluster.call("GET", f"{guest}/refs", {"type": "alias"})
    assert [row["ref"] for row in references] == ["guest/me", "dc/LAN"]


@pytest.mark.requirement("firewall.references")
def test_renaming_a_group_renames_its_uses(cluster: SimulatedCluster) -> None:
    cluster.call("POST", "/cluster/firewall/groups", {"group": "web"})
    cluster.call("POST", RULES, {"type": "group", "action": "web"})
    cluster.call("POST", "/cluster/firewall/groups", {"group": "www", "rename": "web"})
    assert cluster.call("GET", f"{RULES}/0")["action"] == "www"


@pytest.mark.requirement("firewall.deleted-guest")
def test_a_deleted_guests_firewall_is_gone(cluster: SimulatedCluster) -> None:
    cluster.add_vm("pve1", 100, {})
    options = "/nodes/pve1/qemu/100/firewall/options"
    cluster.call("PUT", options, {"enable": True})
    cluster.call("DELETE", "/nodes/pve1/qemu/100")
    cluster.clock.advance(10)
    cluster.add_vm("pve1", 100, {})
    assert "enable" not in cluster.call("GET", options)
