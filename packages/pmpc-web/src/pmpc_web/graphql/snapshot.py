"""Type `Snapshot`: a named time in a cluster's history."""

from __future__ import annotations

import strawberry

from pmpc_reconcile.actions.views import SnapshotView


@strawberry.type(description="A named time in the history of a cluster.")
class Snapshot:
    """A time with a name and a digest."""

    name: str
    time: str = strawberry.field(description="when it was taken, ISO 8601 in UTC")
    digest: str = strawberry.field(description="root hash over everything observed then")

    @classmethod
    def of(cls, view: SnapshotView) -> Snapshot:
        """Return the view as this type."""
        return cls(name=view.name, time=view.time, digest=view.digest)
