"""The cluster's networks: staged under the lock, committed once, rolled back when that fails.

Pains: a failed commit that leaves half of it staged and the lock held; changes of somebody else
that are committed along.
"""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.lab.networks import LAB, lock_is_free, pending, staged
from tests.lab.quiet import quiet

APPLY = "PUT /cluster/sdn"


async def test_everything_is_staged_and_applied_once(old_and_new: Any) -> None:
    lab = old_and_new
    await lab.applied(LAB)
    assert lab.writes.count(APPLY) == 1
    assert lab.writes[-1] == APPLY
    assert pending(lab) == []
    assert staged(lab, "vnets")["web"]["tag"] == 20
    (subnet,) = lab.cluster.call("GET", "/cluster/sdn/vnets/web/subnets")
    assert subnet["gateway"] == "10.50.0.1"
    await quiet(lab, LAB)


async def test_changes_and_removals_are_one_more_commit(old_and_new: Any) -> None:
    lab = old_and_new
    await lab.applied(LAB)
    lab.forget_writes()
    text = LAB.replace("tag: 20", "tag: 21").replace("    db: {zone: lab, tag: 30}\n", "")
    await lab.applied(text.replace(", nodes: [pve2, pve1]", ""))
    assert lab.writes.count(APPLY) == 1
    assert set(staged(lab, "vnets")) == {"web"}
    assert staged(lab, "vnets")["web"]["tag"] == 21
    assert "nodes" not in staged(lab, "zones")["lab"]


async def test_a_failing_commit_is_rolled_back_and_the_lock_released(lab: Any) -> None:
    inner = lab.recorder.inner.handle_async_request

    async def broken(request: httpx.Request) -> httpx.Response:
        if request.method == "PUT" and request.url.path.endswith("/cluster/sdn"):
            body = {"data": None, "message": "could not commit SDN config: frr is broken\n"}
            return httpx.Response(500, json=body, request=request)
        response: httpx.Response = await inner(request)
        return response

    lab.recorder.inner.handle_async_request = broken
    report = await lab.apply(LAB)
    assert "frr is broken" in report.failed[0].reason
    assert "rolled back and the lock is released" in report.failed[0].reason
    assert staged(lab, "zones") == {}
    assert pending(lab) == []
    assert lock_is_free(lab)
    lab.recorder.inner.handle_async_request = inner
    await lab.applied(LAB)


async def test_a_failing_dry_run_is_rolled_back_before_anything_is_applied(lab: Any) -> None:
    inner = lab.recorder.inner.handle_async_request

    async def broken(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/dry-run") and request.url.params["node"] == "pve2":
            body = {"data": None, "message": "cannot write the interfaces: no bridge vmbr0\n"}
            return httpx.Response(500, json=body, request=request)
        response: httpx.Response = await inner(request)
        return response

    lab.recorder.inner.handle_async_request = broken
    report = await lab.apply(LAB)
    assert "dry-run on pve2: cannot write" in report.failed[0].reason
    assert APPLY not in lab.writes
    assert pending(lab) == []
    assert lock_is_free(lab)


async def test_a_refused_staging_takes_the_others_back_too(old_and_new: Any) -> None:
    lab = old_and_new
    report = await lab.apply(LAB.replace("tag: 30", "tag: 20"))
    assert "already exist" in report.failed[0].reason
    assert staged(lab, "zones") == {}
    assert staged(lab, "vnets") == {}
    assert APPLY not in lab.writes


async def test_what_somebody_staged_is_a_conflict_and_is_not_committed_along(
    old_and_new: Any,
) -> None:
    lab = old_and_new
    lab.cluster.call("POST", "/cluster/sdn/zones", {"zone": "alice", "type": "simple"})
    plan = await lab.plan(LAB)
    (conflict,) = plan.object("Sdn/lab").conflicts
    assert conflict.path == "zones.alice"
    assert plan.steps == ()
    assert [row["zone"] for row in pending(lab)] == ["alice"]


async def test_what_somebody_stages_between_plan_and_apply_stops_it(old_and_new: Any) -> None:
    lab = old_and_new
    plan = await lab.plan(LAB)
    lab.cluster.call("POST", "/cluster/sdn/zones", {"zone": "alice", "type": "simple"})
    report = await lab.engine.apply(plan)
    assert "zones.alice" in report.failed[0].reason
    assert set(staged(lab, "zones")) == {"alice"}


async def test_a_held_lock_is_waited_for(lab: Any) -> None:
    token = lab.cluster.call("POST", "/cluster/sdn/lock")
    plan = await lab.plan(LAB)

    def let_go(event: Any) -> None:
        if type(event).__name__ == "StepWaiting":
            assert "somebody else holds the lock" in event.reason
            lab.cluster.call("DELETE", "/cluster/sdn/lock", {"lock-token": token, "force": 1})

    report = await lab.engine.apply(plan, let_go)
    assert report.ok, report.failed[0].reason


async def test_a_zone_of_somebody_else_is_a_conflict_and_is_never_deleted(lab: Any) -> None:
    lab.cluster.call("POST", "/cluster/sdn/zones", {"zone": "lab", "type": "vlan",
                                                    "bridge": "vmbr9"})  # fmt: skip
    lab.cluster.call("PUT", "/cluster/sdn")
    plan = await lab.plan(LAB)
    assert {change.path for change in plan.object("Sdn/lab").conflicts} == {
        "zones.lab.bridge", "zones.lab.nodes",
    }  # fmt: skip
    await lab.applied(LAB, resolve={"zones.lab": "ours"})
    await lab.engine.apply(await lab.engine.delete("shop"))
    assert set(staged(lab, "zones")) == {"lab"}
    assert staged(lab, "vnets") == {}


async def test_an_edit_of_somebody_else_is_a_conflict(lab: Any) -> None:
    await lab.applied(LAB)
    lab.cluster.call("PUT", "/cluster/sdn/vnets/web", {"tag": 99})
    lab.cluster.call("PUT", "/cluster/sdn")
    plan = await lab.plan(LAB)
    (conflict,) = plan.object("Sdn/lab").conflicts
    assert (conflict.path, conflict.base, conflict.live) == ("vnets.web.tag", 20, 99)


async def test_a_process_that_dies_while_staging_leaves_neither_lock_nor_changes(
    lab: Any,
) -> None:
    inner = lab.recorder.inner.handle_async_request

    class Died(BaseException):
        pass

    async def dying(request: httpx.Request) -> httpx.Response:
        response: httpx.Response = await inner(request)
        if request.method == "POST" and request.url.path.endswith("/cluster/sdn/vnets"):
            raise Died
        return response

    lab.recorder.inner.handle_async_request = dying
    with pytest.raises(BaseException):  # noqa: B017, PT011  # whatever wraps it
        await lab.apply(LAB)
    lab.recorder.inner.handle_async_request = inner
    lab.cluster.clock.advance(1000)
    plan = await lab.plan(LAB)
    assert not plan.has_conflicts, plan.explain()
    assert lock_is_free(lab)
    assert (await lab.engine.apply(plan)).ok


async def test_rollback_and_uninstall(old_and_new: Any) -> None:
    lab = old_and_new
    await lab.applied(LAB)
    await lab.applied(LAB.replace("tag: 20", "tag: 25"))
    assert (await lab.engine.apply(await lab.engine.rollback("shop"))).ok
    assert staged(lab, "vnets")["web"]["tag"] == 20
    assert (await lab.engine.apply(await lab.engine.delete("shop"))).ok
    assert staged(lab, "zones") == {}
    assert pending(lab) == []
