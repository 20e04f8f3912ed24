"""Pain: a failed apply leaves settings half old and half new.

All or nothing for settings: whichever call of a plan fails, our fields are back to what they were,
and what others did meanwhile stays.
"""

from __future__ import annotations

import itertools
from typing import Any, cast

import httpx
import pytest

from pmpc_reconcile.errors import PlanRefused
from proxmox_client.testing.request import PveFault

HEAD = "---\napiVersion: pmpc/v1\nkind: {}\nmetadata: {{name: {}}}\nspec:\n"
BEFORE = {
    "Firewall/cluster": """
  options: {policy_forward: DROP}
  aliases: {desk: 192.0.2.66}
  ipsets: {office: {entries: [192.0.2.0/24, desk]}}
  groups: {web: {rules: [{type: in, action: ACCEPT, proto: tcp, dport: 443}]}}
  rules:
    - {type: in, action: ACCEPT, macro: SSH, source: +office, comment: log in}
    - {type: in, action: ACCEPT, proto: tcp, dport: 8006}
    - {type: in, action: ACCEPT, proto: tcp, dport: 80}
""",
    "Firewall/db": "\n  guest: 300\n  rules: [{type: in, action: ACCEPT, proto: tcp, dport: 22}]\n",
    "Sdn/lab": """
  zones: {lab: {type: vlan, bridge: vmbr0}}
  vnets: {web: {zone: lab, tag: 20, alias: front}, db: {zone: lab, tag: 30}}
  subnets: {10.5.0.0/24: {vnet: web, gateway: 10.5.0.1}}
""",
    "NodeNetwork/pve1": """
  node: pve1
  interfaces: {vmbr1: {type: bridge, autostart: on, comments: guests}, vmbr2: {type: bridge}}
""",
    "Storage/tank": "\n  type: dir\n  config: {path: /srv/tank, content: [iso]}\n",
    "Image/debian": """
  {storage: local, content: iso, url: "https://images.example.org/debian.iso", nodes: [pve1]}
""",
    "Pool/team": "\n  {comment: ours, storage: [local]}\n",
}
AFTER = {
    "Firewall/cluster": """
  aliases: {desk: 192.0.2.67, lan: 10.0.0.0/8}
  ipsets: {office: {entries: [192.0.2.0/24, lan]}}
  rules:
    - {type: in, action: ACCEPT, proto: tcp, dport: 8006}
    - {type: in, action: ACCEPT, macro: SSH, source: +office, comment: come in}
    - {type: in, action: ACCEPT, proto: tcp, dport: 81}
""",
    "Firewall/db": "\n  guest: 300\n  rules: [{type: in, action: ACCEPT, proto: tcp, dport: 23}]\n",
    "Sdn/lab": """
  zones: {lab: {type: vlan, bridge: vmbr0, mtu: 1450}}
  vnets: {web: {zone: lab, tag: 21}, new: {zone: lab, tag: 40}}
  subnets: {10.6.0.0/24: {vnet: new}}
""",
    "NodeNetwork/pve1": """
  node: pve1
  interfaces: {vmbr1: {type: bridge, autostart: on, comments: all}, vmbr3: {type: bridge}}
""",
    "Storage/tank": "\n  type: dir\n  config: {path: /srv/tank, content: [iso, backup]}\n",
    "Storage/vault": "\n  type: dir\n  config: {path: /srv/vault, content: [iso]}\n",
    "Image/debian": """
  {storage: local, content: iso, url: "https://images.example.org/debian.iso", nodes: [pve2]}
""",
    "Pool/team": "\n  {comment: theirs, storage: [local-lvm]}\n",
}
PATHS = [
    "/cluster/firewall/rules", "/cluster/firewall/ipset/office", "/cluster/firewall/aliases",
    "/cluster/firewall/groups", "/cluster/firewall/options", "/nodes/pve1/qemu/300/firewall/rules",
    "/cluster/sdn/zones", "/cluster/sdn/vnets", "/cluster/sdn/vnets/web/subnets",
    "/nodes/pve1/network", "/storage", "/nodes/pve1/storage/local/content",
    "/nodes/pve2/storage/local/content", "/pools",
]  # fmt: skip
VOLATILE = {"digest", "active", "pos", "used", "avail", "used_fraction", "priority", "ctime"}


def text_of(stack: dict[str, str]) -> str:
    return "".join(
        HEAD.format(*address.split("/")) + spec.lstrip("\n") for address, spec in stack.items()
    )


def seen(lab: Any) -> dict[str, list[str]]:
    """Return all settings as the server shows them; the rules in their order."""
    found: dict[str, list[str]] = {}
    for path in PATHS:
        try:
            answer = lab.cluster.call("GET", path)
        except PveFault:  # what it is below is not there
            continue
        rows = cast("list[dict[str, Any]]", answer if isinstance(answer, list) else [answer])
        texts = [
            repr(sorted((k, str(v)) for k, v in row.items() if k not in VOLATILE)) for row in rows
        ]
        if path.endswith("/rules"):  # ours in their order; they may stand elsewhere among others'
            theirs = [text for text in texts if "icmp" in text]
            found[path] = [text for text in texts if text not in theirs] + theirs
        else:
            found[path] = sorted(texts)
    return found


