"""The verbs of the engine as functions: the shortest way from manifests to a cluster.

    import pmpc_reconcile as reconcile

    plan = await reconcile.plan(reconcile.load("stack/"), "home")
    print(plan.explain())
    report = await reconcile.apply(plan, on_event=print)

A cluster is the name of a context, a `Context`, or one that is open already: a `Reconciler`, which
`open` gives. A name is opened for the one call and closed again. `blocking` has the same functions
without `await`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypedDict

from pmpc_reconcile.actions.session import open_context, reconciler
from pmpc_reconcile.contexts import Context, load_contexts
from pmpc_reconcile.engine import Reconciler
from pmpc_reconcile.events import EventSink, ignore_event

if TYPE_CHECKING:
    from typing import Unpack

    from pmpc_reconcile.adopting import Adoptable
    from pmpc_reconcile.execute.report import ApplyReport
    from pmpc_reconcile.execute.schedule import Brake
    from pmpc_reconcile.manifests import Manifest
    from pmpc_reconcile.plans.model import Plan
    from pmpc_reconcile.risk import Risk
    from pmpc_state import Revision

Cluster = str | Context | Reconciler
"""Name of a context, a context, or a cluster that is open."""


class PlanOptions(TypedDict, total=False):
    """What `plan` may be told besides; `Reconciler.plan` says what each one means."""

    resolve: Mapping[str, str]
    prune: bool
    most_deleted: int | None
    restart: Collection[str]
    needs_approval: bool
    save: bool


class ApplyOptions(TypedDict, total=False):
    """What `apply` may be told besides; `Reconciler.apply` says what each one means."""

    max_risk: Risk
    atomic: bool
    brake: Brake | None


class RollbackOptions(TypedDict, total=False):
    """What `rollback` may be told besides; `Reconciler.rollback` says what each one means."""

    resolve: Mapping[str, str]
    save: bool


class DeleteOptions(TypedDict, total=False):
    """What `delete` may be told besides; `Reconciler.delete` says what each one means."""

    keep: Collection[str]
    save: bool


class AdoptOptions(TypedDict, total=False):
    """What `adopt` may be told besides; `Reconciler.adopt` says what each one means."""

    kinds: Sequence[str]
    release: str
    save: bool


@asynccontextmanager
async def open(  # noqa: A001  # as `gzip.open`: it is written with the package's name before it
    cluster: str | Context | None = None,
    *,
    actor: str = "local",
    on_event: EventSink = ignore_event,
) -> AsyncGenerator[Reconciler, None]:
    """Open a cluster and its state database, and close them afterwards.

    Args:
        cluster: Name of a context, the current one by default; or a context.
        actor: Who acts, for journal and audit log.
        on_event: Gets progress of whatever is done with it.

    Raises:
        ContextError: There is no such context, or its file cannot be used.
        StateOutdated: The state database is older than the code.
        StateTooNew: The state database is newer than the code.
    """
    context = cluster if isinstance(cluster, Context) else load_contexts().get(cluster)
    async with open_context(context, actor=actor) as opened:
        engine = reconciler(opened, on_event)
        engine.context = context
        try:
            yield engine
        finally:
            engine.closed = True


async def plan(
    manifests: Sequence[Manifest],
    cluster: Cluster,
    release: str | None = None,
    **options: Unpack[PlanOptions],
) -> Plan:
    """Return what would bring a cluster to the manifests; nothing is changed.

    Args:
        manifests: What is wanted: `load("stack/")`.
        cluster: Where.
        release: The release they belong to; by default the one that a manifest of the kind
            `Release` names, else `default`.
        options: As `Reconciler.plan` takes them: `prune=True`, `resolve={…}`.
    """
    async with _opened(cluster) as engine:
        return await engine.plan(manifests, release, **options)


async def apply(
    plan: Plan,
    cluster: Cluster | None = None,
    *,
    on_event: EventSink | None = None,
    **options: Unpack[ApplyOptions],
) -> ApplyReport:
    """Do what a plan says and report what became of each step.

    Args:
        plan: The plan; it knows its cluster.
        cluster: Where, if not where the plan was made.
        on_event: Gets progress.
        options: As `Reconciler.apply` takes them: `atomic=True`, `max_risk=Risk.CHANGE`.
    """
    async with _opened(home_of(plan) if cluster is None else cluster) as engine:
        return await engine.apply(plan, on_event, **options)


async def rollback(
    release: str,
    cluster: Cluster,
    revision: int | None = None,
    **options: Unpack[RollbackOptions],
) -> Plan:
    """Return the plan that brings a release back to an earlier revision, as a new revision.

    Args:
        release: The release.
        cluster: Where.
        revision: Its number; the last one applied before the newest by default.
        options: As `Reconciler.rollback` takes them.
    """
    async with _opened(cluster) as engine:
        return await engine.rollback(release, revision, **options)


async def delete(release: str, cluster: Cluster, **options: Unpack[DeleteOptions]) -> Plan:
    """Return the plan that deletes every object of a release that is provably ours.

    Args:
        release: The release.
        cluster: Where.
        options: As `Reconciler.delete` takes them: `keep=("VirtualMachine/db-1",)`.
    """
    async with _opened(cluster) as engine:
        return await engine.delete(release, **options)


async def adopt(
    names: Sequence[str], cluster: Cluster, **options: Unpack[AdoptOptions]
) -> tuple[Adoptable, Plan]:
    """Return manifests of what nobody manages, and the plan that makes it ours.

    Args:
        names: Names or vmids; none for every guest that is no template.
        cluster: Where.
        options: As `Reconciler.adopt` takes them.
    """
    async with _opened(cluster) as engine:
        return await engine.adopt(names, **options)


async def history(cluster: Cluster, release: str | None = None) -> tuple[Revision, ...]:
    """Return the revisions of a release, oldest first; of every release the newest one.

    Args:
        cluster: Where.
        release: The release.
    """
    async with _opened(cluster) as engine:
        return await engine.history(release)


def home_of(plan: Plan) -> Cluster:
    """Return where a plan was made: the open cluster, else its context, else that of its name."""
    made_on = plan.made_on
    if isinstance(made_on, Reconciler) and not made_on.closed:
        return made_on
    context = None if made_on is None else made_on.context
    return plan.cluster if context is None else context


@asynccontextmanager
async def _opened(cluster: Cluster) -> AsyncGenerator[Reconciler, None]:
    if isinstance(cluster, Reconciler):
        yield cluster
        return
    async with open(cluster) as engine:
        yield engine
