"""Type `Resource`: an object of a cluster as observed."""

from __future__ import annotations

import strawberry
from strawberry.scalars import JSON

from pmpc_reconcile.actions.views import ResourceView


@strawberry.type(description="An object of a cluster as last observed, or as it was at a time.")
class Resource:
    """What a person wants to know of an object."""

    kind: str = strawberry.field(description="node, qemu, lxc, storage, content, pool or task")
    key: str = strawberry.field(description="natural key, such as 100 or pve1")
    name: str = strawberry.field(description="name, empty if it has none")
    node: str | None = strawberry.field(
        description="where it is; null if it belongs to the cluster"
    )
    status: str = strawberry.field(description="status as last seen; unknown if unreachable")
    config: JSON = strawberry.field(description="configuration in PVE's own names")
    facts: JSON = strawberry.field(description="volatile facts: usage, uptime, lock")
    since: str | None = strawberry.field(
        description="since when the configuration is as shown, ISO 8601"
    )

    @classmethod
    def of(cls, view: ResourceView) -> Resource:
        """Return the view as this type."""
        return cls(
            kind=view.kind,
            key=view.key,
            name=view.name,
            node=view.node,
            status=view.status,
            config=JSON(dict(view.config)),
            facts=JSON(dict(view.facts)),
            since=view.since,
        )