EDITS: list[tuple[str, str, str, dict[str, Any]]] = [
    ("Firewall/cluster", "POST", "/cluster/firewall/rules",
     {"type": "in", "action": "ACCEPT", "proto": "icmp", "enable": 1}),
    ("Firewall/cluster", "POST", "/cluster/firewall/aliases",
     {"name": "alice", "cidr": "198.51.100.1"}),
    ("Firewall/db", "POST", "/nodes/pve1/qemu/300/firewall/rules",
     {"type": "in", "action": "ACCEPT", "proto": "icmp", "enable": 1}),
    ("Sdn/lab", "POST", "/cluster/sdn/zones", {"zone": "alice", "type": "simple"}),
    ("Sdn/lab", "PUT", "/cluster/sdn", {}),
    ("NodeNetwork/pve1", "POST", "/nodes/pve1/network", {"iface": "vmbr9", "type": "bridge"}),
    ("NodeNetwork/pve1", "PUT", "/nodes/pve1/network", {}),
    ("Storage/tank", "PUT", "/storage/tank", {"nodes": "pve1,pve2"}),
    ("Pool/team", "PUT", "/pools", {"poolid": "team", "vms": "300"}),
]  # fmt: skip


def theirs(lab: Any, addresses: tuple[str, ...]) -> None:
    """Let somebody edit beside us, what is not ours and is not in our way."""
    for address, method, path, params in EDITS:
        if address in addresses:
            lab.cluster.call(method, path, params)
    lab.cluster.clock.advance(30)


@pytest.fixture
async def stacked(lab: Any) -> Any:
    lab.cluster.downloads["https://images.example.org/debian.iso"] = b"iso"
    lab.cluster.add_vm("pve1", 300, {"name": "db-1"})
    return lab


GROUPS = {
    "firewall": ("Firewall/cluster",),
    "guest": ("Firewall/db",),
    "sdn": ("Sdn/lab",),
    "network": ("NodeNetwork/pve1",),
    "others": ("Storage/tank", "Storage/vault", "Image/debian", "Pool/team"),
}


def failing_at(inner: Any, left: list[int], *, after: bool) -> Any:
    """Refuse one write, counted from 0: before anything is done, or after it was done."""

    async def broken(request: httpx.Request) -> httpx.Response:
        left[0] -= request.method != "GET"
        struck = request.method != "GET" and left[0] == -1
        body = {"data": None, "message": "the disk is on fire\n"}
        answer = httpx.Response(500, json=body, request=request)
        done = after and not request.url.path.endswith("/lock")  # an error gives no lock
        if done or not struck:
            real: httpx.Response = await inner(request)
            answer = answer if struck else real
        return answer

    return broken


@pytest.mark.parametrize("after", [False, True], ids=["refused", "done and failed"])
@pytest.mark.parametrize("group", GROUPS)
async def test_whichever_call_fails_everything_is_back_and_others_edits_stay(
    stacked: Any, group: str, after: bool
) -> None:
    lab = stacked
    old, new = (
        text_of({name: stack[name] for name in GROUPS[group] if name in stack})
        for stack in (BEFORE, AFTER)
    )
    await lab.applied(old)
    plan = await lab.plan(new)
    theirs(lab, GROUPS[group])
    before = seen(lab)
    inner = lab.recorder.inner.handle_async_request
    for number in itertools.count():
        left = [number]
        lab.recorder.inner.handle_async_request = failing_at(inner, left, after=after)
        report = await lab.engine.apply(plan, atomic=True)
        lab.recorder.inner.handle_async_request = inner
        if left[0] >= 0:  # there is no such call
            assert report.ok, [item.reason for item in report.failed]
            break
        assert report.taken_back, (number, [item for item in report.undone if item.reason])
        lab.cluster.clock.advance(30)
        assert seen(lab) == before, number
        assert (await lab.plan(old)).empty, number
        plan = await lab.plan(new)


async def test_a_download_that_was_begun_and_called_a_failure_is_waited_for_and_removed(
    stacked: Any,
) -> None:
    lab = stacked
    images = {"Image/debian": BEFORE["Image/debian"]}
    before = seen(lab)
    inner = lab.recorder.inner.handle_async_request
    lab.recorder.inner.handle_async_request = failing_at(inner, [0], after=True)
    report = await lab.engine.apply(await lab.plan(text_of(images)), atomic=True)
    lab.recorder.inner.handle_async_request = inner
    assert "the disk is on fire" in report.failed[0].reason
    assert report.taken_back
    lab.cluster.clock.advance(30)
    assert seen(lab) == before


IRREVERSIBLE = [
    ({"Storage/tank": None}, "nothing undoes it"),
    ({"Pool/team": None}, "nothing undoes it"),
    ({"Image/debian": None}, "nothing tells where to fetch it from"),
]


@pytest.mark.parametrize(("change", "why"), IRREVERSIBLE)
async def test_what_cannot_be_undone_is_refused_beforehand(
    stacked: Any, change: dict[str, None], why: str
) -> None:
    await stacked.applied(text_of(BEFORE))
    rest = {address: spec for address, spec in BEFORE.items() if address not in change}
    plan = await stacked.plan(text_of(rest), prune=True)
    stacked.forget_writes()
    with pytest.raises(PlanRefused, match="could not be undone") as caught:
        await stacked.engine.apply(plan, atomic=True)
    assert why in str(caught.value)
    assert stacked.writes == []


async def test_a_secret_nobody_remembers_is_refused_beforehand(lab: Any) -> None:
    config = "{server: 10.77.0.200, share: tank, username: ada, password: one-secret}"
    text = text_of({"Storage/backup": f"\n  type: cifs\n  config: {config}\n"})
    await lab.applied(text)
    plan = await lab.plan(text.replace("one-secret", "two-secret"))
    with pytest.raises(PlanRefused, match=r"nobody knows the value config\.password had before"):
        await lab.engine.apply(plan, atomic=True)
