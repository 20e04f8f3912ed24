"""Every level's rules, on old and new versions: reordered, and edited by others at every call.

Pains: a lock-out half way through a change; a rule deleted at the wrong position (bpg#1993).
"""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import yaml

from pmpc_reconcile.groups.firewall.reach import Reach, of_guest
from pmpc_reconcile.live import LiveCluster
from pmpc_reconcile.live.firewall import CLUSTER_PATH, read_level, read_whole
from proxmox_client import ApiToken, AsyncClient

SSH = {"type": "in", "action": "ACCEPT", "proto": "tcp", "dport": "22", "comment": "ssh"}
API = {"type": "in", "action": "ACCEPT", "proto": "tcp", "dport": "8006"}
DROP = {"type": "in", "action": "DROP", "log": "info"}
PATHS = {
    "cluster": CLUSTER_PATH,
    "node": "/nodes/pve2/firewall",
    "guest": "/nodes/pve1/qemu/300/firewall",
}
WHERE: dict[str, dict[str, Any]] = {
    "cluster": {},
    "node": {"node": "pve2"},
    "guest": {"guest": 300},
}
OPTIONS: dict[str, dict[str, Any]] = {
    "cluster": {"enable": True, "policy_in": "DROP"},
    "node": {"enable": True},
    "guest": {"enable": True, "policy_in": "DROP"},
}


@pytest.fixture
def guarded(old_and_new: Any) -> Any:
    """A lab with a guest and the cluster's firewall switched on."""
    lab = old_and_new
    lab.cluster.add_vm("pve1", 300, {"name": "db-1", "net0": "virtio,bridge=vmbr0,firewall=1"})
    lab.cluster.call("PUT", f"{CLUSTER_PATH}/options", {"enable": 1})
    return lab


def port(number: int, action: str = "ACCEPT") -> dict[str, Any]:
    return {"type": "in", "action": action, "proto": "tcp", "dport": str(number)}


def firewall(level: str, rules: list[dict[str, Any]], **options: Any) -> str:
    spec = {**WHERE[level], "options": OPTIONS[level] | options, "rules": rules}
    head = {"apiVersion": "pmpc/v1", "kind": "Firewall", "metadata": {"name": level}}
    return yaml.safe_dump({**head, "spec": spec}, sort_keys=False)


def rules(lab: Any, level: str) -> list[str]:
    rows = lab.cluster.call("GET", f"{PATHS[level]}/rules")
    return [str(row.get("dport", row["action"])) for row in rows]


class Watcher:
    """Looks at the rules after every write, over a connection of its own."""

    def __init__(self, lab: Any, level: str) -> None:
        self.inner = lab.recorder.inner.handle_async_request
        self.level = level
        transport = lab.cluster.async_transport()
        token = ApiToken.parse(lab.token)
        client = AsyncClient("https://pve1:8006", token=token, transport=transport)
        self.live = LiveCluster(client)
        self.calls = 0
        self.cut: set[str] = set()

    async def __call__(self, request: Any) -> Any:
        response = await self.inner(request)
        if request.method != "GET":
            self.calls += 1
            self.cut.update(await self.look())
        return response

    async def look(self) -> tuple[str, ...]:
        """Return what nobody reaches at this moment."""
        level = (await read_level(self.live, PATHS[self.level])).level
        if self.level == "guest":
            cluster = (await read_level(self.live, CLUSTER_PATH)).level
            whole = of_guest(level, cluster)
        else:
            whole = await read_whole(self.live, PATHS[self.level], level)
        return Reach([whole]).cut_off(whole)


