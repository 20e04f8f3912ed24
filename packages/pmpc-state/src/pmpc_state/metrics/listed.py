"""Samples from the lists a sync reads anyway."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from pmpc_state.values.inventory import ObservedItem, Section
from pmpc_state.values.samples import Sample

_GAUGES: Final = ("cpu", "mem", "disk")
"""What is a level at a moment; counters like netin are rates in PVE's statistics."""
_UP: Final = {"qemu": "running", "lxc": "running", "node": "online"}


def listed_samples(sections: Iterable[Section], at: datetime) -> Iterator[Sample]:
    """Return what lists say of nodes, guests and storages at a moment.

    `up` is 1 while a guest runs or a node is online, so that its mean is the availability.
    """
    for section in sections:
        if section.name in _UP:
            for item in section.items:
                yield from _of_machine(item, at)
        elif section.name == "storage":
            for item in section.items:
                yield from _of_storage(item, at)


def _of_machine(item: ObservedItem, at: datetime) -> Iterator[Sample]:
    if item.status in (None, "unknown"):
        return
    up = item.status == _UP[item.kind]
    yield Sample(item.kind, item.key, "up", at, float(up))
    if up:
        for name in _GAUGES:
            value = item.facts.get(name)
            if isinstance(value, int | float):
                yield Sample(item.kind, item.key, name, at, float(value))


def _of_storage(item: ObservedItem, at: datetime) -> Iterator[Sample]:
    """Sum what a storage holds over its nodes; a shared one counts once."""
    used: dict[str, float] = {}
    for node, one in dict(item.facts.get("nodes", {})).items():
        if isinstance(one.get("disk"), int | float) and one.get("status") == "available":
            used["" if one.get("shared") else node] = float(one["disk"])
    if used:
        yield Sample(item.kind, item.key, "disk", at, sum(used.values()))
