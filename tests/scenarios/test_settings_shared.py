"""Two releases declare the same item: it stays until the last of them lets go of it.

Pain: deleting one stack takes away the bridge, the zone or the rule that another one needs.
"""

from __future__ import annotations

from typing import Any

import pytest

from pmpc_reconcile.manifests import load_text
from pmpc_reconcile.plans.model import Plan

HEAD = "apiVersion: pmpc/v1\nkind: {}\nmetadata: {{name: {}}}\nspec:\n{}"
SPECS = {
    "rule": ("Firewall", "  rules: [{type: in, action: ACCEPT, proto: tcp, dport: 443}]"),
    "alias": ("Firewall", "  aliases: {desk: 192.0.2.66}"),
    "set": ("Firewall", "  ipsets: {office: {entries: [192.0.2.0/24]}}"),
    "group": ("Firewall", "  groups: {web: {rules: [{type: in, action: ACCEPT, dport: 443, "
                          "proto: tcp}]}}"),
    "networks": ("Sdn", "  zones: {lab: {type: vlan, bridge: vmbr0}}\n  vnets: {web: {zone: lab, "
                        "tag: 20}}\n  subnets: {10.5.0.0/24: {vnet: web}}"),
    "bridge": ("NodeNetwork", "  node: pve1\n  interfaces: {vmbr7: {type: bridge, comments: c}}"),
    "storage": ("Storage", "  type: dir\n  config: {path: /srv/tank, content: [iso]}"),
    "image": ("Image", "  {storage: local, content: iso, nodes: [pve1], "
                       "url: 'https://images.example.org/debian.iso'}"),
}  # fmt: skip
PATHS = [
    "/cluster/firewall/rules", "/cluster/firewall/ipset", "/cluster/firewall/aliases",
    "/cluster/firewall/groups", "/cluster/sdn/zones", "/cluster/sdn/vnets", "/nodes/pve1/network",
    "/storage", "/nodes/pve1/storage/local/content",
]  # fmt: skip


def manifest(case: str, release: str) -> str:
    kind, spec = SPECS[case]
    name = "tank" if kind in ("Storage", "Image") else f"of-{release}"
    return HEAD.format(kind, name, spec) + "\n"


def seen(lab: Any) -> list[str]:
    lab.cluster.clock.advance(30)
    return [
        str(sorted(str({k: v for k, v in row.items() if k not in ("digest", "pos")})
                   for row in lab.cluster.call("GET", path)))
        for path in PATHS
    ]  # fmt: skip


async def apply(lab: Any, case: str, release: str) -> Plan:
    plan: Plan = await lab.engine.plan(load_text(manifest(case, release)), release)
    report = await lab.engine.apply(plan)
    assert report.ok, [item.reason for item in report.failed]
    return plan


async def delete(lab: Any, release: str) -> None:
    report = await lab.engine.apply(await lab.engine.delete(release))
    assert report.ok, [item.reason for item in report.failed]


async def quiet(lab: Any, case: str, release: str) -> None:
    lab.forget_writes()
    for _ in range(3):
        assert (await apply(lab, case, release)).empty
    assert lab.writes == []


@pytest.fixture
def empty(lab: Any) -> Any:
    lab.cluster.downloads["https://images.example.org/debian.iso"] = b"iso"
    return lab


@pytest.mark.parametrize("order", ["shop web", "web shop"])
@pytest.mark.parametrize("case", SPECS)
async def test_it_goes_with_the_last_of_them(empty: Any, case: str, order: str) -> None:
    nothing = seen(empty)
    for release in ("shop", "web"):
        await apply(empty, case, release)
        await quiet(empty, case, release)
    both = seen(empty)
    assert both != nothing
    first, last = order.split()
    await delete(empty, first)
    assert seen(empty) == both
    await quiet(empty, case, last)
    await delete(empty, last)
    assert seen(empty) == nothing


@pytest.mark.parametrize("case", SPECS)
async def test_what_was_there_before_both_stays(empty: Any, case: str) -> None:
    await apply(empty, case, "people")
    plan = await empty.engine.delete("people", keep="*")
    assert (await empty.engine.apply(plan)).ok
    before = seen(empty)
    for release in ("shop", "web"):
        await apply(empty, case, release)
    for release in ("shop", "web"):
        await delete(empty, release)
        assert seen(empty) == before


PARTS = """  aliases: {desk: 192.0.2.66}
  ipsets: {office: {entries: [192.0.2.0/24]}}
  groups: {web: {rules: [{type: in, action: ACCEPT, proto: tcp, dport: 443}]}}
"""
USING = """  rules:
    - {type: in, action: ACCEPT, source: +office}
    - {type: in, action: ACCEPT, dest: desk}
    - {type: group, action: web}
"""


async def test_whose_rules_lose_what_they_name_is_said(empty: Any) -> None:
    """PVE lets a set go that rules name, and skips those rules without a word."""
    for release, spec in (("shop", PARTS), ("web", USING)):
        text = HEAD.format("Firewall", release, spec)
        assert (await empty.engine.apply(await empty.engine.plan(load_text(text), release))).ok
    plan = await empty.engine.delete("shop")
    told = plan.explain()
    for name in ("+office", "desk", "group web"):
        assert f"names {name}, which is gone then" in told
    assert not plan.errors


async def test_rules_that_go_in_the_same_plan_are_not_mentioned(empty: Any) -> None:
    text = f"{HEAD.format('Firewall', 'a', PARTS)}\n---\n{HEAD.format('Firewall', 'b', USING)}"
    assert (await empty.engine.apply(await empty.engine.plan(load_text(text), "shop"))).ok
    plan = await empty.engine.delete("shop")
    assert "gone then" not in plan.explain()
    assert (await empty.engine.apply(plan)).ok
