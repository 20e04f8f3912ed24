"""How patient the executor is."""

from __future__ import annotations

import attrs

from pmpc_reconcile.execute.lanes import Pace


@attrs.frozen
class Patience:
    """Deadlines in seconds.

    Attributes:
        step: How long a step may wait for locks, nodes and quorum in all.
        task: How long one task may run.
        effect: How long an effect may stay invisible after the server said OK; requests to HA
            take up to half a minute.
        lost: How long to look for the effect of a call whose answer was lost.
        attempts: How often one request may be sent when it is refused for a passing reason.
        poll: First pause between two looks; it doubles up to `longest`.
        longest: Longest pause between two looks.
        lease: How long the right to apply a release lasts unless renewed.
        pace: How many steps go on at once on each node.
    """

    step: float = 900.0
    task: float = 3600.0
    effect: float = 90.0
    lost: float = 5.0
    attempts: int = 20
    poll: float = 0.5
    longest: float = 5.0
    lease: float = 900.0
    pace: Pace = attrs.field(factory=Pace)
