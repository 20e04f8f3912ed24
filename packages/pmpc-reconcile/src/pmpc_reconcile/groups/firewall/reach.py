"""Who reaches the management of a node, or a guest: SSH and the API, by the rules.

Packets are samples: one for every node, source, destination, interface and port that the rules
tell apart, so what holds for the samples holds for every packet. A node asks its own rules first,
then the cluster's (host rules are added before them), then lets in the management set, then
follows the policy; the first rule that matches decides. Answers and other packets of connections
that exist pass before all that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import attrs

from pmpc_reconcile.groups.firewall.addresses import (
    Interval,
    Names,
    interval_of,
    mentioned,
    samples,
    within,
)
from pmpc_reconcile.groups.firewall.state import Level
from pmpc_reconcile.values.rules import Rule

Safe = Callable[[Level], bool]
"""Whether a level may exist for a moment."""
PORTS: Final = {22: "SSH", 8006: "the API"}
# The ready-made rules that are about one of the ports (PVE::Firewall's table of macros).
_MACROS: Final = {"ssh": 22, "pmg": 8006}
_TCP: Final = frozenset({"tcp", "6"})
_CLIENT_PORT: Final = 40000
_OTHER: Final = "another interface"


@attrs.frozen
class Packet:
    """The first packet of a connection to a node."""

    node: str
    source: tuple[int, int]
    dest: tuple[int, int]
    iface: str
    port: int


@attrs.frozen
class Whole:
    """Everything that decides about the management of nodes.

    Attributes:
        cluster: The cluster's level.
        nodes: Each node's own level.
        addresses: Each node's address.
    """

    cluster: Level
    nodes: Mapping[str, Level] = attrs.field(factory=dict[str, Level])
    addresses: Mapping[str, str] = attrs.field(factory=dict[str, str])


def of_guest(level: Level, cluster: Level) -> Whole:
    """Return what decides about reaching a guest, in the form of a node that is alone.

    A guest's rules are asked, then its policy; the cluster's rules and its management set are about
    nodes. Its sets and aliases go before the cluster's.
    """
    own = attrs.evolve(
        level,
        options={"enable": level.options.get("enable", "0")},
        aliases={**cluster.aliases, **level.aliases},
        ipsets={**cluster.ipsets, **level.ipsets},
    )
    around = Level(
        options={
            "enable": cluster.options.get("enable", "0"),
            "policy_in": level.options.get("policy_in", "DROP"),
        },
        aliases={name: a for name, a in cluster.aliases.items() if name != "local_network"},
        ipsets={name: s for name, s in cluster.ipsets.items() if name != "management"},
        groups=cluster.groups,
    )
    return Whole(around, {"guest": own})


class Reach:
    """Tells which of its packets get in; made for all the states it is asked about.

    Args:
        states: Every configuration it shall judge, or at least the first and the last of a
            sequence of changes between them.
    """

    def __init__(self, states: Iterable[Whole]) -> None:
        self.packets = _packets(tuple(states))
        self._sources = {packet.source for packet in self.packets}
        self._dests = {packet.dest for packet in self.packets}
        self._masks: dict[tuple[object, ...], int] = {}

    def by_rules(self, whole: Whole) -> int:
        """Return the packets that get in as if every firewall were enabled, as a bit set."""
        accepted = 0
        for node in whole.nodes:
            accepted |= self._at(whole, node)
        return accepted

    def in_effect(self, whole: Whole) -> int:
        """Return the packets that get in: a firewall that is off lets everything pass."""
        accepted = 0
        for node, level in whole.nodes.items():
            on = _on(whole.cluster.options, default=False) and _on(level.options, default=True)
            accepted |= self._at(whole, node) if on else self._of_node(node)
        return accepted

    def both(self, whole: Whole) -> int:
        """Return `by_rules` and `in_effect` as one set."""
        return (self.by_rules(whole) << len(self.packets)) | self.in_effect(whole)

    def cut_off(self, whole: Whole) -> tuple[str, ...]:
        """Say what nobody would reach any more, such as `SSH of pve1`."""
        accepted = self.in_effect(whole)
        open_to = {
            (packet.node, packet.port)
            for index, packet in enumerate(self.packets)
            if accepted >> index & 1
        }
        return tuple(
            f"{what} of {node}"
            for node in sorted(whole.nodes)
            for port, what in PORTS.items()
            if (node, port) not in open_to
        )

    def _at(self, whole: Whole, node: str) -> int:
        cluster, level = whole.cluster, whole.nodes[node]
        left = self._of_node(node) & ~self._set_mask(cluster, "blacklist")
        accepted = 0
        for rule, own in (
            *((rule, level) for rule in level.rules),
            *((rule, cluster) for rule in cluster.rules),
        ):
            taken, refused = self._effect(rule, own, cluster)
            accepted |= left & taken
            left &= ~(taken | refused)
        accepted |= left & self._management(whole)
        left &= ~accepted
        policy = str(cluster.options.get("policy_in", "DROP")).upper()
        return accepted | (left if policy == "ACCEPT" else 0)

    def _effect(self, rule: Rule, own: Level, cluster: Level) -> tuple[int, int]:
        """Return which packets a rule lets in and which it refuses."""
        if not rule.enabled or rule.direction not in ("in", "group"):
            return 0, 0
        if rule.direction == "in":
            mask = self._mask(rule, own, cluster)
            return (mask, 0) if rule.action == "ACCEPT" else (0, mask)
        group = cluster.groups.get(rule.action)
        if group is None:
            return 0, 0
        left = self._mask(rule, own, cluster)  # a group may be bound to an interface
        taken = refused = 0
        for inner in group.rules:
            if inner.direction == "in":
                lets, stops = self._effect(inner, cluster, cluster)
                taken |= left & lets
                refused |= left & stops
                left &= ~(lets | stops)
        return taken, refused

    def _mask(self, rule: Rule, own: Level, cluster: Level) -> int:
        names = Names(own, cluster)
        criteria = rule.criteria
        sources = names.intervals(criteria["source"]) if "source" in criteria else None
        dests = names.intervals(criteria["dest"]) if "dest" in criteria else None
        key = (rule.match, sources, dests)
        if key not in self._masks:
            ports = {port for port in PORTS if _is_about(criteria, port)}
            from_there = {each for each in self._sources if _matches(each, sources)}
            to_there = {each for each in self._dests if _matches(each, dests)}
            iface = criteria.get("iface")
            self._masks[key] = self._bits(
                packet.port in ports
                and iface in (None, packet.iface)
                and packet.source in from_there
                and packet.dest in to_there
                for packet in self.packets
            )
        return self._masks[key]

    def _set_mask(self, cluster: Level, name: str) -> int:
        sources = Names(cluster, cluster).intervals(f"+{name}")
        return self._from(sources)

    def _management(self, whole: Whole) -> int:
        inside, outside = Names(whole.cluster, whole.cluster).intervals("+management")
        names = (whole.cluster.aliases.get("local_network"),)
        local = [alias.cidr for alias in names if alias] or list(whole.addresses.values())
        own = tuple(found for text in local if (found := interval_of(text)) is not None)
        return self._from(((*inside, *own), outside))

    def _from(self, sources: tuple[tuple[Interval, ...], tuple[Interval, ...]]) -> int:
        key = ("from", sources)
        if key not in self._masks:
            inside = {each for each in self._sources if _matches(each, sources)}
            self._masks[key] = self._bits(packet.source in inside for packet in self.packets)
        return self._masks[key]

    def _of_node(self, node: str) -> int:
        key = ("node", node)
        if key not in self._masks:
            self._masks[key] = self._bits(packet.node == node for packet in self.packets)
        return self._masks[key]

    def _bits(self, hits: Iterable[bool]) -> int:
        text = "".join("1" if hit else "0" for hit in hits)
        return int(text[::-1] or "0", 2)


def kept_reachable(now: Level, target: Level, within: Callable[[Level], Whole]) -> Safe:
    """Tell whether a level may exist for a moment: who gets in before and after gets in then.

    Args:
        now: The level as it is.
        target: As it shall be.
        within: Everything that decides, with a level in its place.
    """
    before, after = within(now), within(target)
    reach = Reach((before, after))
    kept = reach.both(before) & reach.both(after)
    return lambda each: not kept & ~reach.both(within(each))


def _packets(states: tuple[Whole, ...]) -> tuple[Packet, ...]:
    sources: set[Interval] = set()
    dests: set[Interval] = set()
    ifaces = {_OTHER}
    addresses: dict[str, str] = {}
    for whole in states:
        found = mentioned(whole.nodes, whole.cluster)
        sources |= found[0]
        dests |= found[1]
        addresses |= whole.addresses
        for level in (whole.cluster, *whole.nodes.values()):
            for name in level.lists:
                ifaces |= {rule.criteria.get("iface", _OTHER) for rule in level.list(name)}
    own = {node: interval_of(text) for node, text in addresses.items()}
    sources |= {interval for interval in own.values() if interval is not None}
    nodes = {node for whole in states for node in whole.nodes}
    return tuple(
        Packet(node, source, dest, iface, port)
        for node in sorted(nodes)
        for dest in _destinations(own.get(node), dests)
        for source in samples(sources)
        if source[0] == dest[0]
        for iface in sorted(ifaces)
        for port in PORTS
    )


def _destinations(own: Interval | None, named: set[Interval]) -> tuple[tuple[int, int], ...]:
    """Return a node's address and those that rules name: a node may have more than one."""
    found = {(version, first) for version, first, _ in named}
    found.add((4, 1) if own is None else (own[0], own[1]))
    return tuple(sorted(found))


def _matches(
    address: tuple[int, int], wanted: tuple[tuple[Interval, ...], tuple[Interval, ...]] | None
) -> bool:
    if wanted is None:
        return True
    return within(address, wanted[0]) and not within(address, wanted[1])


def _is_about(criteria: Mapping[str, str], port: int) -> bool:
    """Return whether a rule's protocol and ports allow a first packet to a port."""
    if "macro" in criteria and _MACROS.get(criteria["macro"]) != port:
        return False
    if criteria.get("proto", "tcp") not in _TCP or "icmp-type" in criteria:
        return False
    wanted = _in_ports(criteria.get("dport"), port)
    return wanted and _in_ports(criteria.get("sport"), _CLIENT_PORT)


def _in_ports(text: str | None, port: int) -> bool:
    if text is None:
        return True
    for part in text.split(","):
        first, colon, last = part.partition(":")
        low, high = _port(first), _port(last if colon else first)
        if low is not None and high is not None and low <= port <= high:
            return True
    return False


def _port(text: str) -> int | None:
    if text == "ssh":
        return 22
    return int(text) if text.isdigit() else None


def _on(options: Mapping[str, str], *, default: bool) -> bool:
    return str(options.get("enable", int(default))) not in ("0", "False", "false")
