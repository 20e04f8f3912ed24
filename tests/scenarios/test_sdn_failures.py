"""Networks that were applied and not reloaded, locks of the dead, and what others do meanwhile.

Pain: PVE's task of an apply ends well though a node did not reload; then half the cluster has it.
"""

from __future__ import annotations

from typing import Any

import attrs
import httpx
import pytest

from proxmox_client.testing import SimulatedCluster
from proxmox_client.testing.faults import Edit, FailingTask, SomebodyElse, Where
from tests.lab.networks import LAB, free_of_locks, lock_is_free, pending, running, staged

APPLY = "PUT /cluster/sdn"
IFRELOAD = FailingTask(
    kind="srvreload", id="networking", message="command 'ifreload -a' failed: exit code 1"
)
MOVED = LAB.replace("tag: 20", "tag: 21").replace("    db: {zone: lab, tag: 30}\n", "")


@pytest.mark.parametrize("first", [True, False], ids=["new", "changed"])
async def test_what_one_node_did_not_reload_is_applied_back_everywhere(
    old_and_new: Any, first: bool
) -> None:
    lab = old_and_new
    if not first:
        await lab.applied(LAB)
    before = running(lab)
    lab.forget_writes()
    lab.cluster.faults.add(IFRELOAD)  # PVE's task of the apply ends well all the same
    report = await lab.apply(LAB if first else MOVED)
    (failed,) = report.failed
    assert "pve1 did not reload (command 'ifreload -a' failed" in failed.reason
    assert "the networks before are applied again and the lock is released" in failed.reason
    assert running(lab) == before
    assert pending(lab) == []
    assert free_of_locks(lab)
    assert lab.writes.count(APPLY) == 2
    await lab.applied(LAB if first else MOVED)


async def test_a_node_that_reloads_neither_way_is_named(lab: Any) -> None:
    lab.cluster.faults.add(attrs.evolve(IFRELOAD, times=4))  # three nodes, then the first again
    report = await lab.apply(LAB)
    reason = report.failed[0].reason
    assert "pve1 did not reload" in reason
    assert "pve3 did not reload" in reason
    assert "the networks before are configured again, but pve1 did not reload" in reason
    assert running(lab)[0] == []
    assert lock_is_free(lab)


async def test_what_somebody_applied_beside_ours_survives_taking_back(lab: Any) -> None:
    lab.cluster.faults.add(IFRELOAD)

    def alice(cluster: SimulatedCluster) -> None:
        cluster.call("POST", "/cluster/sdn/zones", {"zone": "alice", "type": "simple"})
        cluster.call("PUT", "/cluster/sdn")

    where = Where("GET", "/nodes/pve1/tasks", times=1)
    lab.cluster.faults.add(SomebodyElse(alice, where=where))
    report = await lab.apply(LAB)
    assert "applied again" in report.failed[0].reason
    assert [row["zone"] for row in running(lab)[0]] == ["alice"]
    assert lock_is_free(lab)


async def test_where_taking_back_would_commit_somebody_elses_it_says_what_is_in_force(
    lab: Any,
) -> None:
    lab.cluster.faults.add(IFRELOAD)
    stage = Edit("POST", "/cluster/sdn/zones", {"zone": "alice", "type": "simple"})
    lab.cluster.faults.add(SomebodyElse(stage, where=Where("GET", "/nodes/pve1/tasks", times=1)))
    report = await lab.apply(LAB)
    assert "stays in force: somebody staged zones.alice" in report.failed[0].reason
    assert [row["zone"] for row in running(lab)[0]] == ["lab"]
    assert [row["zone"] for row in pending(lab)] == ["alice"]
    lab.cluster.call("POST", "/cluster/sdn/rollback")
    assert lock_is_free(lab)
    assert (await lab.plan(LAB)).empty  # what it made is known as ours
    await lab.engine.apply(await lab.engine.delete("shop"))
    assert running(lab)[0] == []


