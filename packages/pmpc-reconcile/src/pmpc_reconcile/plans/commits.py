"""One commit for all steps about what PVE applies as a whole: the cluster's networks, a node's.

Each object keeps its own step, so that what became of it is known by itself. Whichever of them
comes first makes the changes of all; the others find theirs in force.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import attrs

from pmpc_reconcile.plans.model import ObjectPlan
from pmpc_reconcile.plans.settings import KEY
from pmpc_reconcile.plans.steps import Configure, Step

_KINDS: Final = ("Sdn", "NodeNetwork")


def together(steps: Iterable[Step], objects: Iterable[ObjectPlan]) -> tuple[Step, ...]:
    """Return steps, those of one commit following each other and knowing each other's changes."""
    found = {step.id: step for step in steps}
    keys = {item.address: item.evidence.get(KEY, "") for item in objects if item.kind in _KINDS}
    groups: dict[tuple[str, str], list[Configure]] = {}
    for step in found.values():
        if isinstance(step, Configure) and step.address in keys:
            kind = step.address.partition("/")[0]
            groups.setdefault((kind, keys[step.address]), []).append(step)
    for members in groups.values():
        for step in _one_commit(members, found):
            found[step.id] = step
    return tuple(found.values())


def _one_commit(members: Sequence[Configure], steps: Mapping[str, Step]) -> Iterator[Configure]:
    ids = {step.id for step in members}
    before: tuple[str, ...] = tuple(
        dict.fromkeys(
            other
            for step in members
            for other in step.after
            if not _waits_for(other, ids, steps, set())
        )
    )
    for step in members:
        others = [other for other in members if other is not step]
        along = tuple(change for other in others for change in other.changes)
        summary = step.summary
        if others and not step.along:
            summary += f", together with {', '.join(other.address for other in others)}"
        after = tuple(dict.fromkeys((*before, *(name for name in step.after if name not in ids))))
        yield attrs.evolve(step, after=after, along=along, summary=summary)
        before = (step.id,)


def _waits_for(name: str, ids: set[str], steps: Mapping[str, Step], seen: set[str]) -> bool:
    """Return whether a step is one of some, or waits for one of them."""
    if name in ids:
        return True
    if name in seen or name not in steps:
        return False
    seen.add(name)
    return any(_waits_for(other, ids, steps, seen) for other in steps[name].after)
