"""Somebody changed settings of ours: who, and the three answers, for every kind of settings."""

from __future__ import annotations

from typing import Any

import pytest

from pmpc_reconcile.errors import InputInvalid

FIREWALL = """
apiVersion: pmpc/v1
kind: Firewall
metadata: {name: cluster}
spec:
  options: {policy_in: ACCEPT}
  aliases: {lan: 10.0.0.0/8}
  rules:
    - {type: in, action: ACCEPT, proto: tcp, dport: 22, comment: ssh}
"""
SDN = """
apiVersion: pmpc/v1
kind: Sdn
metadata: {name: lab}
spec:
  zones: {lab: {type: simple}}
  vnets: {web: {zone: lab, alias: front}}
"""
NETWORK = """
apiVersion: pmpc/v1
kind: NodeNetwork
metadata: {name: pve1}
spec:
  node: pve1
  interfaces: {vmbr1: {type: bridge, autostart: on, comments: guests}}
"""
STORAGE = """
apiVersion: pmpc/v1
kind: Storage
metadata: {name: tank}
spec: {type: dir, config: {path: /srv/tank, content: [images]}}
"""
BRIDGE = {"type": "bridge", "autostart": 1, "comments": "theirs"}
Edit = tuple[str, dict[str, Any]]
CASES: dict[str, tuple[str, str, list[Edit], str | None]] = {
    "alias": (
        FIREWALL,
        "aliases.lan.cidr",
        [("/cluster/firewall/aliases/lan", {"cidr": "10.1.0.0/16"})],
        None,
    ),
    "policy": (
        FIREWALL,
        "options.policy_in",
        [("/cluster/firewall/options", {"policy_in": "DROP"})],
        None,
    ),
    "rule": (
        FIREWALL,
        "rules.in ACCEPT -proto tcp -dport 22",
        [("/cluster/firewall/rules/0", {"comment": "theirs"})],
        None,
    ),
    "vnet": (
        SDN,
        "vnets.web.alias",
        [("/cluster/sdn/vnets/web", {"alias": "theirs"}), ("/cluster/sdn", {})],
        "reloadnetworkall",
    ),
    "bridge": (
        NETWORK,
        "interfaces.vmbr1.comments",
        [("/nodes/pve1/network/vmbr1", BRIDGE), ("/nodes/pve1/network", {})],
        "srvreload",
    ),
    "storage": (STORAGE, "config.content", [("/storage/tank", {"content": "rootdir"})], None),
}


async def edited(lab: Any, text: str, edits: list[Edit]) -> None:
    """Apply, let somebody edit, and look before and after it."""
    from pmpc_state import COLLECTIONS, sync

    await lab.applied(text)
    lab.cluster.clock.advance(60)
    await sync(lab.state, lab.client, "lab", collections=COLLECTIONS)
    for path, params in edits:
        lab.cluster.call("PUT", path, params, user="alice@pve")
    lab.cluster.clock.advance(60)
    await sync(lab.state, lab.client, "lab", collections=COLLECTIONS)


@pytest.mark.parametrize("name", CASES)
async def test_a_conflict_says_when_and_by_whom_as_far_as_pve_tells(lab: Any, name: str) -> None:
    text, path, edits, task = CASES[name]
    await edited(lab, text, edits)
    (item,) = (await lab.plan(text)).objects
    assert [change.path for change in item.conflicts] == [path]
    blame = item.theirs[path]
    assert blame.at is not None
    if task is None:  # PVE keeps no trace of who made such an edit
        assert (blame.user, blame.task) == (None, None)
    else:
        assert blame.user == "alice@pve"
        assert task in str(blame.task)


@pytest.mark.parametrize("word", ["ours", "theirs", "ignore"])
@pytest.mark.parametrize("name", CASES)
async def test_the_answers_do_what_they_say(lab: Any, name: str, word: str) -> None:
    text, path, edits, _ = CASES[name]
    answer = text.rstrip().removesuffix("}") if name == "storage" else text
    answered = f'{answer}, conflicts: {{"{path}": {word}}}}}' if name == "storage" else (
        f'{text}  conflicts: {{"{path}": {word}}}\n'
    )  # fmt: skip
    await edited(lab, text, edits)
    plan = await lab.plan(answered)
    assert not plan.objects[0].conflicts
    lab.forget_writes()
    assert (await lab.engine.apply(plan)).ok
    lab.cluster.clock.advance(60)
    assert bool(lab.writes) is (word == "ours")
    assert (await lab.plan(answered)).empty
    if word == "ours":
        assert (await lab.plan(text)).empty
    else:
        assert [change.path for change in (await lab.plan(text)).objects[0].conflicts] == [path]


async def test_an_answer_about_no_option_is_refused(lab: Any) -> None:
    with pytest.raises(InputInvalid, match="policy_in"):
        await lab.plan(FIREWALL, resolve={"Firewall/cluster:options.policy_inn": "ours"})
