"""Taking over settings that are there: the manifests written change nothing, and are ours then."""

from __future__ import annotations

from typing import Any

import pytest

from pmpc_reconcile.manifests import load_text

CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/storage", {"storage": "tank", "type": "nfs", "server": "10.77.0.200",
                          "export": "/tank", "content": "iso,backup",
                          "prune-backups": "keep-last=3"}),
    ("POST", "/cluster/sdn/zones", {"zone": "lab", "type": "vlan", "bridge": "vmbr0",
                                    "nodes": "pve2,pve1"}),
    ("POST", "/cluster/sdn/vnets", {"vnet": "web", "zone": "lab", "tag": 20}),
    ("POST", "/cluster/sdn/vnets/web/subnets", {"subnet": "10.5.0.0/24", "type": "subnet",
     "gateway": "10.5.0.1"}),
    ("PUT", "/cluster/sdn", {}),
    ("POST", "/nodes/pve1/network", {"iface": "vmbr1", "type": "bridge", "autostart": 1,
                                     "bridge_vlan_aware": 1, "comments": "guests"}),
    ("PUT", "/nodes/pve1/network", {}),
    ("POST", "/cluster/firewall/aliases", {"name": "desk", "cidr": "192.0.2.66",
                                           "comment": "Ada"}),
    ("POST", "/cluster/firewall/ipset", {"name": "office"}),
    ("POST", "/cluster/firewall/ipset/office", {"cidr": "192.0.2.0/24"}),
    ("POST", "/cluster/firewall/ipset/office", {"cidr": "192.0.2.9", "nomatch": 1}),
    ("POST", "/cluster/firewall/groups", {"group": "web", "comment": "front"}),
    ("POST", "/cluster/firewall/groups/web", {"type": "in", "action": "ACCEPT", "enable": 1,
                                              "proto": "tcp", "dport": "80"}),
    ("POST", "/cluster/firewall/rules", {"type": "in", "action": "DROP"}),
    ("POST", "/cluster/firewall/rules", {"type": "in", "action": "ACCEPT", "macro": "SSH",
                                         "enable": 1, "source": "+office", "comment": "ssh"}),
    ("PUT", "/nodes/pve2/firewall/options", {"log_level_in": "info"}),
]  # fmt: skip


@pytest.fixture
def found(lab: Any) -> Any:
    for method, path, params in CALLS:
        lab.cluster.call(method, path, params)
    lab.cluster.clock.advance(30)
    return lab


@pytest.mark.parametrize("kind", ["Storage", "Sdn", "NodeNetwork", "Firewall"])
async def test_what_is_there_is_adopted_without_a_write(found: Any, kind: str) -> None:
    adopted, plan = await found.engine.adopt((), [kind], "shop")
    assert adopted.text.count(f"kind: {kind}") == adopted.text.count("apiVersion")
    assert plan.empty, plan.explain()
    assert not plan.errors
    assert (await found.engine.apply(plan)).ok
    assert found.writes == []
    again = await found.engine.plan(load_text(adopted.text), "shop")
    assert again.empty, again.explain()
    assert not any(item.record for item in again.objects)


async def test_what_was_adopted_is_ours_to_delete(found: Any) -> None:
    _, plan = await found.engine.adopt(["tank"], ["Storage"], "shop")
    await found.engine.apply(plan)
    _, plan = await found.engine.adopt((), ["Sdn"], "net")
    await found.engine.apply(plan)
    _, plan = await found.engine.adopt(["cluster"], ["Firewall"], "walls")
    await found.engine.apply(plan)
    for release in ("shop", "net", "walls"):
        report = await found.engine.apply(await found.engine.delete(release))
        assert report.ok, [item.reason for item in report.failed]
    call = found.cluster.call
    assert "tank" not in {row["storage"] for row in call("GET", "/storage")}
    assert call("GET", "/cluster/sdn/zones") == []
    assert call("GET", "/cluster/firewall/rules") == []
    assert call("GET", "/cluster/firewall/groups") == []


async def test_what_another_release_manages_is_left_out(found: Any) -> None:
    _, plan = await found.engine.adopt(["tank"], ["Storage"], "shop")
    await found.engine.apply(plan)
    adopted, _ = await found.engine.adopt((), ["Storage"], "other")
    assert "Storage/tank: another release manages it" in adopted.left
    assert "Storage/tank" not in adopted.taken
