"""Firewalls: rules stay in order, the rule deleted is the one meant, nobody is locked out.

Pains: a rule deleted at the wrong position (bpg#1993), a lock-out half way through a change.
"""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from proxmox_client.testing import SimulatedCluster
from tests.lab.quiet import quiet

PATH = "/cluster/firewall"


def firewall(rules: list[dict[str, Any]], **spec: Any) -> str:
    return yaml.safe_dump(
        {
            "apiVersion": "pmpc/v1",
            "kind": "Firewall",
            "metadata": {"name": spec.pop("name", "cluster")},
            "spec": {"rules": rules, **spec},
        },
        sort_keys=False,
    )


SSH = {"type": "in", "action": "ACCEPT", "proto": "tcp", "dport": "22", "comment": "ssh"}
API = {"type": "in", "action": "ACCEPT", "proto": "tcp", "dport": "8006"}
DROP = {"type": "in", "action": "DROP", "log": "info"}


def port(number: int, action: str = "ACCEPT") -> dict[str, Any]:
    return {"type": "in", "action": action, "proto": "tcp", "dport": str(number)}


def rules(cluster: SimulatedCluster, path: str = PATH) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = cluster.call("GET", f"{path}/rules")
    return rows


def ports(cluster: SimulatedCluster) -> list[str]:
    return [str(row.get("dport", row["action"])) for row in rules(cluster)]


async def test_rules_come_in_the_order_of_the_manifest(lab: Any) -> None:
    text = firewall([SSH, API, port(443), DROP], options={"enable": True})
    await lab.applied(text)
    assert ports(lab.cluster) == ["22", "8006", "443", "DROP"]
    assert [row["enable"] for row in rules(lab.cluster)] == [1, 1, 1, 1]
    assert rules(lab.cluster)[0]["comment"] == "ssh"
    await quiet(lab, text)


async def test_the_rule_that_goes_is_the_one_meant_whoever_inserts_meanwhile(lab: Any) -> None:
    await lab.applied(firewall([SSH, port(80), port(443), DROP]))
    plan = await lab.plan(firewall([SSH, port(443), DROP]))
    lab.cluster.call("POST", f"{PATH}/rules", {**port(9100), "enable": 1})  # shifts every position
    report = await lab.engine.apply(plan)
    assert report.ok, [item.reason for item in report.failed]
    assert ports(lab.cluster) == ["9100", "22", "443", "DROP"]


async def test_an_insertion_between_looking_and_deleting_moves_no_deletion(lab: Any) -> None:
    await lab.applied(firewall([SSH, port(80), port(443), DROP]))
    plan = await lab.plan(firewall([SSH, port(443), DROP]))
    inner = lab.recorder.inner.handle_async_request
    strange = [9100, 9200]

    async def rival(request: Any) -> Any:
        if request.method == "DELETE" and strange:
            lab.cluster.call("POST", f"{PATH}/rules", {**port(strange.pop()), "enable": 1})
        return await inner(request)

    lab.recorder.inner.handle_async_request = rival
    report = await lab.engine.apply(plan)
    assert report.ok, [item.reason for item in report.failed]
    assert ports(lab.cluster) == ["9100", "9200", "22", "443", "DROP"]


async def test_rules_of_others_stay_where_they_are(lab: Any) -> None:
    for number in (7001, 7002):
        lab.cluster.call("POST", f"{PATH}/rules", {**port(number), "enable": 1})
    text = firewall([SSH, API])
    await lab.applied(text)
    assert ports(lab.cluster) == ["22", "8006", "7002", "7001"]
    await lab.applied(firewall([API, SSH]))
    assert ports(lab.cluster) == ["8006", "22", "7002", "7001"]
    await quiet(lab, firewall([API, SSH]))
    plan = await lab.engine.delete("shop")
    assert (await lab.engine.apply(plan)).ok
    assert ports(lab.cluster) == ["7002", "7001"]


async def test_a_rule_that_was_there_before_is_used_and_stays(lab: Any) -> None:
    lab.cluster.call("POST", f"{PATH}/rules", {**SSH, "enable": 1})
    await lab.applied(firewall([SSH, API]))
    assert ports(lab.cluster) == ["22", "8006"]
    await lab.engine.apply(await lab.engine.delete("shop"))
    assert ports(lab.cluster) == ["22"]


async def test_somebody_elses_edit_of_our_rule_is_a_conflict_that_names_it(lab: Any) -> None:
    text = firewall([SSH, API])
    await lab.applied(text)
    lab.cluster.call("PUT", f"{PATH}/rules/0", {"comment": "hands off", "enable": 0})
    plan = await lab.plan(text)
    (conflict,) = plan.object("Firewall/cluster").conflicts
    assert conflict.path == "rules.in ACCEPT -proto tcp -dport 22"
    assert (conflict.base, conflict.live) == ("enabled # ssh", "disabled # hands off")
    await lab.applied(text, resolve={"rules": "ours"})
    assert rules(lab.cluster)[0]["comment"] == "ssh"


