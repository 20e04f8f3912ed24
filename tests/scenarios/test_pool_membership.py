"""Pain: a guest is in one pool only, and moving it between declared pools took two applies or none.

The guest's manifest and the pool's may both say where it is; what one gives up the other takes.
"""

from __future__ import annotations

from typing import Any

import pytest

from pmpc_reconcile.execute.report import Outcome
from pmpc_reconcile.live import LiveCluster
from proxmox_client import ApiError
from tests.lab.quiet import quiet

VM = """
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {name: NAME}
spec: {source: {clone: {template: debian-13}}, config: {cores: 1}MORE}
"""
POOL = """
apiVersion: pmpc/v1
kind: Pool
metadata: {name: NAME}
spec: {comment: ours, guests: [GUESTS]}
"""
X, Y = "VirtualMachine/x", "VirtualMachine/y"


def vm(name: str, pool: str = "") -> str:
    return VM.replace("NAME", name).replace("MORE", f", pool: {pool}" if pool else "")


def pool(name: str, *guests: object) -> str:
    return POOL.replace("NAME", name).replace("GUESTS", ", ".join(map(str, guests)))


def stack(*documents: str) -> str:
    return "---".join(documents)


def guests_in(lab: Any, name: str) -> set[str]:
    rows = lab.cluster.call("GET", f"/pools/{name}")["members"]
    return {str(lab.config(row["vmid"])["name"]) for row in rows if "vmid" in row}


BEFORE = {
    "listed in the first": stack(pool("a", X), pool("b"), vm("x")),
    "listed in the second": stack(pool("a"), pool("b", X), vm("x")),
    "said in the first": stack(pool("a"), pool("b"), vm("x", "a")),
    "said in the second": stack(pool("a"), pool("b"), vm("x", "b")),
    "in neither": stack(pool("a"), pool("b"), vm("x")),
}


@pytest.mark.parametrize("after", BEFORE)
@pytest.mark.parametrize("before", BEFORE)
async def test_whoever_said_it_before_one_apply_is_enough(
    lab: Any, before: str, after: str
) -> None:
    await lab.applied(BEFORE[before])
    await lab.applied(BEFORE[after])
    assert guests_in(lab, "a") == ({"x"} if "first" in after else set())
    assert guests_in(lab, "b") == ({"x"} if "second" in after else set())
    await quiet(lab, BEFORE[after])


async def test_two_guests_change_places(lab: Any) -> None:
    await lab.applied(stack(pool("a", X), pool("b", Y), vm("x"), vm("y")))
    text = stack(pool("a", Y), pool("b", X), vm("x"), vm("y"))
    await lab.applied(text)
    assert (guests_in(lab, "a"), guests_in(lab, "b")) == ({"y"}, {"x"})
    await quiet(lab, text)


async def test_all_or_nothing_brings_them_back(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    await lab.applied(stack(pool("a", X), pool("b", Y), vm("x"), vm("y")))
    plan = await lab.plan(stack(pool("a", Y), pool("b", X), vm("x"), vm("y")))
    send = LiveCluster.write

    left = [True]

    async def once(self: LiveCluster, verb: str, path: str, params: Any = None) -> Any:
        if path == "/pools/b" and "delete" not in params and left:
            left.clear()
            raise ApiError("broken", verb, path, node="pve1", status=500, reason="it burns")
        return await send(self, verb, path, params or {})

    monkeypatch.setattr(LiveCluster, "write", once)
    report = await lab.engine.apply(plan, atomic=True)
    assert report.taken_back, [item for item in report.undone if item.reason]
    assert (guests_in(lab, "a"), guests_in(lab, "b")) == ({"x"}, {"y"})


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (stack(pool("a", X), pool("b", X), vm("x")), 10),
        (stack(pool("a", X), vm("x", "b"), pool("b")), 10),
        (stack(pool("a", 9000), pool("b", 9000)), 10),
    ],
)
async def test_a_guest_in_two_pools_is_refused_with_its_line(
    lab: Any, text: str, line: int
) -> None:
    plan = await lab.plan(text)
    (found,) = plan.errors
    assert "in pool a and in pool b, and a guest is in one pool only" in found.message
    assert found.line == line


async def test_a_guest_in_the_pool_of_somebody_else_stays_there(lab: Any) -> None:
    lab.cluster.call("POST", "/pools", {"poolid": "theirs"})
    lab.cluster.call("PUT", "/pools/theirs", {"vms": "9000"})
    plan = await lab.plan(pool("a", 9000))
    (found,) = plan.errors
    assert found.message == "guest 9000 is in pool theirs, and a guest is in one pool only"
    assert (found.line, plan.steps) == (5, ())


async def test_a_pool_goes_when_its_guests_have_left(lab: Any) -> None:
    await lab.applied(stack(pool("a", 9000, Y), vm("x", "a"), vm("y")))
    report = await lab.applied(stack(pool("b", Y), vm("x"), vm("y")), prune=True)
    assert {item.outcome for item in report.results} == {Outcome.DONE}
    assert [row["poolid"] for row in lab.cluster.call("GET", "/pools")] == ["b"]
    assert guests_in(lab, "b") == {"y"}


async def test_a_pool_with_a_guest_of_others_stays_with_it(lab: Any) -> None:
    await lab.applied(pool("a", 9000))
    lab.cluster.add_vm("pve1", 800, {"name": "theirs"})
    lab.cluster.call("PUT", "/pools/a", {"vms": "800"})
    report = await lab.engine.apply(await lab.engine.delete("shop"))
    assert [item.reason for item in report.failed] == [
        "pool a still has guests that are not ours: 800"
    ]
    assert guests_in(lab, "a") == {"theirs"}


CT = """
apiVersion: pmpc/v1
kind: Container
metadata: {name: c}
spec:
  source: {template: "local:vztmpl/debian-13-standard.tar.zst"}
  config: {unprivileged: UNPRIVILEGED, memory: 512, rootfs: {storage: local-lvm, size: 4G}}
"""


async def test_a_guest_that_is_made_anew_is_in_its_pool_again(lab: Any) -> None:
    members = pool("a", "Container/c", 9000)
    await lab.applied(stack(members, CT.replace("UNPRIVILEGED", "off")))
    (vmid,) = lab.vmids()
    allowed = f"  replace: allow\n  acceptDataLoss: {vmid}\n"
    text = stack(members, CT.replace("UNPRIVILEGED", "on") + allowed)
    report = await lab.applied(text)
    assert "rejoin" in {item.step_id.partition("#")[2] for item in report.done}
    rows = lab.cluster.call("GET", "/pools/a")["members"]
    assert {row["vmid"] for row in rows} == {9000, *lab.vmids()}
    await quiet(lab, text)
    await lab.applied(stack(pool("a", 9000), CT.replace("UNPRIVILEGED", "on")))
    rows = lab.cluster.call("GET", "/pools/a")["members"]
    assert {row["vmid"] for row in rows} == {9000}
