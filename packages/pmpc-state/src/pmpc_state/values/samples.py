"""Metrics: what was measured, in tiers."""

from __future__ import annotations

import enum
from datetime import datetime, timedelta

import attrs


class Tier(enum.IntEnum):
    """How long the span of a sample is, in seconds; raw samples are of one moment."""

    RAW = 0
    MINUTE = 60
    HOUR = 3600
    DAY = 86400


@attrs.frozen
class Sample:
    """One value to record.

    Attributes:
        kind: Kind of the resource.
        key: Its key.
        metric: What was measured, as PVE calls it: cpu, mem, netin …
    """

    kind: str
    key: str
    metric: str
    at: datetime
    value: float


@attrs.frozen
class Point:
    """What was measured in one span of time.

    Attributes:
        at: When the span begins.
        mean: The average of its samples.
        low: The least.
        high: The greatest.
        count: How many samples there were.
    """

    at: datetime
    mean: float
    low: float
    high: float
    count: int


@attrs.frozen
class SampleRetention:
    """How long each tier is kept; a tier is thinned into the next before it goes."""

    raw: timedelta = timedelta(hours=6)
    minute: timedelta = timedelta(days=3)
    hour: timedelta = timedelta(days=90)
    day: timedelta = timedelta(days=1825)

    def of(self, tier: Tier) -> timedelta:
        """Return how long a tier is kept."""
        return {
            Tier.RAW: self.raw,
            Tier.MINUTE: self.minute,
            Tier.HOUR: self.hour,
            Tier.DAY: self.day,
        }[tier]
