"""A node's network: everything staged, exactly one reload, and never cut off.

Pain: one reload per bridge cuts the management network in the middle of a change (bpg#3063).
"""

from __future__ import annotations

from typing import Any

import attrs
import httpx
import pytest

from proxmox_client.testing.faults import FailingTask
from tests.lab.quiet import quiet

NETWORK = "/nodes/pve1/network"
RELOAD = f"PUT {NETWORK}"

BONDED = """
apiVersion: pmpc/v1
kind: NodeNetwork
metadata: {name: pve1}
spec:
  node: pve1
  interfaces:
    bond0: {type: bond, slaves: [eth1, eth0], bond_mode: active-backup, autostart: on}
    vmbr0: {type: bridge, bridge_ports: bond0}
"""
GUESTS = """
apiVersion: pmpc/v1
kind: NodeNetwork
metadata: {name: pve1}
spec:
  node: pve1
  interfaces:
    vmbr1: {type: bridge, cidr: 10.60.0.1/24, autostart: on, comments: guests}
    vmbr2: {type: bridge, bridge_vlan_aware: on, autostart: on}
    vmbr3: {type: bridge, autostart: on}
"""


@pytest.fixture
def net(lab: Any) -> Any:
    return with_second_card(lab)


@pytest.fixture
def either(old_and_new: Any) -> Any:
    return with_second_card(old_and_new)


def with_second_card(lab: Any) -> Any:
    """Give the first node of a lab a second network card and a gateway."""
    call = lab.cluster.call
    call("POST", NETWORK, {"iface": "eth1", "type": "eth"})
    address = interface(lab, "vmbr0")["cidr"]
    call("PUT", f"{NETWORK}/vmbr0", {"type": "bridge", "cidr": address, "autostart": 1,
                                     "bridge_ports": "eth0", "gateway": "10.77.0.254"})  # fmt: skip
    reload(lab)
    lab.forget_writes()
    return lab


def interface(lab: Any, name: str) -> dict[str, Any]:
    found: dict[str, Any] = lab.cluster.call("GET", f"{NETWORK}/{name}")
    return found


def reload(lab: Any) -> None:
    lab.cluster.call("PUT", NETWORK)
    lab.cluster.clock.advance(5)


def names(lab: Any) -> set[str]:
    return {row["iface"] for row in lab.cluster.call("GET", NETWORK)}


def staged(lab: Any) -> bool:
    return "network.new" in lab.cluster.nodes["pve1"].files


async def test_a_bridge_moved_onto_a_bond_is_one_reload(either: Any) -> None:
    net = either
    address = interface(net, "vmbr0")["cidr"]
    await net.applied(BONDED)
    assert net.writes.count(RELOAD) == 1
    assert net.writes[-1] == RELOAD
    bridge = interface(net, "vmbr0")
    assert bridge["bridge_ports"] == "bond0"
    assert (bridge["cidr"], bridge["gateway"]) == (address, "10.77.0.254")
    assert sorted(interface(net, "bond0")["slaves"].split()) == ["eth0", "eth1"]
    assert not staged(net)
    await quiet(net, BONDED)


async def test_no_port_belongs_to_two_interfaces_at_any_moment(either: Any) -> None:
    net = either
    inner = net.recorder.inner.handle_async_request

    async def watched(request: httpx.Request) -> httpx.Response:
        response: httpx.Response = await inner(request)
        rows = net.cluster.call("GET", NETWORK)
        ports = [
            port for row in rows for name in ("bridge_ports", "slaves")
            for port in str(row.get(name, "")).split()
        ]  # fmt: skip
        assert len(ports) == len(set(ports))
        return response

    net.recorder.inner.handle_async_request = watched
    await net.applied(BONDED)


async def test_several_bridges_are_one_reload(net: Any) -> None:
    await net.applied(GUESTS)
    assert net.writes.count(RELOAD) == 1
    assert names(net) == {"eth0", "eth1", "vmbr0", "vmbr1", "vmbr2", "vmbr3"}
    await quiet(net, GUESTS)
    net.forget_writes()
    await net.applied(GUESTS.replace("    vmbr3: {type: bridge, autostart: on}\n", ""))
    assert net.writes.count(RELOAD) == 1
    assert "vmbr3" not in names(net)


