"""The queries: reading actions of the catalogue as fields."""

from __future__ import annotations

import strawberry

from pmpc_web.graphql.change import Change
from pmpc_web.graphql.happening import Happening, MetricsPoint
from pmpc_web.graphql.page import Pages
from pmpc_web.graphql.plan import Plan, PlanSummary
from pmpc_web.graphql.resource import Resource
from pmpc_web.graphql.served import ask, at_most
from pmpc_web.graphql.snapshot import Snapshot


def _page(wanted: str, sort: str, limit: int, offset: int) -> dict[str, object]:
    """Return what a list is asked for; a page keeps long ones quick."""
    return {"filter": wanted, "sort": sort, "limit": at_most(limit), "offset": max(offset, 0)}


@strawberry.type
class Query(Pages):
    """What can be read."""

    @strawberry.field(description="Objects as last observed, or as of a time, a page at a time.")
    async def resources(
        self,
        info: strawberry.Info,
        kind: str | None = None,
        node: str | None = None,
        name: str | None = None,
        status: str | None = None,
        at: str | None = None,
        filter: str = "",  # noqa: A002 - what the reference on filters calls it
        sort: str = "",
        limit: int = 100,
        offset: int = 0,
    ) -> list[Resource]:
        """Call the action `list`; a page keeps large clusters quick."""
        found = await ask(
            info, "list", kind=kind, node=node, name=name, status=status, at=at,
            configurations=True, **_page(filter, sort, limit, offset),
        )  # fmt: skip
        return [Resource.of(view) for view in found.items]

    @strawberry.field(description="One object with its configuration.")
    async def resource(
        self, info: strawberry.Info, name: str, kind: str | None = None, at: str | None = None
    ) -> Resource:
        """Call the action `get`."""
        found = await ask(info, "get", name=name, kind=kind, at=at)
        return Resource.of(found.resource)

    @strawberry.field(description="Named times in the history of the cluster, oldest first.")
    async def snapshots(
        self,
        info: strawberry.Info,
        filter: str = "",  # noqa: A002 - what the reference on filters calls it
        sort: str = "",
        limit: int = 100,
        offset: int = 0,
    ) -> list[Snapshot]:
        """Call the action `snapshots`."""
        found = await ask(info, "snapshots", **_page(filter, sort, limit, offset))
        return [Snapshot.of(view) for view in found.items]

    @strawberry.field(description="What changed between two times, per object and field.")
    async def changes(
        self,
        info: strawberry.Info,
        since: str,
        until: str | None = None,
        kind: str | None = None,
        name: str | None = None,
        path: str | None = None,
        actor: str | None = None,
        each: bool = False,
    ) -> list[Change]:
        """Call the action `changes`."""
        found = await ask(
            info, "changes", since=since, until=until, kind=kind, name=name, path=path,
            actor=actor, each=each,
        )  # fmt: skip
        return [Change.of(item) for item in found.items]

    @strawberry.field(description="What happened to one object and who did it, oldest first.")
    async def log(
        self, info: strawberry.Info, name: str, kind: str | None = None, at: str | None = None
    ) -> list[Happening]:
        """Call the action `log`."""
        found = await ask(info, "log", name=name, kind=kind, at=at)
        return [Happening.of(item) for item in found.items]

    @strawberry.field(description="The manifest of an object as it was configured, as YAML.")
    async def restore_manifest(
        self, info: strawberry.Info, name: str, kind: str | None = None, at: str | None = None
    ) -> str:
        """Call the action `restore-manifest`."""
        found = await ask(info, "restore-manifest", name=name, kind=kind, at=at)
        return str(found.text)

    @strawberry.field(description="What was measured of one object, a point for each step.")
    async def metrics(
        self,
        info: strawberry.Info,
        name: str,
        metric: str,
        since: str = "-24h",
        until: str | None = None,
        step: str = "1h",
        kind: str | None = None,
    ) -> list[MetricsPoint]:
        """Call the action `metrics`."""
        found = await ask(
            info, "metrics", name=name, metric=metric, since=since, until=until, step=step,
            kind=kind,
        )  # fmt: skip
        return [MetricsPoint.of(item) for item in found.items]

    @strawberry.field(description="Stored plans, newest first.")
    async def plans(
        self,
        info: strawberry.Info,
        release: str | None = None,
        filter: str = "",  # noqa: A002 - what the reference on filters calls it
        sort: str = "",
        limit: int = 100,
        offset: int = 0,
    ) -> list[PlanSummary]:
        """Call the action `plans`."""
        page = _page(filter, sort, limit, offset)
        found = await ask(info, "plans", release=release, **page)
        return [PlanSummary.of(view) for view in found.items]

    @strawberry.field(description="A stored plan by its id or the beginning of it.")
    async def plan(self, info: strawberry.Info, id: strawberry.ID) -> Plan:  # noqa: A002 - GraphQL's own name
        """Call the action `show-plan`."""
        found = await ask(info, "show-plan", plan_id=str(id))
        return Plan.of(found.plan)
