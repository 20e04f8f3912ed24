"""Settings when things go wrong: a process that dies at any call, all or nothing, silent nodes."""

from __future__ import annotations

from typing import Any, cast

import httpx
import pytest

FIREWALL = """
apiVersion: pmpc/v1
kind: Firewall
metadata: {name: cluster}
spec:
  options: {enable: on}
  ipsets: {office: {entries: [192.0.2.0/24]}}
  rules:
    - {type: in, action: ACCEPT, macro: SSH, source: +office, comment: log in}
    - {type: in, action: ACCEPT, proto: tcp, dport: "8006"}
    - {type: in, action: DROP}
"""
SDN = """
---
apiVersion: pmpc/v1
kind: Sdn
metadata: {name: lab}
spec:
  zones: {lab: {type: vlan, bridge: vmbr0}}
  vnets: {web: {zone: lab, tag: 20}}
"""
NETWORK = """
---
apiVersion: pmpc/v1
kind: NodeNetwork
metadata: {name: pve1}
spec:
  node: pve1
  interfaces: {vmbr1: {type: bridge, autostart: on}}
"""
STORAGE = """
---
apiVersion: pmpc/v1
kind: Storage
metadata: {name: tank}
spec: {type: nfs, config: {server: 10.77.0.200, export: /tank, content: [iso]}}
"""
IMAGE = """
---
apiVersion: pmpc/v1
kind: Image
metadata: {name: debian}
spec: {storage: local, content: iso, url: "https://images.example.org/debian.iso", nodes: [pve1]}
"""
EVERYTHING = FIREWALL + SDN + NETWORK + STORAGE + IMAGE
PATHS = [
    "/cluster/firewall/rules", "/cluster/firewall/ipset", "/cluster/firewall/options",
    "/cluster/sdn/zones", "/cluster/sdn/vnets", "/nodes/pve1/network", "/storage",
    "/nodes/pve1/storage/local/content",
]  # fmt: skip
VOLATILE = {"digest", "active", "used", "avail", "used_fraction", "priority", "ctime"}


class Died(BaseException):
    """The process is gone."""


def everything(lab: Any) -> list[tuple[str, list[str]]]:
    """Return all settings as the server shows them."""
    return [(path, shown(lab.cluster.call("GET", path))) for path in PATHS]


def shown(answer: Any) -> list[str]:
    """Return rows without what changes by itself, as texts in order."""
    rows = cast("list[dict[str, Any]]", answer if isinstance(answer, list) else [answer])
    kept = [{k: v for k, v in row.items() if k not in VOLATILE} for row in rows]
    # An option given back its value is written out; PVE takes 0 where it is not set.
    return sorted(repr(sorted(row.items())) for row in kept if row not in ({}, {"enable": 0}))


async def count_of_calls(lab: Any, text: str) -> int:
    plan = await lab.plan(text)
    lab.forget_writes()
    assert (await lab.engine.apply(plan)).ok
    calls = len(lab.writes)
    assert (await lab.engine.apply(await lab.engine.delete("shop"))).ok
    lab.cluster.clock.advance(10)
    return calls


async def dies_after(lab: Any, plan: Any, calls: int) -> None:
    """Apply a plan until a number of calls were answered, then never hear of the process again."""
    inner = lab.recorder.inner.handle_async_request
    left = [calls]

    async def dying(request: httpx.Request) -> httpx.Response:
        response: httpx.Response = await inner(request)
        if request.method != "GET":
            left[0] -= 1
            if left[0] <= 0:
                raise Died
        return response

    lab.recorder.inner.handle_async_request = dying
    with pytest.raises(BaseException):  # noqa: B017, PT011  # whatever wraps it
        await lab.engine.apply(plan)
    lab.recorder.inner.handle_async_request = inner
    lab.cluster.clock.advance(1000)


@pytest.mark.parametrize("text", [FIREWALL, SDN.removeprefix("\n---"), STORAGE[5:]],
                         ids=["firewall", "sdn", "storage"])  # fmt: skip
async def test_a_process_may_die_at_any_call(lab: Any, text: str) -> None:
    calls = await count_of_calls(lab, text)
    for number in range(1, calls + 1):
        plan = await lab.plan(text)
        await dies_after(lab, plan, number)
        report = await lab.engine.apply(plan)
        assert report.ok, (number, [item.reason for item in report.failed])
        again = await lab.plan(text)
        assert again.empty, (number, again.explain())
        assert (await lab.engine.apply(await lab.engine.delete("shop"))).ok
        lab.cluster.clock.advance(10)


async def test_all_or_nothing_takes_every_kind_back_and_leaves_others_edits(lab: Any) -> None:
    lab.cluster.call("POST", "/cluster/firewall/rules", {"type": "in", "action": "ACCEPT",
                                                         "proto": "icmp", "enable": 1})  # fmt: skip
    before = everything(lab)
    report = await lab.engine.apply(await lab.plan(EVERYTHING), atomic=True)
    assert [result.address for result in report.failed] == ["Image/debian"]  # nobody serves it
    assert everything(lab) == before
    token = lab.cluster.call("POST", "/cluster/sdn/lock")
    lab.cluster.call("DELETE", "/cluster/sdn/lock", {"lock-token": token})