async def test_somebody_elses_reordering_of_our_rules_is_a_conflict(lab: Any) -> None:
    text = firewall([SSH, API, DROP])
    await lab.applied(text)
    lab.cluster.call("PUT", f"{PATH}/rules/0", {"moveto": 2})
    plan = await lab.plan(text)
    assert [change.path for change in plan.object("Firewall/cluster").conflicts] == ["order"]
    await lab.applied(text, resolve={"order": "ours"})
    assert ports(lab.cluster) == ["22", "8006", "DROP"]


async def test_an_edit_of_our_rule_between_plan_and_apply_stops_the_step(lab: Any) -> None:
    await lab.applied(firewall([SSH, API]))
    plan = await lab.plan(firewall([{**SSH, "comment": "new words"}, API]))
    lab.cluster.call("PUT", f"{PATH}/rules/0", {"comment": "theirs"})
    report = await lab.engine.apply(plan)
    assert "somebody changed it" in report.failed[0].reason
    assert rules(lab.cluster)[0]["comment"] == "theirs"


async def test_rules_that_lock_everybody_out_are_refused_in_planning(lab: Any) -> None:
    plan = await lab.plan(firewall([DROP, SSH, API], options={"enable": True}))
    assert plan.steps == ()
    assert "nobody could reach SSH of pve1" in plan.errors[0].message


async def test_sets_aliases_and_groups_are_made_before_the_rules_that_name_them(lab: Any) -> None:
    spec: dict[str, Any] = {
        "aliases": {"Desk": "192.0.2.66 # Ada"},
        "ipsets": {"office": {"entries": ["192.0.2.0/24", "!192.0.2.99 # printer", "desk"]}},
        "groups": {"web": {"comment": "front", "rules": [port(80), port(443)]}},
    }
    text = firewall(
        [{**SSH, "source": "+office"}, {**API, "source": "desk"}, {"type": "group",
         "action": "web"}], **spec,
    )  # fmt: skip
    await lab.applied(text)
    assert [row["type"] for row in rules(lab.cluster)] == ["in", "in", "group"]
    entries = lab.cluster.call("GET", f"{PATH}/ipset/office")
    assert {row["cidr"]: row.get("nomatch", 0) for row in entries} == {
        "192.0.2.0/24": 0, "192.0.2.99": 1, "desk": 0,
    }  # fmt: skip
    await quiet(lab, text)
    smaller = firewall([{**SSH, "source": "+office"}],
                       ipsets={"office": {"entries": ["192.0.2.0/24"]}})  # fmt: skip
    await lab.applied(smaller)
    assert lab.cluster.call("GET", f"{PATH}/groups") == []
    assert lab.cluster.call("GET", f"{PATH}/aliases") == []
    await quiet(lab, smaller)


async def test_a_guests_firewall_comes_with_the_guest_and_is_found_by_its_address(
    lab: Any,
) -> None:
    guest = """
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {name: web-1}
spec:
  source: {clone: {template: debian-13}}
---
"""
    own = firewall([port(80), DROP], name="web-1", guest="VirtualMachine/web-1",
                   options={"enable": True, "policy_in": "DROP"})  # fmt: skip
    await lab.applied(guest + own)
    vmid = lab.vmid("web-1")
    node = lab.cluster.guests[vmid].node
    found = rules(lab.cluster, f"/nodes/{node}/qemu/{vmid}/firewall")
    assert [row.get("dport", row["action"]) for row in found] == ["80", "DROP"]
    await quiet(lab, guest + own)


async def test_a_nodes_firewall(lab: Any) -> None:
    text = firewall([port(9100)], name="pve2", node="pve2", options={"log_level_in": "info"})
    await lab.applied(text)
    assert len(rules(lab.cluster, "/nodes/pve2/firewall")) == 1
    assert rules(lab.cluster, "/nodes/pve1/firewall") == []
    await quiet(lab, text)


async def test_a_lost_answer_inserts_no_rule_twice(lab: Any) -> None:
    lab.recorder.lose = {"/cluster/firewall/rules"}
    await lab.applied(firewall([SSH, API, DROP]))
    assert ports(lab.cluster) == ["22", "8006", "DROP"]


async def test_rollback_brings_the_rules_before_back(lab: Any) -> None:
    await lab.applied(firewall([SSH, API, port(80)]))
    await lab.applied(firewall([port(443), API, SSH]))
    lab.cluster.call("POST", f"{PATH}/rules", {**port(7777), "enable": 1})
    report = await lab.engine.apply(await lab.engine.rollback("shop"))
    assert report.ok
    assert [each for each in ports(lab.cluster) if each != "7777"] == ["22", "8006", "80"]


@pytest.mark.parametrize("mistake", [{"action": "ALLOW"}, {"dport": ""}, {"type": "inn"}])
async def test_a_mistake_in_a_rule_is_found_before_planning(
    lab: Any, mistake: dict[str, Any]
) -> None:
    from pmpc_reconcile.manifests import ManifestInvalid

    with pytest.raises(ManifestInvalid):
        await lab.plan(firewall([{**SSH, **mistake}]))
