"""About how long steps take: what was measured in this run, else what such steps usually take."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from pmpc_reconcile.plans.steps import Step

USUAL: Final = {
    "clone": 30.0,
    "create": 10.0,
    "move-disk": 30.0,
    "migrate": 20.0,
    "backup": 60.0,
    "drop-backups": 2.0,
    "snapshot": 5.0,
    "hook-start": 5.0,
    "hook-shutdown": 20.0,
    "wait-for": 20.0,
    "gate": 0.0,
    "run-in-guest": 10.0,
    "resize": 3.0,
    "start": 5.0,
    "shutdown": 20.0,
    "restart": 25.0,
    "delete": 10.0,
}
"""Seconds of steps on a small server; other steps are one write."""
_WRITE: Final = 1.0
_AT_ONCE: Final = 8


class Estimate:
    """Tells how much longer a plan takes, better with every step that ended."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = steps
        self._measured: dict[str, tuple[int, float]] = {}

    def learn(self, step: Step, seconds: float) -> None:
        """Take in how long a step took."""
        number, total = self._measured.get(step.type, (0, 0.0))
        self._measured[step.type] = (number + 1, total + seconds)

    def left(self, ended: Collection[str] = ()) -> float:
        """Return about how many seconds are left.

        As long as the longest chain of steps that wait for each other, and no less than all steps
        need that go on beside each other.

        Args:
            ended: Ids of steps that are over.
        """
        until: dict[str, float] = {}
        whole = 0.0
        for step in self._steps:  # each stands behind those it waits for
            own = 0.0 if step.id in ended else self._expected(step)
            whole += own
            until[step.id] = own + max((until.get(other, 0.0) for other in step.after), default=0.0)
        return max(max(until.values(), default=0.0), whole / _AT_ONCE)

    def _expected(self, step: Step) -> float:
        number, total = self._measured.get(step.type, (0, 0.0))
        return total / number if number else USUAL.get(step.type, _WRITE)