async def test_quorum_lost_during_the_apply_lets_it_be_sent_again(lab: Any) -> None:
    message = "cluster not ready - no quorum?"
    lab.cluster.faults.add(FailingTask(kind="reloadnetworkall", message=message))
    await lab.applied(LAB)
    assert lab.writes.count(APPLY) == 2
    assert lock_is_free(lab)


async def test_what_somebody_stages_in_the_middle_is_not_committed_along(old_and_new: Any) -> None:
    lab = old_and_new
    if not lab.cluster.version.startswith("8"):  # he takes our lock away, as the interface offers
        lab.cluster.faults.add(SomebodyElse(
            Edit("DELETE", "/cluster/sdn/lock", {"force": 1}),
            where=Where("POST", "/cluster/sdn/vnets", times=1),
        ))  # fmt: skip
    stage = Edit("POST", "/cluster/sdn/zones", {"zone": "alice", "type": "simple"})
    where = Where("POST", "/cluster/sdn/vnets", times=1)
    lab.cluster.faults.add(SomebodyElse(stage, when="after", where=where))
    report = await lab.apply(LAB)
    assert "zones.alice" in report.failed[0].reason
    assert APPLY not in lab.writes
    assert list(staged(lab, "zones")) == ["alice"]
    assert staged(lab, "vnets") == {}


async def calls_of(lab: Any, text: str) -> int:
    """Count the writes of an apply that fails at its first reload and is taken back."""
    lab.cluster.faults.add(IFRELOAD)
    lab.forget_writes()
    assert not (await lab.apply(text)).ok
    return len(lab.writes)


@pytest.mark.parametrize("again", [True, False], ids=["same plan", "new plan"])
async def test_killed_at_any_call_of_applying_and_taking_back_no_lock_is_left(
    old_and_new: Any, again: bool
) -> None:
    lab = old_and_new
    calls = await calls_of(lab, LAB)
    inner = lab.recorder.inner.handle_async_request
    for number in range(1, calls + 1):
        lab.cluster.faults.clear()
        lab.cluster.faults.add(IFRELOAD)
        plan = await lab.plan(LAB)
        lab.recorder.inner.handle_async_request = dying_after(inner, number)
        with pytest.raises(BaseException):  # noqa: B017, PT011  # whatever wraps it
            await lab.engine.apply(plan)
        lab.recorder.inner.handle_async_request = inner
        lab.cluster.clock.advance(1000)
        lab.cluster.faults.clear()
        report = await lab.engine.apply(plan if again else await lab.plan(LAB))
        assert report.ok or "did not reload" in report.failed[0].reason, (number, report.failed)
        assert free_of_locks(lab), number
        assert pending(lab) == [], number
        assert (await lab.apply(LAB)).ok, number
        assert (await lab.engine.apply(await lab.engine.delete("shop"))).ok
        assert running(lab)[0] == [], number
        lab.cluster.clock.advance(10)


def dying_after(inner: Any, calls: int) -> Any:
    left = [calls]

    async def dying(request: httpx.Request) -> httpx.Response:
        response: httpx.Response = await inner(request)
        if request.method != "GET":
            left[0] -= 1
            if left[0] <= 0:
                raise Died
        return response

    return dying


class Died(BaseException):
    """The process is gone."""


async def test_the_lock_of_a_stranger_is_never_broken(lab: Any) -> None:
    """We die with the lock in hand, somebody breaks it and takes it: it stays his."""
    inner = lab.recorder.inner.handle_async_request
    plan = await lab.plan(LAB)
    lab.recorder.inner.handle_async_request = dying_after(inner, 3)
    with pytest.raises(BaseException):  # noqa: B017, PT011  # whatever wraps it
        await lab.engine.apply(plan)
    lab.recorder.inner.handle_async_request = inner
    call = lab.cluster.call
    call("DELETE", "/cluster/sdn/lock", {"force": 1})
    token = call("POST", "/cluster/sdn/lock", {"allow-pending": 1})
    lab.cluster.clock.advance(1000)
    await lab.plan(LAB)  # settles what the dead process left
    call("POST", "/cluster/sdn/rollback", {"lock-token": token, "release-lock": 0})
    call("DELETE", "/cluster/sdn/lock", {"lock-token": token})  # refused if it were not his