async def test_uninstalling_removes_what_we_made_and_leaves_the_rest(net: Any) -> None:
    await net.applied(GUESTS)
    assert (await net.engine.apply(await net.engine.delete("shop"))).ok
    assert names(net) == {"eth0", "eth1", "vmbr0"}


CUTS = {
    "address": ("vmbr0: {type: bridge, cidr: 10.99.0.9/24}", "no interface would have"),
    "gateway": ("vmbr0: {type: bridge, gateway: 10.77.0.253}", "gateway of the management"),
    "port": ("vmbr0: {type: bridge, bridge_ports: eth1}", "would not go over eth0 any more"),
    "no port": ("vmbr0: {type: bridge, bridge_ports: []}", "would not go over eth0 any more"),
    "vlan": (
        "eth0.5: {type: vlan, autostart: on}\n    vmbr0: {type: bridge, bridge_ports: eth0.5}",
        "would not go over eth0 any more",
    ),
    "boot": ("vmbr0: {type: bridge, autostart: off}", "would not start by itself"),
}


@pytest.mark.parametrize("way", CUTS)
async def test_a_plan_that_cuts_the_management_address_is_refused(either: Any, way: str) -> None:
    net = either
    interfaces, reason = CUTS[way]
    head = GUESTS.split("    vmbr1")[0]
    plan = await net.plan(f"{head}    {interfaces}\n")
    assert plan.steps == ()
    assert reason in plan.errors[0].message
    assert net.writes == []


async def test_what_somebody_staged_is_a_conflict(net: Any) -> None:
    net.cluster.call("POST", NETWORK, {"iface": "vmbr9", "type": "bridge"})
    plan = await net.plan(GUESTS)
    assert [change.path for change in plan.object("NodeNetwork/pve1").conflicts] == ["node pve1"]
    assert plan.steps == ()


async def test_what_somebody_stages_after_the_plan_is_not_committed_along(net: Any) -> None:
    plan = await net.plan(GUESTS)
    net.cluster.call("POST", NETWORK, {"iface": "vmbr9", "type": "bridge"})
    report = await net.engine.apply(plan)
    assert "would be committed along" in report.failed[0].reason
    assert RELOAD not in net.writes
    assert "vmbr9" in names(net)


async def test_what_somebody_stages_in_the_middle_stays_and_ours_is_taken_back(net: Any) -> None:
    inner = net.recorder.inner.handle_async_request
    strange = ["vmbr9"]

    async def rival(request: httpx.Request) -> httpx.Response:
        response: httpx.Response = await inner(request)
        if request.method == "POST" and strange:
            net.cluster.call("POST", NETWORK, {"iface": strange.pop(), "type": "bridge"})
        return response

    net.recorder.inner.handle_async_request = rival
    report = await net.apply(GUESTS)
    assert "vmbr9" in report.failed[0].reason
    assert names(net) == {"eth0", "eth1", "vmbr0", "vmbr9"}
    assert RELOAD not in net.writes


async def test_a_refused_staging_is_reverted(net: Any) -> None:
    text = BONDED.replace("[eth1, eth0]", "[eth1, eth0, vmbr7]")
    report = await net.apply(text)
    assert "wrong interface type" in report.failed[0].reason
    assert "reverted" in report.failed[0].reason
    assert not staged(net)
    assert RELOAD not in net.writes


async def test_a_failing_reload_brings_the_network_before_back(net: Any) -> None:
    inner = net.recorder.inner.handle_async_request
    refusals = [True]

    async def broken(request: httpx.Request) -> httpx.Response:
        if request.method == "PUT" and request.url.path.endswith(NETWORK) and refusals:
            refusals.pop()
            body = {"data": None, "message": "ifreload: bond0 is busy\n"}
            return httpx.Response(500, json=body, request=request)
        response: httpx.Response = await inner(request)
        return response

    net.recorder.inner.handle_async_request = broken
    report = await net.apply(BONDED)
    assert "bond0 is busy" in report.failed[0].reason
    assert interface(net, "vmbr0")["bridge_ports"] == "eth0"
    assert "bond0" not in names(net)
    assert not staged(net)


