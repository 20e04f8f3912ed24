"""Which moments a policy keeps, and which intervals are needed to show them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import attrs


@attrs.frozen
class Retention:
    """How much history to keep, counted back from now.

    Attributes:
        everything: Every change.
        daily: The state at each midnight (UTC).
        weekly: The state at each midnight before a Monday (UTC).
    """

    everything: timedelta = timedelta(days=30)
    daily: timedelta = timedelta(days=180)
    weekly: timedelta = timedelta(days=730)

    @property
    def horizon(self) -> timedelta:
        """How far back anything is kept, except what a pinned snapshot shows."""
        return max(self.everything, self.daily, self.weekly)

    def moments(self, now: datetime) -> tuple[datetime, ...]:
        """Return the moments before `everything` of which the state is kept, oldest first."""
        midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        days = max(self.daily, self.weekly).days + 1
        kept: list[datetime] = []
        for back in range(days, -1, -1):
            moment = midnight - timedelta(days=back)
            age = now - moment
            if age <= self.daily or (age <= self.weekly and moment.weekday() == 0):
                kept.append(moment)
        return tuple(kept)


@attrs.frozen
class Interval:
    """A row of history of one resource; `ending` is the task and user that ended it."""

    id: int
    valid_from: datetime
    valid_to: datetime | None
    blob_id: int
    ending: tuple[str | None, str | None]


@attrs.frozen
class Thinning:
    """What to do with the intervals of one resource.

    Attributes:
        removed: Rows to delete.
        extended: Rows that now last until the end of what followed them.
    """

    removed: tuple[int, ...]
    extended: Mapping[int, Interval]


def thin(life: Iterable[Interval], kept: Sequence[datetime], since: datetime) -> Thinning:
    """Say which intervals of a life, oldest first, nothing that is kept needs.

    An interval goes if it ended by `since` and holds at none of the kept moments (sorted). The
    one right before it is extended over its time, so that a life has no hole that was not there;
    a life whose first intervals go begins later.
    """
    removed: list[int] = []
    extended: dict[int, Interval] = {}
    last: Interval | None = None
    for one in life:
        follows = last is not None and last.valid_to == one.valid_from
        needed = one.valid_to is None or one.valid_to > since or _holds(one, kept)
        if needed and not (follows and last is not None and last.blob_id == one.blob_id):
            last = one
            continue
        removed.append(one.id)
        if follows and last is not None:
            last = attrs.evolve(last, valid_to=one.valid_to, ending=one.ending)
            extended[last.id] = last
        else:
            last = None
    return Thinning(tuple(removed), extended)


def _holds(one: Interval, kept: Sequence[datetime]) -> bool:
    at = bisect_left(kept, one.valid_from)
    return at < len(kept) and (one.valid_to is None or kept[at] < one.valid_to)
