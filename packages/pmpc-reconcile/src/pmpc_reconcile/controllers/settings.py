"""What a reconcile loop is told at its start."""

from __future__ import annotations

import attrs

from pmpc_reconcile.controllers.backoff import Backoff
from pmpc_reconcile.risk import Risk


@attrs.frozen
class LoopSettings:
    """How a loop works.

    Attributes:
        every: Seconds between two looks at each release.
        workers: Most objects at once in this process.
        disruptions: Most objects interrupted at once, over all processes.
        max_risk: The most that healing may do; destructive steps are never its business.
        backoff: Pauses after failures.
        busy: Seconds to wait while somebody else is at work on the release.
        takeover: Seconds within which the work of a process that died is taken over, by another
            one that has nothing else to do.
    """

    every: float = 60.0
    workers: int = 2
    disruptions: int = 1
    max_risk: Risk = Risk.CHANGE
    backoff: Backoff = attrs.field(factory=Backoff)
    busy: float = 2.0
    takeover: float = 60.0

    @property
    def lease(self) -> float:
        """Return for how many seconds a process may work without another sign of life.

        After that there is still time to wait for one's turn and to look for work.
        """
        return self.takeover * 0.75

    @property
    def turn(self) -> float:
        """Return how many seconds to wait while somebody else is at work."""
        return min(self.busy, self.takeover / 20)
