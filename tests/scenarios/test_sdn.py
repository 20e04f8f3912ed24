"""The cluster's networks: staged under the lock, committed once, rolled back when that fails.

Pains: a failed commit that leaves half of it staged and the lock held; changes of somebody else
that are committed along.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest

from pmpc_state import State
from proxmox_client.testing import SimulatedCluster
from proxmox_client.testing.faults import Edit, FailingTask, SomebodyElse, Where

LAB = """
apiVersion: pmpc/v1
kind: Sdn
metadata: {name: lab}
spec:
  zones:
    lab: {type: vlan, bridge: vmbr0, nodes: [pve2, pve1]}
  vnets:
    web: {zone: lab, tag: 20, alias: front}
    db: {zone: lab, tag: 30}
  subnets:
    10.50.0.0/24:
      vnet: web
      gateway: 10.50.0.1
      dhcp-range: [10.50.0.10-10.50.0.99]
"""
APPLY = "PUT /cluster/sdn"


@pytest.fixture(params=["8.4", "9.2"])
async def old_and_new(
    request: Any, tmp_path: Path, furnished: Any, lab_type: Any
) -> AsyncIterator[Any]:
    cluster: SimulatedCluster = furnished(version=request.param)
    with State.open(f"sqlite:///{tmp_path / 'state.db'}", now=cluster.clock.now) as state:
        lab = lab_type(cluster, state)
        async with lab.client:
            yield lab


def staged(lab: Any, section: str) -> dict[str, Any]:
    key = section.removesuffix("s")
    return {row[key]: row for row in lab.cluster.call("GET", f"/cluster/sdn/{section}")}


def pending(lab: Any) -> list[Any]:
    return [
        row
        for section in ("zones", "vnets")
        for row in lab.cluster.call("GET", f"/cluster/sdn/{section}", {"pending": 1})
        if row.get("state")
    ]


def lock_is_free(lab: Any) -> bool:
    token = lab.cluster.call("POST", "/cluster/sdn/lock")
    lab.cluster.call("DELETE", "/cluster/sdn/lock", {"lock-token": token})
    return True


async def quiet(lab: Any, text: str) -> None:
    lab.forget_writes()
    for _ in range(3):
        plan = await lab.plan(text)
        assert plan.empty, plan.explain()
        await lab.engine.apply(plan)
    assert lab.writes == []


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


IFRELOAD = FailingTask(
    kind="srvreload", id="networking", message="command 'ifreload -a' failed: exit code 1"
)
MOVED = LAB.replace("tag: 20", "tag: 21").replace("    db: {zone: lab, tag: 30}\n", "")


def running(lab: Any) -> list[list[dict[str, Any]]]:
    """Return zones, networks and subnets as applied, in an order of their own."""

    def rows(path: str, key: str) -> list[dict[str, Any]]:
        found = lab.cluster.call("GET", f"/cluster/sdn/{path}", {"running": 1})
        plain = [{name: value for name, value in row.items() if name != "digest"} for row in found]
        return sorted(plain, key=lambda row: str(row[key]))

    vnets = rows("vnets", "vnet")
    below = [row for vnet in vnets for row in rows(f"vnets/{vnet['vnet']}/subnets", "subnet")]
    return [rows("zones", "zone"), vnets, below]


def free_of_locks(lab: Any) -> bool:
    return lab.cluster.version.startswith("8") or lock_is_free(lab)


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


async def test_rollback_and_uninstall(old_and_new: Any) -> None:
    lab = old_and_new
    await lab.applied(LAB)
    await lab.applied(LAB.replace("tag: 20", "tag: 25"))
    assert (await lab.engine.apply(await lab.engine.rollback("shop"))).ok
    assert staged(lab, "vnets")["web"]["tag"] == 20
    assert (await lab.engine.apply(await lab.engine.delete("shop"))).ok
    assert staged(lab, "zones") == {}
    assert pending(lab) == []
