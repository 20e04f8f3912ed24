"""Lists a page at a time: with their total, and the marker the next page begins after."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import strawberry

from pmpc_web.graphql.change import Change
from pmpc_web.graphql.happening import Happening, MetricsPoint
from pmpc_web.graphql.plan import PlanSummary
from pmpc_web.graphql.resource import Resource
from pmpc_web.graphql.served import ask, at_most
from pmpc_web.graphql.snapshot import Snapshot

T = TypeVar("T")


@strawberry.type(description="A page of a list.")
class Page(Generic[T]):
    """Some rows of a list."""

    items: list[T] = strawberry.field(description="the rows")
    total: int = strawberry.field(description="how many there are on all pages")
    next: str | None = strawberry.field(
        description="give it as `after` for the next page; null on the last"
    )


def _of(found: Any, make: Callable[[Any], T]) -> Page[T]:
    return Page(items=[make(one) for one in found.items], total=found.total, next=found.next)


@strawberry.type
class Pages:
    """The lists as pages."""

    @strawberry.field(description="A page of what `resources` lists.")
    async def resource_page(
        self,
        info: strawberry.Info,
        kind: str | None = None,
        at: str | None = None,
        filter: str = "",  # noqa: A002 - what the reference on filters calls it
        sort: str = "",
        limit: int = 100,
        after: str | None = None,
    ) -> Page[Resource]:
        """Call the action `list`."""
        found = await ask(
            info, "list", kind=kind, at=at, configurations=True, filter=filter, sort=sort,
            limit=at_most(limit), after=after,
        )  # fmt: skip
        return _of(found, Resource.of)

    @strawberry.field(description="A page of what `snapshots` lists.")
    async def snapshot_page(
        self,
        info: strawberry.Info,
        filter: str = "",  # noqa: A002 - what the reference on filters calls it
        sort: str = "",
        limit: int = 100,
        after: str | None = None,
    ) -> Page[Snapshot]:
        """Call the action `snapshots`."""
        found = await ask(
            info, "snapshots", filter=filter, sort=sort, limit=at_most(limit), after=after
        )
        return _of(found, Snapshot.of)

    @strawberry.field(description="A page of what `plans` lists.")
    async def plan_page(
        self,
        info: strawberry.Info,
        release: str | None = None,
        filter: str = "",  # noqa: A002 - what the reference on filters calls it
        sort: str = "",
        limit: int = 100,
        after: str | None = None,
    ) -> Page[PlanSummary]:
        """Call the action `plans`."""
        found = await ask(
            info, "plans", release=release, filter=filter, sort=sort, limit=at_most(limit),
            after=after,
        )  # fmt: skip
        return _of(found, PlanSummary.of)

    @strawberry.field(description="A page of what `changes` tells.")
    async def change_page(
        self,
        info: strawberry.Info,
        since: str,
        until: str | None = None,
        kind: str | None = None,
        name: str | None = None,
        path: str | None = None,
        actor: str | None = None,
        each: bool = False,
        limit: int = 100,
        after: str | None = None,
    ) -> Page[Change]:
        """Call the action `changes`."""
        found = await ask(
            info, "changes", since=since, until=until, kind=kind, name=name, path=path,
            actor=actor, each=each, limit=at_most(limit), after=after,
        )  # fmt: skip
        return _of(found, Change.of)

    @strawberry.field(description="A page of what `log` tells.")
    async def log_page(
        self,
        info: strawberry.Info,
        name: str,
        kind: str | None = None,
        limit: int = 100,
        after: str | None = None,
    ) -> Page[Happening]:
        """Call the action `log`."""
        found = await ask(info, "log", name=name, kind=kind, limit=at_most(limit), after=after)
        return _of(found, Happening.of)

    @strawberry.field(description="A page of what `metrics` tells.")
    async def metrics_page(
        self,
        info: strawberry.Info,
        name: str,
        metric: str,
        since: str = "-24h",
        until: str | None = None,
        step: str = "1h",
        limit: int = 100,
        after: str | None = None,
    ) -> Page[MetricsPoint]:
        """Call the action `metrics`."""
        found = await ask(
            info, "metrics", name=name, metric=metric, since=since, until=until, step=step,
            limit=at_most(limit), after=after,
        )  # fmt: skip
        return _of(found, MetricsPoint.of)
