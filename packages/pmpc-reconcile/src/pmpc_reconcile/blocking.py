"""The sync door: the engine for scripts and notebooks that do not want to write `await`.

with BlockingReconciler.open("home") as engine:
    plan = engine.plan(load("stack/"), "shop")
    print(plan.explain())
    report = engine.apply(plan)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from pmpc_reconcile.actions.session import open_context, reconciler
from pmpc_reconcile.contexts import load_contexts
from pmpc_reconcile.engine import Reconciler
from pmpc_reconcile.events import EventSink, ignore_event
from pmpc_reconcile.execute.report import ApplyReport
from pmpc_reconcile.manifests import Manifest
from pmpc_reconcile.plan.model import Plan

if TYPE_CHECKING:
    from pmpc_state import Revision

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
    ) -> Plan:
        """Do what `Reconciler.plan` does."""
        return self._run(self._engine.plan(manifests, release, resolve=resolve, prune=prune))

    def apply(self, plan: Plan, on_event: EventSink | None = None) -> ApplyReport:
        """Do what `Reconciler.apply` does."""
        return self._run(self._engine.apply(plan, on_event))

    def rollback(self, release: str, revision: int | None = None) -> Plan:
        """Do what `Reconciler.rollback` does."""
        return self._run(self._engine.rollback(release, revision))

    def delete(self, release: str) -> Plan:
        """Do what `Reconciler.delete` does."""
        return self._run(self._engine.delete(release))

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