BUSY = FailingTask(kind="srvreload", message="bond0: cannot be enslaved")


async def test_a_reload_whose_task_fails_is_taken_back_by_one_more(either: Any) -> None:
    net = either
    before = interface(net, "vmbr0")
    net.cluster.faults.add(BUSY)
    report = await net.apply(BONDED)
    assert "cannot be enslaved" in report.failed[0].reason
    assert "the network is reloaded as it was before" in report.failed[0].reason
    net.cluster.clock.advance(5)
    assert interface(net, "vmbr0") == before
    assert net.writes.count(RELOAD) == 2
    await net.applied(BONDED)


async def test_a_node_that_reloads_neither_way_is_said_to(net: Any) -> None:
    net.cluster.faults.add(attrs.evolve(BUSY, times=2))
    report = await net.apply(BONDED)
    assert "configured again, but it did not reload either" in report.failed[0].reason
    assert not staged(net)


async def test_a_reload_that_failed_while_nobody_looked_is_taken_back(net: Any) -> None:
    before = interface(net, "vmbr0")
    net.cluster.faults.add(BUSY)
    plan = await dies_at(net, "GET", ":/status", BONDED)
    report = await net.engine.apply(plan)
    assert "an earlier process began failed" in report.failed[0].reason
    net.cluster.clock.advance(5)
    assert interface(net, "vmbr0") == before


async def test_an_edit_of_somebody_else_is_a_conflict(net: Any) -> None:
    await net.applied(GUESTS)
    net.cluster.call("PUT", f"{NETWORK}/vmbr1", {"type": "bridge", "cidr": "10.61.0.1/24"})
    reload(net)
    plan = await net.plan(GUESTS)
    (conflict,) = plan.object("NodeNetwork/pve1").conflicts
    assert (conflict.path, conflict.live) == ("interfaces.vmbr1.cidr", "10.61.0.1/24")


async def test_a_node_that_does_not_answer_is_left_alone(net: Any) -> None:
    net.cluster.nodes["pve3"].online = False
    plan = await net.plan(GUESTS.replace("node: pve1", "node: pve3"))
    assert plan.object("NodeNetwork/pve1").action.value == "unknown"
    assert plan.steps == ()


class Died(BaseException):
    """The process is gone."""


async def dies_at(net: Any, method: str, end: str, text: str) -> Any:
    """Let a process die right after a call, and return the plan it was applying."""
    inner = net.recorder.inner.handle_async_request

    async def dying(request: httpx.Request) -> httpx.Response:
        response: httpx.Response = await inner(request)
        if request.method == method and request.url.path.endswith(end):
            raise Died
        return response

    plan = await net.plan(text)
    net.recorder.inner.handle_async_request = dying
    with pytest.raises(BaseException):  # noqa: B017, PT011  # whatever wraps it
        await net.engine.apply(plan)
    net.recorder.inner.handle_async_request = inner
    net.cluster.clock.advance(1000)
    return plan


STOPS = [("PUT", "/vmbr0"), ("POST", "/network"), ("PUT", "/network")]


@pytest.mark.parametrize(("method", "end"), STOPS)
async def test_the_same_plan_goes_on_where_a_dead_process_stopped(
    net: Any, method: str, end: str
) -> None:
    plan = await dies_at(net, method, end, BONDED)
    report = await net.engine.apply(plan)
    assert report.ok, report.failed[0].reason
    assert net.writes.count(RELOAD) == 1
    assert interface(net, "vmbr0")["bridge_ports"] == "bond0"
    await quiet(net, BONDED)


async def test_what_a_dead_process_staged_is_gone_before_the_next_plan(net: Any) -> None:
    await dies_at(net, "POST", "/network", BONDED)
    plan = await net.plan(GUESTS)
    assert not plan.has_conflicts, plan.explain()
    assert not staged(net)
