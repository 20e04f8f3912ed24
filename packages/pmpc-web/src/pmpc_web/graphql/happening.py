"""Types `Happening` and `MetricsPoint`: what happened to an object and what was measured of it."""

from __future__ import annotations

import strawberry

from pmpc_reconcile.actions.log import LogItem
from pmpc_reconcile.actions.metrics import MetricsPoint as Measured
from pmpc_web.graphql.change import FieldDifference


@strawberry.type(description="One thing that happened to an object.")
class Happening:
    """A change, a task or a line of the cluster's log."""

    time: str = strawberry.field(description="when; of changes, when they were seen; ISO 8601")
    action: str = strawberry.field(
        description="created, changed, vanished, returned, task, or line of the cluster's log"
    )
    fields: list[FieldDifference]
    text: str = strawberry.field(description="the task and how it ended, or the line's words")
    actor: str | None = strawberry.field(description="who; null if PVE does not know")
    task: str | None = strawberry.field(description="its task; null for a synchronous edit")

    @classmethod
    def of(cls, item: LogItem) -> Happening:
        """Return the action's value as this type."""
        fields = [FieldDifference(path=one.path, old=one.old, new=one.new) for one in item.fields]
        return cls(
            time=item.time,
            action=item.action,
            fields=fields,
            text=item.text,
            actor=item.actor,
            task=item.task,
        )


@strawberry.type(description="What was measured in one step of time.")
class MetricsPoint:
    """The average, the least and the greatest of some samples."""

    time: str = strawberry.field(description="when the step begins, ISO 8601")
    mean: float
    low: float
    high: float
    count: int = strawberry.field(description="how many samples there were")

    @classmethod
    def of(cls, point: Measured) -> MetricsPoint:
        """Return the action's value as this type."""
        return cls(
            time=point.time, mean=point.mean, low=point.low, high=point.high, count=point.count
        )
