"""Generated specs of the kinds that are no guests."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

import yaml

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


def manifest_of(kind: str, spec: Spec) -> str:
    """Return a spec as the manifest of an object named `it`."""
    document = {"apiVersion": "pmpc/v1", "kind": kind, "metadata": {"name": "it"}, "spec": spec}
    return yaml.safe_dump(document, sort_keys=False)
