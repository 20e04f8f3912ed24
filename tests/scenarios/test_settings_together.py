"""Several manifests, and several releases, about one network: one commit, each owns its own.

Pain: one reload per bridge cuts the management network in the middle of a change (bpg#3063).
"""

from __future__ import annotations

from typing import Any

import pytest

from pmpc_reconcile.manifests import load_text
from pmpc_reconcile.plans.model import Plan
from proxmox_client.testing.faults import Answer, FailingTask, Where
from tests.lab.quiet import quiet

SDN = "PUT /cluster/sdn"
NETWORK = "/nodes/pve1/network"
RELOAD = f"PUT {NETWORK}"


def sdn(name: str, **sections: str) -> str:
    lines = "".join(f"  {section}: {{{text}}}\n" for section, text in sections.items())
    head = f"apiVersion: pmpc/v1\nkind: Sdn\nmetadata: {{name: {name}}}\nspec:"
    return f"---\n{head}\n{lines}" if lines else f"---\n{head} {{}}\n"


def network(name: str, interfaces: str) -> str:
    head = f"apiVersion: pmpc/v1\nkind: NodeNetwork\nmetadata: {{name: {name}}}\nspec:\n"
    return f"---\n{head}  node: pve1\n  interfaces: {{{interfaces}}}\n"


ZONES = sdn("base", zones="lab: {type: vlan, bridge: vmbr0}")
WEB = sdn("web", vnets="web: {zone: lab, tag: 20}")
DB = sdn("db", vnets="db: {zone: lab, tag: 30}", subnets="10.5.0.0/24: {vnet: db}")
BOND = network("bond", "bond0: {type: bond, slaves: [eth0, eth1], bond_mode: active-backup, "
                       "autostart: on}")  # fmt: skip
BRIDGE = network("bridge", "vmbr0: {type: bridge, bridge_ports: bond0}")
GUESTS = network("guests", "vmbr1: {type: bridge, autostart: on, comments: guests}")


@pytest.fixture
def net(lab: Any) -> Any:
    """A lab whose first node has a second network card."""
    lab.cluster.call("POST", NETWORK, {"iface": "eth1", "type": "eth"})
    lab.cluster.call("PUT", NETWORK)
    lab.cluster.clock.advance(5)
    lab.forget_writes()
    return lab


async def planned(lab: Any, text: str, release: str = "shop", **options: Any) -> Plan:
    plan: Plan = await lab.engine.plan(load_text(text), release, **options)
    return plan


def vnets(lab: Any) -> dict[str, Any]:
    rows = lab.cluster.call("GET", "/cluster/sdn/vnets", {"running": 1})
    return {row["vnet"]: row for row in rows}


def names(lab: Any) -> set[str]:
    return {row["iface"] for row in lab.cluster.call("GET", NETWORK)}


async def test_three_manifests_about_the_networks_are_one_lock_and_one_apply(lab: Any) -> None:
    text = ZONES + WEB + DB
    report = await lab.applied(text)
    assert {result.address for result in report.done} == {"Sdn/base", "Sdn/web", "Sdn/db"}
    assert lab.writes.count(SDN) == 1
    assert lab.writes.count("POST /cluster/sdn/lock") == 1
    assert set(vnets(lab)) == {"web", "db"}
    await quiet(lab, text)


async def test_a_stored_plan_is_one_commit_too(lab: Any) -> None:
    plan = await lab.plan(WEB + DB + ZONES)
    assert "together with" in plan.explain()
    stored = await lab.engine.stored_plan(plan.id)
    assert stored == plan
    assert (await lab.engine.apply(stored)).ok
    assert lab.writes.count(SDN) == 1


async def test_what_one_manifest_no_longer_has_goes_with_what_another_gets(lab: Any) -> None:
    await lab.applied(ZONES + WEB + DB)
    lab.forget_writes()
    await lab.applied(ZONES + WEB.replace("tag: 20", "tag: 21"), prune=True)
    assert lab.writes.count(SDN) == 1
    assert {name: row["tag"] for name, row in vnets(lab).items()} == {"web": 21}


async def test_an_item_moves_to_another_manifest_and_stays_ours(lab: Any) -> None:
    await lab.applied(ZONES + WEB + DB)
    both = sdn("web", vnets="web: {zone: lab, tag: 20}, db: {zone: lab, tag: 31}")
    lab.forget_writes()
    moved = ZONES + both + sdn("db", subnets="10.5.0.0/24: {vnet: db}")
    await lab.applied(moved)  # neither a conflict nor a removal, though the tag changed as well
    assert lab.writes.count(SDN) == 1
    assert vnets(lab)["db"]["tag"] == 31
    await quiet(lab, moved)
    await lab.applied(ZONES + WEB + sdn("db"))
    assert set(vnets(lab)) == {"web"}


async def test_what_two_declare_the_same_way_goes_with_the_last_of_them(lab: Any) -> None:
    again = sdn("db", zones="lab: {type: vlan, bridge: vmbr0}", vnets="db: {zone: lab, tag: 30}")
    await lab.applied(ZONES + WEB + again)
    await lab.applied(WEB + again, prune=True)
    assert set(vnets(lab)) == {"web", "db"}
    await quiet(lab, WEB + again)
    await lab.applied(sdn("db"), prune=True)
    assert vnets(lab) == {}
    assert lab.cluster.call("GET", "/cluster/sdn/zones", {"running": 1}) == []


