"""Pain: two people apply at once and both write."""

from __future__ import annotations

from typing import Any

import pytest

from pmpc_reconcile.errors import PlanStale
from pmpc_reconcile.events import StepStarted
from pmpc_reconcile.records import lease_name
from pmpc_state import LeaseHeld, LeaseLost, this_process

VM = """
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {name: NAME}
spec:
  source: {clone: {template: debian-13}}
  config: {cores: 2}
"""
TEXT = "---".join(VM.replace("NAME", f"web-{number}") for number in range(3))


def everybody_is_gone(holder: str) -> bool:
    return True


async def test_a_release_is_applied_by_one_at_a_time(lab: Any) -> None:
    plan = await lab.plan(TEXT)
    writer = lab.state.writer()
    lease = writer.leases.acquire(lease_name("lab", "shop"), holder=this_process(), seconds=600)
    with pytest.raises(LeaseHeld):
        await lab.engine.apply(plan)
    assert lab.writes == []
    writer.leases.release(lease)
    assert (await lab.engine.apply(plan)).ok


async def test_who_lost_the_lease_writes_nothing_more(lab: Any) -> None:
    """The fencing token: a worker that was thought dead wakes up and must not go on."""
    plan = await lab.plan(TEXT)
    writes_at_loss: list[int] = []

    def steal(event: Any) -> None:
        if isinstance(event, StepStarted) and not writes_at_loss:
            lab.state.writer().leases.acquire(
                lease_name("lab", "shop"),
                holder="thief",
                seconds=600,
                abandoned=everybody_is_gone,
            )
            writes_at_loss.append(len(lab.writes))

    with pytest.raises(LeaseLost):
        await lab.engine.apply(plan, steal)
    assert len(lab.writes) == writes_at_loss[0] == 0


@pytest.mark.parametrize("moment", range(1, 6))
async def test_whenever_the_lease_is_lost_nothing_more_is_written(lab: Any, moment: int) -> None:
    """Taken away while a call is under way: its answer is the last thing that worker learns."""
    more = ", scsi0: {size: 16G}}\n  state: running\n"
    text = "---".join(
        VM.replace("NAME", f"web-{number}").replace(" 2}\n", f" 2{more}") for number in range(2)
    )
    inner = lab.recorder.inner.handle_async_request

    async def stolen(request: Any) -> Any:
        if request.method != "GET" and len(lab.writes) == moment:
            lab.state.writer().leases.acquire(
                lease_name("lab", "shop"),
                holder="thief",
                seconds=600,
                abandoned=everybody_is_gone,
            )
        return await inner(request)

    lab.recorder.inner.handle_async_request = stolen
    with pytest.raises(LeaseLost):
        await lab.apply(text)
    assert len(lab.writes) == moment


async def test_two_releases_own_their_own_fields_of_nothing_shared(lab: Any) -> None:
    from pmpc_reconcile.manifests import load_text

    await lab.applied(VM.replace("NAME", "web-1"))
    lab.cluster.clock.advance(15)  # until then the guest has no name in /cluster/resources
    plan = await lab.engine.plan(load_text(VM.replace("NAME", "web-1")), "other")
    assert plan.counts() == {"create": 1}
    assert "is not managed by this release" in plan.diagnostics[0].message


async def test_of_two_plans_on_one_base_the_later_one_is_refused(
    lab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both look at the base before either holds the lease; the second must look again."""
    first = await lab.plan(VM.replace("NAME", "web-1"))
    second = await lab.plan(VM.replace("NAME", "web-2"))

    async def apply_first(*_: object) -> None:
        monkeypatch.undo()
        assert (await lab.engine.apply(first)).ok
        lab.forget_writes()

    monkeypatch.setattr("pmpc_reconcile.applying._nothing_to_do", apply_first)
    with pytest.raises(PlanStale):
        await lab.engine.apply(second)
    assert lab.writes == []
    assert [revision.plan_id for revision in await lab.engine.history("shop")] == [first.id]
