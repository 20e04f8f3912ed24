"""The sweep: reading a little of everything each time, so that nothing stays unproven for long.

Edits that PVE makes at once leave no task, and no list has a digest: only reading again proves
that a configuration is still the recorded one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

import attrs

Name = tuple[str, str]
_NEVER: Final = timedelta(days=36_500)


@attrs.frozen
class Sweep:
    """How fresh everything should be.

    Attributes:
        within: Everything is read again within this time, if syncs come at a steady pace.
        most: At most so many requests of a sync are for the sweep, or those of a single list that
            costs more; None for as many as it takes, 0 for no sweep. Where that is not enough, the
            oldest come first and the report says how old they are.
    """

    within: timedelta = timedelta(hours=1)
    most: int | None = None


@attrs.frozen
class Unit:
    """Something that is read at once.

    Attributes:
        name: Section, and key or scope in it.
        proven_at: When it was last read, None if never.
        requests: What reading it costs.
    """

    name: Name
    proven_at: datetime | None
    requests: int = 1


def choose(
    units: Iterable[Unit], sweep: Sweep, now: datetime, before: datetime | None
) -> frozenset[Name]:
    """Choose what to read again now: the oldest part, in proportion to the time that passed.

    And also what would become too old until the next sync, if that takes as long to come as this
    one did.

    Args:
        units: What there is.
        sweep: How fresh it should be.
        now: When this sync begins.
        before: When the last one began; None reads everything.
    """
    if sweep.most == 0:
        return frozenset()
    waiting = sorted(units, key=lambda unit: (_age(unit, now), unit.name), reverse=True)
    passed = max(now - before, timedelta(0)) if before is not None else sweep.within
    share = min(1.0, passed / sweep.within) if sweep.within > timedelta(0) else 1.0
    quota = math.ceil(share * sum(unit.requests for unit in waiting))
    chosen: set[Name] = set()
    spent = 0
    for unit in waiting:
        too_old = _age(unit, now) + 2 * passed > sweep.within
        if not too_old and spent >= quota:
            break
        if sweep.most is not None and chosen and spent + unit.requests > sweep.most:
            break
        chosen.add(unit.name)
        spent += unit.requests
    return frozenset(chosen)


def _age(unit: Unit, now: datetime) -> timedelta:
    return _NEVER if unit.proven_at is None else now - unit.proven_at
