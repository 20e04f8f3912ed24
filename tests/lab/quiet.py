"""What every scenario ends with: the same again changes nothing."""

from __future__ import annotations

from typing import Any


async def quiet(lab: Any, text: str) -> None:
    """Plan and apply three times: nothing to do, nothing written."""
    lab.forget_writes()
    for _ in range(3):
        plan = await lab.plan(text)
        assert plan.empty, plan.explain()
        assert (await lab.engine.apply(plan)).ok
    assert lab.writes == []
