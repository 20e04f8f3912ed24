"""The power goes off at a moment of an apply: a crash, without a process to kill.

`tests.lab.dying` is the same for processes.
"""

from __future__ import annotations

import pytest

from pmpc_reconcile.engine import Reconciler
from pmpc_reconcile.plans.model import Plan
from tests.lab.moments import Moment, watch


class PowerCut(BaseException):
    """Nothing of ours catches this."""


def is_cut(error: BaseException) -> bool:
    """Return whether it is a power cut, alone or in a group."""
    if isinstance(error, PowerCut):
        return True
    inner = tuple[BaseException, ...](getattr(error, "exceptions", ()))
    return bool(inner) and all(is_cut(one) for one in inner)


def cut_at(patch: pytest.MonkeyPatch, moment: Moment) -> None:
    """Let the power go off at a moment; nothing gets through any more until `patch` is undone."""
    fallen = False

    def before() -> None:
        if fallen:
            raise PowerCut

    def strike(entry: str, phase: str) -> None:
        nonlocal fallen
        if moment.at(entry, phase):
            fallen = True
            raise PowerCut

    watch(patch, before, strike)


async def fall(engine: Reconciler, plan: Plan, moment: Moment) -> None:
    """Apply a plan until the power goes off at a moment."""
    with pytest.MonkeyPatch.context() as patch:
        cut_at(patch, moment)
        with pytest.raises(BaseException) as caught:  # noqa: PT011 (a cut comes alone or in groups)
            await engine.apply(plan)
        assert is_cut(caught.value), caught.value
