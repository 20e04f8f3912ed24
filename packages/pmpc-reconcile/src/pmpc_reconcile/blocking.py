"""The sync door: the engine for scripts and notebooks that do not want to write `await`.

with BlockingReconciler.open("home") as engine:
    plan = engine.plan(load("stack/"), "shop")
    print(plan.explain())
    report = engine.apply(plan)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from pmpc_reconcile.actions.session import open_context, reconciler
from pmpc_reconcile.adopting import Adoptable
from pmpc_reconcile.approvals import Approval
from pmpc_reconcile.contexts import load_contexts
from pmpc_reconcile.engine import Reconciler
from pmpc_reconcile.events import EventSink, ignore_event
from pmpc_reconcile.execute.report import ApplyReport
from pmpc_reconcile.execute.schedule import Brake
from pmpc_reconcile.manifests import Manifest
from pmpc_reconcile.plans.caps import MOST_DELETED
from pmpc_reconcile.plans.model import Plan
from pmpc_reconcile.risk import Risk

if TYPE_CHECKING:
    from pmpc_reconcile.staleness import StaleObject
    from pmpc_state import PlanRecord, Revision

T = TypeVar("T")
_NOTHING: Mapping[str, str] = {}


class BlockingReconciler:
    """`Reconciler`, one call after the other. Use it as a context manager or close it.

    Args:
        make: Makes the engine; it runs inside the door's own event loop.
        stack: What to close afterwards.

    Raises:
        RuntimeError: An event loop runs already in this thread: use `Reconciler` there.
    """

    def __init__(
        self,
        make: Callable[[AsyncExitStack], Coroutine[Any, Any, Reconciler]],
    ) -> None:
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        try:
            self._engine = self._run(make(self._stack))
        except BaseException:
            self._runner.close()
            raise

    @classmethod
    def open(cls, name: str | None = None, *, on_event: EventSink = ignore_event) -> Self:
        """Open a named cluster, the current one by default.

        Raises:
            ContextError: There is no such context, or its file cannot be used.
        """
        context = load_contexts().get(name)

        async def make(stack: AsyncExitStack) -> Reconciler:
            opened = await stack.enter_async_context(open_context(context))
            return reconciler(opened, on_event)

        return cls(make)

    def plan(
        self,
        manifests: Sequence[Manifest],
        release: str = "default",
        *,
        resolve: Mapping[str, str] = _NOTHING,
        prune: bool = False,
        most_deleted: int | None = MOST_DELETED,
        restart: Collection[str] = (),
        needs_approval: bool = False,
        save: bool = True,
    ) -> Plan:
        """Do what `Reconciler.plan` does."""
        return self._run(
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
        return self._run(self._engine.adopt(names, kinds, release, save=save))

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
        work = self._engine.apply(plan, on_event, max_risk=max_risk, atomic=atomic, brake=brake)
        return self._run(work)

    def rollback(
        self,
        release: str,
        revision: int | None = None,
        *,
        resolve: Mapping[str, str] = _NOTHING,
        save: bool = True,
    ) -> Plan:
        """Do what `Reconciler.rollback` does."""
        return self._run(self._engine.rollback(release, revision, resolve=resolve, save=save))

    def delete(self, release: str, *, keep: Collection[str] = (), save: bool = True) -> Plan:
        """Do what `Reconciler.delete` does."""
        return self._run(self._engine.delete(release, keep=keep, save=save))

    def stored_plan(self, plan_id: str) -> Plan:
        """Do what `Reconciler.stored_plan` does."""
        return self._run(self._engine.stored_plan(plan_id))

    def stored_plans(self, release: str | None = None, limit: int = 100) -> tuple[PlanRecord, ...]:
        """Do what `Reconciler.stored_plans` does."""
        return self._run(self._engine.stored_plans(release, limit))

    def approve(self, plan_id: str, note: str = "") -> Plan:
        """Do what `Reconciler.approve` does."""
        return self._run(self._engine.approve(plan_id, note))

    def approvals(self, plan: Plan) -> tuple[Approval, ...]:
        """Do what `Reconciler.approvals` does."""
        return self._run(self._engine.approvals(plan))

    def stale(self, plan: Plan) -> tuple[StaleObject, ...]:
        """Do what `Reconciler.stale` does."""
        return self._run(self._engine.stale(plan))

    def manifests_of(self, release: str) -> tuple[Manifest, ...]:
        """Do what `Reconciler.manifests_of` does."""
        return self._run(self._engine.manifests_of(release))

    def history(self, release: str | None = None) -> tuple[Revision, ...]:
        """Do what `Reconciler.history` does."""
        return self._run(self._engine.history(release))

    def close(self) -> None:
        """Close connection, database and event loop."""
        try:
            self._run(self._stack.aclose())
        finally:
            self._runner.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)
