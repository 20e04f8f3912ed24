"""Sets of addresses: sources of rules as intervals, and one address for each that matters."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Final

from pmpc_reconcile.groups.firewall.state import Level

Interval = tuple[int, int, int]
"""IP version, first and last address as numbers."""

_LAST: Final = {4: 2**32 - 1, 6: 2**128 - 1}


def interval_of(text: str) -> Interval | None:
    """Return the addresses of a text such as `10.0.0.0/8` or `10.0.0.1-10.0.0.9`."""
    first, dash, last = text.partition("-")
    try:
        if dash:
            low, high = ipaddress.ip_address(first), ipaddress.ip_address(last)
            return low.version, int(low), int(high)
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
    return network.version, int(network.network_address), int(network.broadcast_address)


class Names:
    """What names of aliases and sets stand for, the level's own before the cluster's."""

    def __init__(self, own: Level, cluster: Level) -> None:
        self._own = own
        self._cluster = cluster

    def intervals(self, text: str) -> tuple[tuple[Interval, ...], tuple[Interval, ...]]:
        """Return the addresses a source or destination matches, and the exceptions."""
        matched: list[Interval] = []
        without: list[Interval] = []
        for part in text.split(","):
            if part.startswith("+"):
                inside, outside = self._set(part.removeprefix("+"))
                matched += inside
                without += outside
            else:
                matched += self._single(part)
        return tuple(matched), tuple(without)

    def _single(self, text: str) -> list[Interval]:
        found = interval_of(text)
        if found is None:
            scope, name = _scoped(text)
            for level in self._levels(scope):
                if name.lower() in level.aliases:
                    found = interval_of(level.aliases[name.lower()].cidr)
                    break
        return [] if found is None else [found]

    def _set(self, text: str) -> tuple[list[Interval], list[Interval]]:
        scope, name = _scoped(text)
        for level in self._levels(scope):
            if name in level.ipsets:
                inside: list[Interval] = []
                outside: list[Interval] = []
                for cidr, attributes in level.ipsets[name].entries.items():
                    where = outside if attributes.startswith("nomatch") else inside
                    where += self._single(cidr)
                return inside, outside
        return [], []

    def _levels(self, scope: str) -> Iterable[Level]:
        if scope == "dc":
            return (self._cluster,)
        return (self._own,) if scope == "guest" else (self._own, self._cluster)


def _scoped(text: str) -> tuple[str, str]:
    scope, slash, name = text.partition("/")
    return (scope, name) if slash else ("", text)


def within(address: tuple[int, int], intervals: Iterable[Interval]) -> bool:
    """Return whether an address, as version and number, is in one of the intervals."""
    version, number = address
    return any(other == version and first <= number <= last for other, first, last in intervals)


def samples(intervals: Iterable[Interval]) -> tuple[tuple[int, int], ...]:
    """Return one address of every region that the intervals tell apart.

    Whatever is decided by these intervals alone is the same everywhere in a region.
    """
    found: set[tuple[int, int]] = {(4, 1), (6, 1)}
    for version, first, last in intervals:
        found.add((version, first))
        if last < _LAST[version]:
            found.add((version, last + 1))
    return tuple(sorted(found))


def mentioned(levels: Mapping[str, Level], cluster: Level) -> tuple[set[Interval], set[Interval]]:
    """Return every interval that sources, and every one that destinations, may mean."""
    sources: set[Interval] = set()
    destinations: set[Interval] = set()
    for level in (cluster, *levels.values()):
        names = Names(level, cluster)
        for alias in level.aliases.values():
            sources.update(names.intervals(alias.cidr)[0])
        for ipset in level.ipsets:
            inside, outside = names.intervals(f"+{ipset}")
            sources.update((*inside, *outside))
        for name in level.lists:
            for rule in level.list(name):
                criteria = rule.criteria
                inside, outside = names.intervals(criteria.get("source", ""))
                sources.update((*inside, *outside))
                inside, outside = names.intervals(criteria.get("dest", ""))
                destinations.update((*inside, *outside))
    return sources, destinations
