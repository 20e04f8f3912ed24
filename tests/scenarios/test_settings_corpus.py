"""Generated configurations of the kinds that are no guests: applied, then planned three times.

Each version gets one cluster on which one configuration follows the other, so updates, moves and
removals are among what is applied. The order of what has none, and defaults written out, change
nothing.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from pmpc_state import State

VERSIONS = ["8.4", "9.0", "9.1", "9.2"]
ROUNDS = 8

Spec = dict[str, Any]


def some(chance: random.Random, items: list[Any], least: int = 0) -> list[Any]:
    return chance.sample(items, chance.randint(least, len(items)))


def a_rule(chance: random.Random, number: int) -> Spec:
    rule: Spec = {"type": chance.choice(["in", "in", "out"]), "action": "ACCEPT"}
    rule |= {"proto": "tcp", "dport": str(3000 + number)}
    if chance.random() < 0.3:
        rule["source"] = chance.choice(["10.0.0.0/8", "+office", "desk", "192.0.2.4/32"])
    if chance.random() < 0.3:
        rule["comment"] = f"rule {number}"
    if chance.random() < 0.2:
        rule["enable"] = chance.choice([True, False])
    if chance.random() < 0.2:
        rule["log"] = chance.choice(["info", "nolog"])
    return rule


def firewall(chance: random.Random) -> Spec:
    rules = [a_rule(chance, number) for number in some(chance, list(range(12)))]
    rules += [{"type": "group", "action": "web"}] * chance.randint(0, 1)
    return {
        "options": dict(some(chance, [("enable", True), ("policy_out", "ACCEPT"),
                                      ("policy_in", "DROP"), ("ebtables", True)])),
        "aliases": {"desk": "192.0.2.66 # Ada"},
        "ipsets": {"office": {"entries": some(chance, ["192.0.2.0/24", "desk", "!192.0.2.9",
                                                       "2001:db8::/32", "10.1.1.1 # x"])}},
        "groups": {"web": {"rules": [a_rule(chance, n) for n in some(chance, [80, 81, 82])
                                     ]}},
        "rules": rules,
    }  # fmt: skip


def sdn(chance: random.Random) -> Spec:
    zones: Spec = {"z0": {"type": "simple", "ipam": "pve"}}
    for name in some(chance, ["z1", "z2"], 1):
        zones[name] = {"type": "vlan", "bridge": "vmbr0", "nodes": some(chance, ["pve1", "pve2"],
                       1), "mtu": chance.choice([1450, 1500])}  # fmt: skip
    vnets: Spec = {"v0": {"zone": "z0"}}
    for number, zone in enumerate(some(chance, [name for name in zones if name != "z0"])):
        vnets[f"v{number + 1}"] = {"zone": zone, "tag": 20 + number, "alias": "front"}
    subnets: Spec = {}
    for number in some(chance, [1, 2, 3]):
        subnets[f"10.{number}.0.0/24"] = {
            "vnet": "v0", "gateway": f"10.{number}.0.1",
            "dhcp-range": some(chance, [f"10.{number}.0.10-10.{number}.0.19",
                                        f"10.{number}.0.30-10.{number}.0.39"], 1),
        }  # fmt: skip
    return {"zones": zones, "vnets": vnets, "subnets": subnets}


def network(chance: random.Random) -> Spec:
    interfaces: Spec = {}
    for number in some(chance, [1, 2, 3, 4]):
        interfaces[f"vmbr{number}"] = {
            "type": "bridge", "autostart": chance.choice([True, False]),
            **dict(some(chance, [("cidr", f"10.60.{number}.1/24"), ("comments", "guests"),
                                 ("bridge_vlan_aware", True), ("mtu", 9000)])),
        }  # fmt: skip
    if chance.random() < 0.5:
        interfaces["vmbr0.7"] = {"type": "vlan", "cidr": "10.70.0.1/24", "autostart": True}
    return {"node": "pve1", "interfaces": interfaces}


def storage(chance: random.Random) -> Spec:
    return {
        "type": "nfs",
        "config": {
            "server": "10.77.0.200", "export": "/tank",
            "content": some(chance, ["iso", "images", "backup", "vztmpl"], 1),
            **dict(some(chance, [("nodes", ["pve2", "pve1"]), ("disable", True),
                                 ("prune-backups", {"keep-last": 3, "keep-daily": 2})])),
        },
    }  # fmt: skip


def image(chance: random.Random) -> Spec:
    name = chance.choice(["one", "two"])
    return {
        "storage": "local", "content": "iso", "url": f"https://images.example.org/{name}.iso",
        "nodes": some(chance, ["pve1", "pve2", "pve3"], 1),
    }  # fmt: skip


MAKERS: Mapping[str, Callable[[random.Random], Spec]] = {
    "Firewall": firewall,
    "Sdn": sdn,
    "NodeNetwork": network,
    "Storage": storage,
    "Image": image,
}
DEFAULTS: Mapping[str, Callable[[Spec], object]] = {
    "Firewall": lambda spec: spec["options"].setdefault("policy_forward", "ACCEPT"),
    "Sdn": lambda spec: [vnet.setdefault("vlanaware", False) for vnet in spec["vnets"].values()],
    "NodeNetwork": lambda spec: [
        each.setdefault("bridge_vlan_aware", False) for each in spec["interfaces"].values()
    ],
    "Storage": lambda spec: spec["config"].setdefault("disable", False),
    "Image": lambda spec: None,
}
ORDERED = ("rules",)


def permuted(chance: random.Random, value: Any, name: str = "") -> Any:
    """Return a value with everything in another order whose order says nothing."""
    if isinstance(value, dict):
        items = list(cast("Spec", value).items())
        chance.shuffle(items)
        return {key: permuted(chance, entry, key) for key, entry in items}
    if isinstance(value, list):
        entries = [permuted(chance, value[index]) for index in range(len(cast("Any", value)))]
        if name not in ORDERED:
            chance.shuffle(entries)
        return entries
    return value


def manifest(kind: str, spec: Spec) -> str:
    document = {"apiVersion": "pmpc/v1", "kind": kind, "metadata": {"name": "it"}, "spec": spec}
    return yaml.safe_dump(document, sort_keys=False)


@pytest.fixture(params=VERSIONS)
async def versioned(
    request: Any, tmp_path: Path, furnished: Any, lab_type: Any
) -> AsyncIterator[Any]:
    cluster = furnished(version=request.param)
    for name in ("one", "two"):
        cluster.downloads[f"https://images.example.org/{name}.iso"] = name.encode()
    with State.open(f"sqlite:///{tmp_path / 'state.db'}", now=cluster.clock.now) as state:
        lab = lab_type(cluster, state)
        async with lab.client:
            yield lab


@pytest.mark.parametrize("kind", MAKERS)
async def test_what_was_applied_needs_nothing_any_more(versioned: Any, kind: str) -> None:
    lab, chance = versioned, random.Random(kind)
    for _ in range(ROUNDS):
        spec = MAKERS[kind](chance)
        plan = await lab.engine.plan(_load(manifest(kind, spec)), "shop")
        report = await lab.engine.apply(plan)
        assert report.ok, (spec, [each.reason for each in report.failed])
        await unchanged(lab, kind, spec, chance)
    report = await lab.engine.apply(await lab.engine.delete("shop"))
    assert report.ok, [each.reason for each in report.failed]


async def unchanged(lab: Any, kind: str, spec: Spec, chance: random.Random) -> None:
    lab.forget_writes()
    for text in (
        manifest(kind, spec),
        manifest(kind, permuted(chance, spec)),
        manifest(kind, with_defaults(kind, spec)),
    ):
        plan = await lab.engine.plan(_load(text), "shop")
        assert plan.empty, (spec, plan.explain())
        assert (await lab.engine.apply(plan)).ok
    assert lab.writes == []


def with_defaults(kind: str, spec: Spec) -> Spec:
    copy: Spec = yaml.safe_load(yaml.safe_dump(spec))
    DEFAULTS[kind](copy)
    return copy


def _load(text: str) -> Any:
    from pmpc_reconcile.manifests import load_text

    return load_text(text)