@pytest.mark.parametrize("level", PATHS)
async def test_fifty_rules_reordered_keep_ssh_and_the_api_reachable_after_every_call(
    guarded: Any, level: str
) -> None:
    lab = guarded
    accepts = [port(1000 + number, "ACCEPT" if number % 2 else "DROP") for number in range(47)]
    before = [*accepts[:20], SSH, *accepts[20:40], API, *accepts[40:], DROP]
    assert len(before) == 50
    await lab.applied(firewall(level, before))
    after = [*reversed(before[:-1]), DROP]
    watcher = Watcher(lab, level)
    lab.recorder.inner.handle_async_request = watcher
    await lab.applied(firewall(level, after))
    assert 48 <= watcher.calls <= 100
    assert watcher.cut == set()
    assert rules(lab, level) == [str(row.get("dport", "DROP")) for row in after]
    assert (await lab.plan(firewall(level, after))).empty


async def test_a_guest_is_opened_before_it_is_closed(guarded: Any) -> None:
    """A policy that drops comes after the rule that lets in, and the rule goes after the policy."""
    lab = guarded
    await lab.applied(firewall("guest", [], policy_in="ACCEPT"))
    for text in (firewall("guest", [SSH, API]), firewall("guest", [], policy_in="ACCEPT")):
        watcher = Watcher(lab, "guest")
        lab.recorder.inner.handle_async_request = watcher
        await lab.applied(text)
        lab.recorder.inner.handle_async_request = watcher.inner
        assert watcher.calls > 1
        assert watcher.cut == set()


def insert(lab: Any, level: str) -> None:
    """Let somebody put a new rule at the top, so that every position shifts."""
    lab.cluster.call("POST", f"{PATHS[level]}/rules", {**port(7009), "enable": 1})


def delete(lab: Any, level: str) -> None:
    """Let somebody delete the first rule of his."""
    lab.cluster.call("DELETE", f"{PATHS[level]}/rules/{foreign(lab, level)[0]}")


def move(lab: Any, level: str) -> None:
    """Let somebody move the last rule of his to the top."""
    last = foreign(lab, level)[-1]
    lab.cluster.call("PUT", f"{PATHS[level]}/rules/{last}", {"moveto": 0})


def foreign(lab: Any, level: str) -> list[int]:
    """Return the positions of somebody's rules."""
    return [n for n, text in enumerate(rules(lab, level)) if text.startswith("700")]


LEFT = {insert: 4, delete: 2, move: 3}
BEFORE = [SSH, port(80), API, DROP]
AFTER = [API, {**SSH, "comment": "log in"}, port(444), DROP]


@pytest.mark.parametrize(
    ("level", "edit"),
    [("cluster", insert), ("cluster", delete), ("cluster", move), ("node", insert),
     ("guest", delete)],
)  # fmt: skip
async def test_whoever_edits_before_whichever_call_only_the_rules_meant_are_touched(
    guarded: Any, level: str, edit: Any
) -> None:
    lab = guarded
    inner = lab.recorder.inner.handle_async_request
    number = 0
    for number in itertools.count():
        for each in (7001, 7002, 7003):
            lab.cluster.call("POST", f"{PATHS[level]}/rules", {**port(each), "enable": 1})
        await lab.applied(firewall(level, BEFORE))
        left = [number]

        async def rival(request: Any, left: list[int] = left) -> Any:
            if request.method != "GET":
                left[0] -= 1
                if left[0] == -1:
                    edit(lab, level)
            return await inner(request)

        plan = await lab.plan(firewall(level, AFTER))
        lab.recorder.inner.handle_async_request = rival
        report = await lab.engine.apply(plan)
        lab.recorder.inner.handle_async_request = inner
        if left[0] >= 0:  # there is no such call
            break
        assert report.ok, (number, [item.reason for item in report.failed])
        found = rules(lab, level)
        ours = [each for each in found if not each.startswith("700")]
        assert ours == ["8006", "22", "444", "DROP"], number
        assert len(foreign(lab, level)) == LEFT[edit], number
        assert (await lab.plan(firewall(level, AFTER))).empty, number
        await lab.engine.apply(await lab.engine.delete("shop"))
        while foreign(lab, level):
            delete(lab, level)
    assert number > 3
