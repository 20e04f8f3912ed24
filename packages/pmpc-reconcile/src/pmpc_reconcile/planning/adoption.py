"""Write manifests of settings nobody manages yet, from what the server shows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Final

import attrs

from pmpc_reconcile.groups.firewall.state import Level, Rules
from pmpc_reconcile.kinds import Shape, kind, options_of
from pmpc_reconcile.live import Inventory, LiveCluster
from pmpc_reconcile.live.firewall import CLUSTER_PATH, read_level
from pmpc_reconcile.live.network import read_network
from pmpc_reconcile.live.sdn import read_sdn
from pmpc_reconcile.manifests import API_VERSION
from pmpc_reconcile.plans.settings import RECORD_KINDS

_OWN_PATH: Final = frozenset({"nfs", "cifs", "cephfs", "glusterfs"})
"""Types of storages whose path PVE makes up."""


@attrs.frozen
class Adopted:
    """One object's manifest.

    Attributes:
        key: Under which it would be recorded.
        document: The manifest.
    """

    key: str
    document: Mapping[str, Any]

    @property
    def address(self) -> str:
        """Return the address of the object."""
        return f"{self.document['kind']}/{self.document['metadata']['name']}"


Writer = Callable[[LiveCluster, Inventory], Awaitable[list[Adopted]]]


async def settings_to_adopt(
    live: LiveCluster,
    names: Sequence[str],
    wanted: Sequence[str],
    taken: Collection[tuple[str, str]],
) -> tuple[list[Adopted], list[str]]:
    """Return manifests of settings, and what is left out with the reason.

    Args:
        live: The cluster.
        names: Names as they would have; none for all.
        wanted: Kinds of settings.
        taken: What other releases manage, as kind and key of the records.
    """
    inventory = await live.inventory()
    found: list[Adopted] = []
    left: list[str] = []
    for name in wanted:
        for each in await _WRITERS[name](live, inventory):
            called = str(each.document["metadata"]["name"])
            if names and called not in names:
                continue
            if (RECORD_KINDS[name], each.key) in taken:
                left.append(f"{each.address}: another release manages it")
            else:
                found.append(each)
    return found, left


async def _storages(live: LiveCluster, inventory: Inventory) -> list[Adopted]:
    options = options_of(kind("Storage"))
    found: list[Adopted] = []
    for row in await live.read("/storage"):
        config = {
            name: value
            for name, value in sorted(row.items())
            if (option := options.find(name)) is not None and option.shape is not Shape.SECRET
        }
        if row["type"] in _OWN_PATH:
            config.pop("path", None)
        name = str(row["storage"])
        found.append(_adopted("Storage", name, name, {"type": row["type"], "config": config}))
    return found


async def _sdn(live: LiveCluster, inventory: Inventory) -> list[Adopted]:
    running = (await read_sdn(live)).running
    spec = {
        section: {name: dict(options) for name, options in objects.items()}
        for section, objects in running.items()
        if objects
    }
    return [_adopted("Sdn", "cluster", "cluster", spec)] if spec else []


async def _networks(live: LiveCluster, inventory: Inventory) -> list[Adopted]:
    found: list[Adopted] = []
    for node in sorted(inventory.nodes):
        if inventory.reachable(node):
            interfaces = (await read_network(live, node)).interfaces
            spec = {
                "node": node,
                "interfaces": {name: dict(options) for name, options in interfaces.items()},
            }
            found.append(_adopted("NodeNetwork", node, f"node/{node}", spec))
    return found


async def _firewalls(live: LiveCluster, inventory: Inventory) -> list[Adopted]:
    places = [("cluster", "cluster", CLUSTER_PATH, dict[str, Any]())]
    for node in sorted(inventory.nodes):
        if inventory.reachable(node):
            path = f"/nodes/{node}/firewall"
            places.append((node, f"node/{node}", path, {"node": node}))
    for vmid, entry in sorted(inventory.guests.items()):
        if inventory.reachable(entry.node):
            path = f"/nodes/{entry.node}/{entry.guest}/{vmid}/firewall"
            places.append((f"guest-{vmid}", f"guest/{vmid}", path, {"guest": vmid}))
    found: list[Adopted] = []
    for name, key, path, head in places:
        level = (await read_level(live, path)).level
        if level != Level():
            found.append(_adopted("Firewall", name, key, {**head, **_level(level)}))
    return found


_WRITERS: Final[Mapping[str, Writer]] = {
    "Storage": _storages,
    "Sdn": _sdn,
    "NodeNetwork": _networks,
    "Firewall": _firewalls,
}
ADOPTABLE: Final = tuple(_WRITERS)
"""Kinds of settings that can be adopted; nobody knows where an image came from."""


def _adopted(kind_name: str, name: str, key: str, spec: Mapping[str, Any]) -> Adopted:
    document = {
        "apiVersion": API_VERSION,
        "kind": kind_name,
        "metadata": {"name": name},
        "spec": dict(spec),
    }
    return Adopted(key, document)


def _level(level: Level) -> dict[str, Any]:
    """Return a level of the firewall in a manifest's words."""
    spec: dict[str, Any] = {
        "options": dict(level.options),
        "aliases": {name: _noted(a.cidr, a.comment) for name, a in level.aliases.items()},
        "ipsets": {
            name: {
                **({"comment": ipset.comment} if ipset.comment else {}),
                "entries": [_entry(cidr, text) for cidr, text in ipset.entries.items()],
            }
            for name, ipset in level.ipsets.items()
        },
        "groups": {
            name: {
                **({"comment": group.comment} if group.comment else {}),
                "rules": list(_rules(group.rules)),
            }
            for name, group in level.groups.items()
        },
        "rules": list(_rules(level.rules)),
    }
    return {name: value for name, value in spec.items() if value}


def _rules(rules: Rules) -> Iterator[dict[str, Any]]:
    seen: set[str] = set()
    for rule in rules:
        if rule.match not in seen:  # a second one of the same match has no effect
            seen.add(rule.match)
            yield {**rule.parameters(), "enable": rule.enabled}


def _entry(cidr: str, text: str) -> str:
    word, _, comment = text.partition(" # ")
    return _noted(f"!{cidr}" if word == "nomatch" else cidr, comment)


def _noted(text: str, comment: str) -> str:
    return f"{text} # {comment}" if comment else text