CLASHES = [
    (WEB + sdn("other", vnets="web: {zone: lab, tag: 22}"), "vnets.web.tag is 22 here and 20 in "
     "Sdn/web, which is about the cluster's networks too", 12),
    (GUESTS + network("other", "vmbr1: {type: bridge, autostart: off}"),
     "interfaces.vmbr1.autostart is False here and True in NodeNetwork/guests", 14),
    ("""
apiVersion: pmpc/v1
kind: Firewall
metadata: {name: one}
spec: {options: {policy_in: DROP}, rules: [{type: in, action: ACCEPT, dport: 22, proto: tcp}]}
---
apiVersion: pmpc/v1
kind: Firewall
metadata: {name: two}
spec: {options: {policy_in: ACCEPT}}
""", "options.policy_in is ACCEPT here and DROP in Firewall/one", 10),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message", "line"), CLASHES)
async def test_what_two_declare_differently_is_said_with_its_place(
    lab: Any, text: str, message: str, line: int
) -> None:
    plan = await lab.plan(text)
    (wrong,) = plan.errors
    assert message in wrong.message
    assert wrong.line == line
    assert "declare it in one of them" in str(wrong.hint)


async def test_one_failure_takes_back_what_all_of_them_staged(lab: Any) -> None:
    where = Where("POST", "/cluster/sdn/vnets/db/subnets", times=1)
    lab.cluster.faults.add(Answer(500, "create sdn subnet object failed", where))
    report = await lab.apply(ZONES + WEB + DB)
    assert len(report.failed) == 1
    assert len(report.skipped) == 2
    assert SDN not in lab.writes
    assert lab.cluster.call("GET", "/cluster/sdn/zones") == []
    await lab.applied(ZONES + WEB + DB)


async def test_all_or_nothing_takes_all_of_them_back_with_one_more_commit(lab: Any) -> None:
    image = """
---
apiVersion: pmpc/v1
kind: Image
metadata: {name: debian}
spec: {storage: local, content: iso, url: "https://nowhere.example/debian.iso", nodes: [pve1]}
"""
    plan = await lab.plan(ZONES + WEB + DB + image)
    report = await lab.engine.apply(plan, atomic=True)
    assert not report.ok
    assert report.taken_back
    assert lab.writes.count(SDN) == 2
    assert lab.cluster.call("GET", "/cluster/sdn/zones", {"running": 1}) == []


async def test_the_loop_heals_one_of_them_with_one_commit(lab: Any) -> None:
    from pmpc_reconcile.plans.restrict import restricted

    await lab.applied(ZONES + WEB + DB)
    text = ZONES + WEB.replace("tag: 20", "tag: 21") + DB.replace("tag: 30", "tag: 31")
    plan = restricted(await lab.plan(text, save=False), {"Sdn/web"})
    lab.forget_writes()
    assert (await lab.engine.apply(plan)).ok
    assert lab.writes.count(SDN) == 1
    done = {step.address for step in plan.steps}
    assert (vnets(lab)["db"]["tag"] == 31) is ("Sdn/db" in done)
    await lab.applied(text)


async def test_a_bridge_moves_onto_a_bond_of_another_manifest_with_one_reload(net: Any) -> None:
    text = BRIDGE + BOND + GUESTS
    await net.applied(text)
    assert net.writes.count(RELOAD) == 1
    assert net.writes[-1] == RELOAD
    assert {"bond0", "vmbr1"} <= names(net)
    bridge = net.cluster.call("GET", f"{NETWORK}/vmbr0")
    assert bridge["bridge_ports"] == "bond0"
    await quiet(net, text)


async def test_the_management_is_looked_after_across_manifests(net: Any) -> None:
    other = BOND.replace("[eth0, eth1]", "[eth1]")
    plan = await net.plan(BRIDGE + other)
    assert any("would not go over eth0" in each.message for each in plan.errors)
    assert net.writes == []


async def test_a_failed_reload_takes_all_of_them_back(net: Any) -> None:
    before = net.cluster.call("GET", f"{NETWORK}/vmbr0")
    net.cluster.faults.add(FailingTask(kind="srvreload", message="bond0: cannot be enslaved"))
    report = await net.apply(BRIDGE + BOND + GUESTS)
    assert "cannot be enslaved" in report.failed[0].reason
    assert "reloaded as it was before" in report.failed[0].reason
    net.cluster.clock.advance(5)
    assert net.cluster.call("GET", f"{NETWORK}/vmbr0") == before
    assert names(net) == {"eth0", "eth1", "vmbr0"}
    await net.applied(BRIDGE + BOND + GUESTS)


async def test_releases_share_the_networks_and_each_deletes_its_own(net: Any) -> None:
    one = ZONES + WEB + BOND + BRIDGE
    await net.applied(one)
    plan = await planned(net, DB + GUESTS, "other")
    assert not plan.has_conflicts, plan.explain()
    net.forget_writes()
    assert (await net.engine.apply(plan)).ok
    assert (net.writes.count(SDN), net.writes.count(RELOAD)) == (1, 1)
    assert (await planned(net, DB + GUESTS, "other")).empty
    assert (await net.plan(one)).empty
    clash = await planned(net, sdn("mine", vnets="web: {zone: lab, tag: 99}"), "third")
    (conflict,) = clash.conflicts[0].conflicts
    assert (conflict.path, conflict.owner) == ("vnets.web.tag", "shop")
    assert (await net.engine.apply(await net.engine.delete("other"))).ok
    net.cluster.clock.advance(5)
    assert set(vnets(net)) == {"web"}
    assert "vmbr1" not in names(net)
    assert (await net.plan(one)).empty
