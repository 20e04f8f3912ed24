"""Types `Change` and `FieldDifference`: what differs between two times."""

from __future__ import annotations

import strawberry
from strawberry.scalars import JSON

from pmpc_reconcile.actions.changes import ObjectChange


@strawberry.type(description="One field with its value at two times.")
class FieldDifference:
    """A field, before and after."""

    path: str
    old: JSON | None
    new: JSON | None


@strawberry.type(description="How one object differs between two times.")
class Change:
    """An object that was created, removed or changed."""

    kind: str
    key: str
    name: str
    change: str = strawberry.field(description="created, removed or changed")
    fields: list[FieldDifference]
    time: str | None = strawberry.field(description="when, ISO 8601; null if not known")
    actor: str | None = strawberry.field(description="who; null if PVE does not know")
    task: str | None = strawberry.field(description="its task; null for a synchronous edit")

    @classmethod
    def of(cls, change: ObjectChange) -> Change:
        """Return the action's value as this type."""
        fields = [
            FieldDifference(path=item.path, old=item.old, new=item.new) for item in change.fields
        ]
        return cls(
            kind=change.kind,
            key=change.key,
            name=change.name,
            change=change.change,
            fields=fields,
            time=change.time,
            actor=change.actor,
            task=change.task,
        )
