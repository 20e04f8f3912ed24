"""The database is gone: what the same manifests find is used on, and nothing unproven is deleted.

Settings carry no marker (docs/adr/0016): names and what rules match are their identity, and that
we made something was only in the database. Pools carry one, so they are ours again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pmpc_reconcile.engine import Reconciler
from pmpc_state import State

STACK = """
apiVersion: pmpc/v1
kind: Firewall
metadata: {name: cluster}
spec:
  aliases: {desk: "192.0.2.66 # Ada"}
  ipsets: {office: {entries: [192.0.2.0/24, desk]}}
  groups: {web: {rules: [{type: in, action: ACCEPT, proto: tcp, dport: 443}]}}
  rules:
    - {type: in, action: ACCEPT, macro: SSH, source: +office, comment: log in}
    - {type: in, action: ACCEPT, proto: tcp, dport: "8006"}
---
apiVersion: pmpc/v1
kind: Sdn
metadata: {name: lab}
spec:
  zones: {lab: {type: vlan, bridge: vmbr0}}
  vnets: {web: {zone: lab, tag: 20}}
  subnets: {10.5.0.0/24: {vnet: web, gateway: 10.5.0.1}}
---
apiVersion: pmpc/v1
kind: NodeNetwork
metadata: {name: pve1}
spec:
  node: pve1
  interfaces: {vmbr1: {type: bridge, autostart: on, comments: guests}}
---
apiVersion: pmpc/v1
kind: Storage
metadata: {name: tank}
spec: {type: nfs, config: {server: 10.77.0.200, export: /tank, content: [iso]}}
---
apiVersion: pmpc/v1
kind: Image
metadata: {name: debian}
spec: {storage: local, content: iso, url: "https://images.example.org/debian.iso", nodes: [pve1]}
---
apiVersion: pmpc/v1
kind: Pool
metadata: {name: team}
spec: {comment: ours, storage: [local]}
"""
KINDS = {text.split("kind: ")[1].split("\n")[0]: text for text in STACK.split("---\n")}
PATHS = [
    "/cluster/firewall/rules", "/cluster/firewall/ipset", "/cluster/firewall/aliases",
    "/cluster/firewall/groups", "/cluster/sdn/zones", "/cluster/sdn/vnets", "/nodes/pve1/network",
    "/storage", "/nodes/pve1/storage/local/content",
]  # fmt: skip


@pytest.fixture
async def forgotten(lab: Any, tmp_path: Path) -> AsyncIterator[Any]:
    """A cluster with the stack applied, somebody's rule among ours, and an empty database."""
    lab.cluster.downloads["https://images.example.org/debian.iso"] = b"iso"
    await lab.applied(STACK)
    rule = {"type": "in", "action": "ACCEPT", "proto": "icmp", "enable": 1, "comment": "log in"}
    lab.cluster.call("POST", "/cluster/firewall/rules", rule)
    lab.cluster.call("POST", "/cluster/sdn/zones", {"zone": "alice", "type": "simple"})
    lab.cluster.call("PUT", "/cluster/sdn")
    lab.cluster.clock.advance(30)
    lab.forget_writes()
    with State.open(f"sqlite:///{tmp_path / 'new.db'}", now=lab.cluster.clock.now) as state:
        lab.engine = Reconciler(
            lab.client, state, "lab", now=lab.cluster.clock.now, sleep=lab.cluster.clock.asleep
        )
        yield lab


def everything(lab: Any) -> list[list[str]]:
    """Return all settings as the server shows them, in an order of their own."""

    def text(row: dict[str, Any]) -> str:
        return str({key: value for key, value in row.items() if key not in ("digest", "pos")})

    return [sorted(map(text, lab.cluster.call("GET", path))) for path in PATHS]


