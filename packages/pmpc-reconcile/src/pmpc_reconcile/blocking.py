"""The sync door: the engine for scripts and notebooks that do not want to write `await`.

    from pmpc_reconcile import blocking as reconcile

    plan = reconcile.plan(reconcile.load("stack/"), "home")
    print(plan.explain())
    report = reconcile.apply(plan, on_event=print)

The functions are those of `pmpc_reconcile`, one for one. A cluster is the name of a context, a
`Context`, or one that is open already: a `BlockingReconciler`, which `open` gives. The work is done
in a thread of its own, so that it also works where an event loop runs already; progress is told in
the thread that waits.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Generator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import attrs

from pmpc_reconcile import verbs
from pmpc_reconcile.adopting import Adoptable
from pmpc_reconcile.approvals import Approval
from pmpc_reconcile.contexts import Context
from pmpc_reconcile.engine import Reconciler
from pmpc_reconcile.events import EventSink, ignore_event
from pmpc_reconcile.execute.report import ApplyReport
from pmpc_reconcile.execute.schedule import Brake
from pmpc_reconcile.manifests import Manifest, load, load_text
from pmpc_reconcile.own_loop import OwnLoop, relayed
from pmpc_reconcile.plans.caps import MOST_DELETED
from pmpc_reconcile.plans.model import Plan
from pmpc_reconcile.risk import Risk

if TYPE_CHECKING:
    from typing import Unpack

    from pmpc_reconcile.staleness import StaleObject
    from pmpc_state import PlanRecord, Revision

__all__ = [
    "BlockingReconciler",
    "adopt",
    "apply",
    "delete",
    "history",
    "load",
    "load_text",
    "open",
    "plan",
    "rollback",
]

T = TypeVar("T")
_NOTHING: Mapping[str, str] = {}


class BlockingReconciler:
    """`Reconciler`, one call after the other. Use it as a context manager or close it.

    Args:
        make: Opens the engine; it runs inside the door's own event loop.
    """

    def __init__(self, make: Callable[[], AbstractAsyncContextManager[Reconciler]]) -> None:
        self._loop = OwnLoop()
        self._stack = AsyncExitStack()
        try:
            self._engine = self._loop.run(self._stack.enter_async_context(make()))
        except BaseException:
            self._loop.close()
            raise

    @classmethod
    def open(
        cls,
        cluster: str | Context | None = None,
        *,
        actor: str = "local",
        on_event: EventSink = ignore_event,
    ) -> Self:
        """Do what `pmpc_reconcile.open` does."""
        return cls(lambda: verbs.open(cluster, actor=actor, on_event=relayed(on_event)))

    @property
    def cluster(self) -> str:
        """Return the cluster's name."""
        return self._engine.cluster

    @property
    def context(self) -> Context | None:
        """Return the context it was opened by."""
        return self._engine.context

    @property
    def closed(self) -> bool:
        """Return whether it is closed."""
        return self._loop.closed

    def plan(
        self,
        manifests: Sequence[Manifest],
        release: str | None = None,
        *,
        resolve: Mapping[str, str] = _NOTHING,
        prune: bool = False,
        most_deleted: int | None = MOST_DELETED,
        restart: Collection[str] = (),
        needs_approval: bool = False,
        save: bool = True,
    ) -> Plan:
        """Do what `Reconciler.plan` does."""
        return self._planned(
            self._engine.plan(
                manifests,
                release,
                resolve=resolve,
                prune=prune,
                most_deleted=most_deleted,
                restart=restart,
                needs_approval=needs_approval,
                save=save,
            )
        )

    def adopt(
        self,
        names: Sequence[str] = (),
        kinds: Sequence[str] = (),
        release: str = "default",
        *,
        save: bool = False,
    ) -> tuple[Adoptable, Plan]:
        """Do what `Reconciler.adopt` does."""
        found, plan = self._loop.run(self._engine.adopt(names, kinds, release, save=save))
        return found, attrs.evolve(plan, made_on=self)

    def apply(
        self,
        plan: Plan,
        on_event: EventSink | None = None,
        *,
        max_risk: Risk = Risk.DESTRUCTIVE,
        atomic: bool = False,
        brake: Brake | None = None,
    ) -> ApplyReport:
        """Do what `Reconciler.apply` does."""
        sink = None if on_event is None else relayed(on_event)
        work = self._engine.apply(plan, sink, max_risk=max_risk, atomic=atomic, brake=brake)
        return self._loop.run(work)

    def rollback(
        self,
        release: str,
        revision: int | None = None,
        *,
        resolve: Mapping[str, str] = _NOTHING,
        save: bool = True,
    ) -> Plan:
        """Do what `Reconciler.rollback` does."""
        return self._planned(self._engine.rollback(release, revision, resolve=resolve, save=save))

    def delete(self, release: str, *, keep: Collection[str] = (), save: bool = True) -> Plan:
        """Do what `Reconciler.delete` does."""
        return self._planned(self._engine.delete(release, keep=keep, save=save))

    def stored_plan(self, plan_id: str) -> Plan:
        """Do what `Reconciler.stored_plan` does."""
        return self._loop.run(self._engine.stored_plan(plan_id))

    def stored_plans(self, release: str | None = None, limit: int = 100) -> tuple[PlanRecord, ...]:
        """Do what `Reconciler.stored_plans` does."""
        return self._loop.run(self._engine.stored_plans(release, limit))

    def approve(self, plan_id: str, note: str = "") -> Plan:
        """Do what `Reconciler.approve` does."""
        return self._loop.run(self._engine.approve(plan_id, note))

    def approvals(self, plan: Plan) -> tuple[Approval, ...]:
        """Do what `Reconciler.approvals` does."""
        return self._loop.run(self._engine.approvals(plan))

    def stale(self, plan: Plan) -> tuple[StaleObject, ...]:
        """Do what `Reconciler.stale` does."""
        return self._loop.run(self._engine.stale(plan))

    def manifests_of(self, release: str) -> tuple[Manifest, ...]:
        """Do what `Reconciler.manifests_of` does."""
        return self._loop.run(self._engine.manifests_of(release))

    def history(self, release: str | None = None) -> tuple[Revision, ...]:
        """Do what `Reconciler.history` does."""
        return self._loop.run(self._engine.history(release))

    def close(self) -> None:
        """Close connection, database and event loop."""
        if not self.closed:
            try:
                self._loop.run(self._stack.aclose())
            finally:
                self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _planned(self, work: Coroutine[Any, Any, Plan]) -> Plan:
        return attrs.evolve(self._loop.run(work), made_on=self)