async def test_everything_at_once_and_nothing_left_after_uninstalling(lab: Any) -> None:
    lab.cluster.downloads["https://images.example.org/debian.iso"] = b"iso"
    before = everything(lab)
    await lab.applied(EVERYTHING)
    plan = await lab.plan(EVERYTHING)
    assert plan.empty, plan.explain()
    assert (await lab.engine.apply(await lab.engine.delete("shop"))).ok
    lab.cluster.clock.advance(10)
    assert everything(lab) == before


async def test_pruning_takes_out_what_the_manifests_no_longer_have(lab: Any) -> None:
    await lab.applied(FIREWALL + SDN + NETWORK)
    await lab.applied(FIREWALL + NETWORK)
    assert lab.cluster.call("GET", "/cluster/sdn/zones") != []
    await lab.applied(FIREWALL, prune=True)
    assert lab.cluster.call("GET", "/cluster/sdn/zones") == []
    names = {row["iface"] for row in lab.cluster.call("GET", "/nodes/pve1/network")}
    assert "vmbr1" not in names


async def test_what_is_on_a_silent_node_is_not_pruned(lab: Any) -> None:
    text = NETWORK[5:].replace("pve1", "pve3")
    await lab.applied(FIREWALL + "---\n" + text)
    lab.cluster.nodes["pve3"].online = False
    plan = await lab.plan(FIREWALL, prune=True)
    assert plan.object("NodeNetwork/pve3").action.value == "unknown"
    assert not any(step.address == "NodeNetwork/pve3" for step in plan.steps)
    await lab.engine.apply(plan)
    lab.cluster.nodes["pve3"].online = True
    plan = await lab.plan(FIREWALL, prune=True)
    assert plan.object("NodeNetwork/pve3").action.value == "delete"


async def test_protected_settings_are_not_deleted(lab: Any) -> None:
    await lab.applied(SDN.removeprefix("\n---") + "  protect: on\n")
    plan = await lab.engine.delete("shop")
    assert plan.steps == ()
    assert "protected" in plan.errors[0].message


async def test_two_releases_keep_their_rules_in_one_list(lab: Any) -> None:
    from pmpc_reconcile.manifests import load_text

    other = FIREWALL.replace("8006", "9100").replace("macro: SSH, source: +office", "macro: Ping")
    other = other.replace("    - {type: in, action: DROP}\n", "")
    await lab.applied(FIREWALL)
    plan = await lab.engine.plan(load_text(other), "watch")
    assert (await lab.engine.apply(plan)).ok
    for text, release in ((FIREWALL, "shop"), (other, "watch")):
        plan = await lab.engine.plan(load_text(text), release)
        assert plan.empty, plan.explain()
    assert (await lab.engine.apply(await lab.engine.delete("watch"))).ok
    rows = lab.cluster.call("GET", "/cluster/firewall/rules")
    assert [row.get("macro", row.get("dport", row["action"])) for row in rows] == [
        "SSH", "8006", "DROP",
    ]  # fmt: skip
    assert (await lab.plan(FIREWALL)).empty


async def test_a_card_waits_for_the_virtual_network_of_the_same_plan(lab: Any) -> None:
    guest = """
---
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {name: web-1}
spec:
  source: {clone: {template: debian-13}}
  config: {net0: {model: virtio, bridge: web}}
  state: running
"""
    plan = await lab.plan(SDN.removeprefix("\n---") + guest)
    steps = {step.id: step for step in plan.steps}
    made = "Sdn/lab#configure"
    assert all(
        made in step.after for name, step in steps.items() if name.startswith("VirtualMachine/")
    )


async def test_a_guests_firewall_goes_with_the_guest(lab: Any) -> None:
    guest = """
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {name: web-1}
spec: {source: {clone: {template: debian-13}}}
"""
    own = FIREWALL.replace("name: cluster", "name: web-1").replace(
        "spec:", "spec:\n  guest: VirtualMachine/web-1"
    )
    await lab.applied(guest + "---" + own)
    report = await lab.engine.apply(await lab.engine.delete("shop"))
    assert report.ok, [item.reason for item in report.failed]
    assert lab.vmids() == []


@pytest.mark.parametrize("number", [1, 2, 4])
async def test_another_plan_may_follow_a_dead_process(lab: Any, number: int) -> None:
    await dies_after(lab, await lab.plan(SDN.removeprefix("\n---")), number)
    plan = await lab.plan(SDN.removeprefix("\n---").replace("tag: 20", "tag: 30"))
    assert not plan.has_conflicts, plan.explain()
    report = await lab.engine.apply(plan)
    assert report.ok, [item.reason for item in report.failed]
    (row,) = lab.cluster.call("GET", "/cluster/sdn/vnets")
    assert row["tag"] == 30


@pytest.mark.parametrize("text", [FIREWALL, SDN.removeprefix("\n---"), NETWORK[5:]],
                         ids=["firewall", "sdn", "network"])  # fmt: skip
async def test_what_a_dead_process_made_is_ours_to_delete(lab: Any, text: str) -> None:
    before = everything(lab)
    calls = await count_of_calls(lab, text)
    await dies_after(lab, await lab.plan(text), calls)
    assert everything(lab) != before
    assert (await lab.engine.apply(await lab.engine.delete("shop"))).ok
    lab.cluster.clock.advance(10)
    assert everything(lab) == before