async def test_the_same_manifests_write_nothing_and_are_known_again(forgotten: Any) -> None:
    plan = await forgotten.plan(STACK)
    assert plan.empty, plan.explain()
    assert (await forgotten.engine.apply(plan)).ok
    assert forgotten.writes == []
    again = await forgotten.plan(STACK)
    assert again.empty
    assert not any(item.record for item in again.objects)


async def test_a_value_changed_afterwards_is_written_or_asked_about(forgotten: Any) -> None:
    await forgotten.applied(STACK)
    changed = STACK.replace("tag: 20", "tag: 21").replace("comments: guests", "comments: all")
    changed = changed.replace("content: [iso]", "content: [iso, backup]")
    await forgotten.applied(changed)
    changed = changed.replace("log in}", "come in}")
    # A rule is nothing but what it matches, and nobody knows whose it is.
    (conflict,) = (await forgotten.plan(changed)).conflicts[0].conflicts
    assert "exists and is not managed by this release" in conflict.reason
    await forgotten.applied(changed, resolve={conflict.path: "ours"})
    assert (await forgotten.plan(changed)).empty


EDITS: list[tuple[str, str, dict[str, Any]]] = [
    ("vnets.web.tag", "/cluster/sdn/vnets/web", {"tag": 99}),
    ("", "/cluster/sdn", {}),
    ("interfaces.vmbr1.comments", "/nodes/pve1/network/vmbr1",
     {"type": "bridge", "autostart": 1, "comments": "x"}),
    ("", "/nodes/pve1/network", {}),
    ("config.content", "/storage/tank", {"content": "backup"}),
]  # fmt: skip


async def test_an_edit_of_somebody_else_is_a_conflict_again(forgotten: Any) -> None:
    await forgotten.applied(STACK)
    for _, path, params in EDITS:
        forgotten.cluster.call("PUT", path, params)
    forgotten.cluster.clock.advance(30)
    found = {
        change.path for item in (await forgotten.plan(STACK)).conflicts for change in item.conflicts
    }
    assert found == {path for path, _, _ in EDITS if path}


async def test_pruning_deletes_nothing_that_is_not_proven_ours(forgotten: Any) -> None:
    before = everything(forgotten)
    await forgotten.applied(STACK)
    forgotten.forget_writes()
    assert (await forgotten.apply(KINDS["Pool"], prune=True, most_deleted=None)).ok
    assert forgotten.writes == []
    assert everything(forgotten) == before


async def test_the_plan_says_what_stays_and_how_it_becomes_ours(forgotten: Any) -> None:
    await forgotten.applied(STACK)
    plan = await forgotten.engine.delete("shop")
    (note,) = plan.object("Sdn/lab").notes
    assert "subnets.10.5.0.0/24, vnets.web, zones.lab stay" in note
    assert "adopt" in note


async def test_deleting_the_release_takes_the_pool_that_its_marker_proves(forgotten: Any) -> None:
    before = everything(forgotten)
    await forgotten.applied(STACK)
    report = await forgotten.engine.apply(await forgotten.engine.delete("shop"))
    assert report.ok, [item.reason for item in report.failed]
    assert "team" not in {row["poolid"] for row in forgotten.cluster.call("GET", "/pools")}
    assert everything(forgotten) == before


async def test_what_is_adopted_is_ours_to_delete_again(forgotten: Any) -> None:
    for kind, names in (("Sdn", []), ("Storage", ["tank"]), ("Firewall", ["cluster"])):
        _, plan = await forgotten.engine.adopt(names, [kind], kind.lower())
        assert plan.empty, plan.explain()
        assert (await forgotten.engine.apply(plan)).ok
        assert forgotten.writes == []
    for release in ("firewall", "sdn", "storage"):
        report = await forgotten.engine.apply(await forgotten.engine.delete(release))
        assert report.ok, [item.reason for item in report.failed]
    call = forgotten.cluster.call
    assert call("GET", "/cluster/sdn/zones") == []
    assert call("GET", "/cluster/firewall/rules") == []
    assert "tank" not in {row["storage"] for row in call("GET", "/storage")}
