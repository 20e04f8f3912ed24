"""What became of a plan: one result per step, data rather than exceptions."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from pmpc_reconcile.conditions import Condition


class Outcome(enum.Enum):
    """What became of a step.

    `DONE` its effect was verified, `FAILED` it could not be brought about, `SKIPPED` it was never
    begun because of another step, a conflict or a stop.
    """

    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


@attrs.frozen
class StepResult:
    """What became of one step.

    Attributes:
        step_id: The step.
        address: The object.
        summary: What it was to do.
        outcome: What became of it.
        reason: Why it failed or was skipped; empty when done.
        upids: Tasks it started or waited for.
        warnings: What those tasks warned about.
        seconds: How long it took.
        resumed: True when an earlier run had begun it.
        wrote: Write requests this run sent for it; 0 when it was already so.
    """

    step_id: str
    address: str
    summary: str
    outcome: Outcome
    reason: str = ""
    upids: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0
    resumed: bool = False
    wrote: int = 0


@attrs.frozen
class ApplyReport:
    """What became of a plan.

    Attributes:
        plan_id: The plan.
        release: Its release.
        results: One per step, in the plan's order.
        conflicts: Addresses left alone because somebody else changed them.
        revision: The release's new revision; None when nothing new was recorded.
        restart_required: Addresses with options that wait for a restart.
        undone: What took the plan back after a failure, when it was to be all or nothing.
        conditions: What holds of each object afterwards, by address.
    """

    plan_id: str
    release: str
    results: tuple[StepResult, ...]
    conflicts: tuple[str, ...] = ()
    revision: int | None = None
    restart_required: tuple[str, ...] = ()
    undone: tuple[StepResult, ...] = ()
    conditions: Mapping[str, tuple[Condition, ...]] = attrs.field(
        factory=dict[str, "tuple[Condition, ...]"]
    )

    @property
    def done(self) -> tuple[StepResult, ...]:
        """Return the steps that ended well."""
        return tuple(item for item in self.results if item.outcome is Outcome.DONE)

    @property
    def failed(self) -> tuple[StepResult, ...]:
        """Return the steps that failed."""
        return tuple(item for item in self.results if item.outcome is Outcome.FAILED)

    @property
    def skipped(self) -> tuple[StepResult, ...]:
        """Return the steps that were never begun."""
        return tuple(item for item in self.results if item.outcome is Outcome.SKIPPED)

    @property
    def ok(self) -> bool:
        """Return whether every step ended well."""
        return len(self.done) == len(self.results)

    @property
    def writes(self) -> int:
        """Return how many write requests were sent."""
        return sum(item.wrote for item in (*self.results, *self.undone))

    @property
    def taken_back(self) -> bool:
        """Return whether everything that was done has been undone."""
        return bool(self.undone) and all(item.outcome is Outcome.DONE for item in self.undone)
