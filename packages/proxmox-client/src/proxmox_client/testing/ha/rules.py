"""Rules: what they may say, and where they let a service run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from proxmox_client.testing.formats import split_list
from proxmox_client.testing.ha.state import HaState, Service, ha, service_of

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

Rule = dict[str, Any]


def members(rule: Rule) -> list[str]:
    """Return the services a rule is about."""
    return [sid if ":" in sid else f"vm:{sid}" for sid in split_list(rule.get("resources", ""))]


def priorities(rule: Rule) -> dict[str, int]:
    """Return a node-affinity rule's nodes and their priorities."""
    pairs = (entry.partition(":") for entry in split_list(rule.get("nodes", "")))
    return {node: int(priority or 0) for node, _, priority in pairs}


def complaint(state: HaState, name: str, rule: Rule) -> str | None:
    """Return why a rule is invalid together with the others; None if it is not."""
    others = {key: other for key, other in state.rules.items() if key != name}
    sids = members(rule)
    if rule["type"] == "resource-affinity":
        if len(sids) < 2:
            return "rule is ineffective as there are less than two resources"
        for other in others.values():
            shared = set(sids) & set(members(other))
            both_positive = rule.get("affinity") == other.get("affinity") == "positive"
            if other["type"] == rule["type"] and len(shared) > 1 and not both_positive:
                word = other.get("affinity")
                return f"rule shares two or more resources with a {word} resource affinity rule"
        return None
    for other in others.values():
        for sid in sids:
            if other["type"] == rule["type"] and sid in members(other):
                return f"resource '{sid}' is already used in another node affinity rule"
    return None


def _of(state: HaState, sid: str, kind: str) -> Iterator[Rule]:
    for rule in state.rules.values():
        if rule["type"] == kind and not rule.get("disable") and sid in members(rule):
            yield rule


def companions(state: HaState, sid: str, affinity: str) -> list[Service]:
    """Return the services that a rule binds to (positive) or keeps from (negative) a service."""
    return [
        state.services[other]
        for rule in _of(state, sid, "resource-affinity")
        if rule.get("affinity") == affinity
        for other in members(rule)
        if other != sid and other in state.services
    ]


def blockers(cluster: SimulatedCluster, vmid: int, node: str) -> list[dict[str, str]]:
    """Return the services on a node that a rule keeps from a guest."""
    service = service_of(cluster, vmid)
    if service is None:
        return []
    return [
        {"sid": other.sid, "cause": "resource-affinity"}
        for other in companions(ha(cluster), service.sid, "negative")
        if other.node == node
    ]


def dependents(cluster: SimulatedCluster, vmid: int) -> dict[str, list[str]]:
    """Return which services move along with a guest; nothing for one that is no service."""
    service = service_of(cluster, vmid)
    if service is None:
        return {}
    together = companions(ha(cluster), service.sid, "positive")
    return {"dependent-ha-resources": [other.sid for other in together]}


def candidates(cluster: SimulatedCluster, service: Service) -> list[str]:
    """Return the nodes the rules let a service run on now, all equally good."""
    state = ha(cluster)
    nodes = [node.name for node in cluster.nodes.values() if node.online and node.away is None]
    for rule in _places(state, service):
        ranks = {name: rank for name, rank in priorities(rule).items() if name in nodes}
        best = [name for name, rank in ranks.items() if rank == max(ranks.values())]
        if best or rule.get("strict"):
            nodes = best
    apart = {other.node for other in companions(state, service.sid, "negative")}
    nodes = [name for name in nodes if name not in apart]
    together = {other.node for other in companions(state, service.sid, "positive")} & set(nodes)
    return sorted(together) or nodes


def _places(state: HaState, service: Service) -> Iterator[Rule]:
    """Yield what says where a service may run: rules, or the group it is in."""
    yield from _of(state, service.sid, "node-affinity")
    group = state.groups.get(service.options.get("group", ""))
    if group is not None:
        yield {**group, "strict": group.get("restricted")}


def stays(cluster: SimulatedCluster, service: Service) -> bool:
    """Whether a service that runs well enough is not moved to a better node."""
    state = ha(cluster)
    group = state.groups.get(service.options.get("group", ""), {})
    if service.options.get("failback", 1) and not group.get("nofailback"):
        return False
    return any(service.node in priorities(rule) for rule in _places(state, service))


def best_node(cluster: SimulatedCluster, service: Service, *, without: str = "") -> str | None:
    """Choose the node with the fewest guests running among those a service may run on."""
    state = ha(cluster)
    due = {other.vmid for other in state.services.values() if other.crm_state == "started"}

    def load(name: str) -> tuple[int, str]:
        guests = [guest for guest in cluster.guests.values() if guest.node == name]
        return sum(guest.running or guest.vmid in due for guest in guests), name

    found = [name for name in candidates(cluster, service) if name != without]
    return min(found, key=load, default=None)