Cluster = str | Context | BlockingReconciler
"""Name of a context, a context, or a cluster that is open."""


def open(  # noqa: A001  # as `gzip.open`: it is written with the package's name before it
    cluster: str | Context | None = None,
    *,
    actor: str = "local",
    on_event: EventSink = ignore_event,
) -> BlockingReconciler:
    """Open a cluster as `pmpc_reconcile.open` does; to be closed, or used with `with`."""
    return BlockingReconciler.open(cluster, actor=actor, on_event=on_event)


def plan(
    manifests: Sequence[Manifest],
    cluster: Cluster,
    release: str | None = None,
    **options: Unpack[verbs.PlanOptions],
) -> Plan:
    """Do what `pmpc_reconcile.plan` does."""
    with _opened(cluster) as engine:
        return engine.plan(manifests, release, **options)


def apply(
    plan: Plan,
    cluster: Cluster | None = None,
    *,
    on_event: EventSink | None = None,
    **options: Unpack[verbs.ApplyOptions],
) -> ApplyReport:
    """Do what `pmpc_reconcile.apply` does."""
    with _opened(_home_of(plan) if cluster is None else cluster) as engine:
        return engine.apply(plan, on_event, **options)


def rollback(
    release: str,
    cluster: Cluster,
    revision: int | None = None,
    **options: Unpack[verbs.RollbackOptions],
) -> Plan:
    """Do what `pmpc_reconcile.rollback` does."""
    with _opened(cluster) as engine:
        return engine.rollback(release, revision, **options)


def delete(release: str, cluster: Cluster, **options: Unpack[verbs.DeleteOptions]) -> Plan:
    """Do what `pmpc_reconcile.delete` does."""
    with _opened(cluster) as engine:
        return engine.delete(release, **options)


def adopt(
    names: Sequence[str], cluster: Cluster, **options: Unpack[verbs.AdoptOptions]
) -> tuple[Adoptable, Plan]:
    """Do what `pmpc_reconcile.adopt` does."""
    with _opened(cluster) as engine:
        return engine.adopt(names, **options)


def history(cluster: Cluster, release: str | None = None) -> tuple[Revision, ...]:
    """Do what `pmpc_reconcile.history` does."""
    with _opened(cluster) as engine:
        return engine.history(release)


def _home_of(plan: Plan) -> Cluster:
    made_on = plan.made_on
    if isinstance(made_on, BlockingReconciler) and not made_on.closed:
        return made_on
    context = None if made_on is None else made_on.context
    return plan.cluster if context is None else context


@contextmanager
def _opened(cluster: Cluster) -> Generator[BlockingReconciler]:
    if isinstance(cluster, BlockingReconciler):
        yield cluster
        return
    with open(cluster) as engine:
        yield engine
