"""How long to wait after a failure: twice as long each time, never in step with others. Pure."""

from __future__ import annotations

import random

import attrs


@attrs.frozen
class Backoff:
    """A growing pause with jitter.

    Attributes:
        first: Seconds after the first failure.
        longest: Most seconds.
        jitter: Share of the pause that chance takes away: 0.5 gives half to whole pauses.
    """

    first: float = 5.0
    longest: float = 900.0
    jitter: float = 0.5

    def pause(self, failures: int, chance: random.Random) -> float:
        """Return the seconds to wait after so many failures in a row (1 is the first)."""
        if failures < 1:
            return 0.0
        whole = min(self.longest, self.first * 2.0 ** min(failures - 1, 62))
        return whole * (1.0 - self.jitter * chance.random())
