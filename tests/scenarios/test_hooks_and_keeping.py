"""Pains: no way back after a change, a wrong folder prunes all, uninstalling takes the data."""

from __future__ import annotations

from typing import Any

import pytest

from pmpc_reconcile.errors import PlanRefused
from pmpc_reconcile.manifests import ManifestInvalid, load_text

VM = """
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {name: NAME}
spec:
  source: {clone: {template: debian-13, storage: local-lvm}}
  config: {cores: CORES, description: mine}
  MORE
"""
POOL = "apiVersion: pmpc/v1\nkind: Pool\nmetadata: {name: shop}\nspec: {comment: c}\n"


def web(cores: int = 2, more: str = "state: stopped", name: str = "web-1") -> str:
    return VM.replace("CORES", str(cores)).replace("MORE", more).replace("NAME", name)


def snapshots(lab: Any) -> list[str]:
    vmid = lab.vmid("web-1")
    rows = lab.cluster.call("GET", f"/nodes/pve1/qemu/{vmid}/snapshot")
    return [str(row["name"]) for row in rows if row["name"] != "current"]


def backups(lab: Any) -> list[str]:
    rows = lab.cluster.call("GET", "/nodes/pve1/storage/local/content", {"content": "backup"})
    return [str(row["notes"]) for row in rows]


async def done(lab: Any, plan: Any) -> None:
    report = await lab.engine.apply(plan)
    assert report.ok, [item.reason for item in (*report.failed, *report.skipped)]


# -- hooks --


async def test_a_snapshot_before_each_change_and_only_so_many_stay(lab: Any) -> None:
    hooks = "hooks: {preApply: [{snapshot: {keep: 2}}]}"
    await lab.applied(web(more=hooks))
    assert snapshots(lab) == [], "a new guest has nothing to go back to"
    made: list[str] = []
    for cores in (3, 4, 5):
        plan = await lab.plan(web(cores, hooks))
        assert [step.type for step in plan.steps] == ["snapshot", "configure"]
        await done(lab, plan)
        made.append(f"pmpc-before-{plan.id}")
        lab.cluster.clock.advance(60)
    assert sorted(snapshots(lab)) == sorted(made[1:])
    lab.forget_writes()
    assert (await lab.plan(web(5, hooks))).empty
    assert lab.writes == []


async def test_a_backup_after_and_before_deleting(lab: Any) -> None:
    hooks = (
        "hooks: {postApply: [{backup: {storage: local}}], preDelete: [{backup: {storage: local}}]}"
    )
    await lab.applied(web(more=hooks))
    assert len(backups(lab)) == 1
    plan = await lab.engine.delete("shop")
    assert [step.type for step in plan.steps] == ["backup", "delete"]
    await done(lab, plan)
    assert backups(lab)[-1] == f"pmpc plan {plan.id} VirtualMachine/web-1"
    assert lab.vmids() == []


async def test_when_a_guest_is_gone_its_older_backups_go_and_only_those(lab: Any) -> None:
    backup = "[{backup: {storage: local}}]"
    hooks = f"hooks: {{postApply: {backup}, preDelete: {backup}, "
    hooks += "postDelete: [{dropBackups: {storage: local, keep: 2}}]}"
    for cores in (2, 3, 4):
        await lab.applied(web(cores, hooks))
        lab.cluster.clock.advance(60)
    vmid = lab.vmid("web-1")
    theirs = {"vmid": str(vmid), "storage": "local", "notes-template": "theirs"}
    lab.cluster.call("POST", "/nodes/pve1/vzdump", theirs, user="alice@pve")
    lab.cluster.clock.advance(60)
    plan = await lab.engine.delete("shop")
    assert [step.type for step in plan.steps] == ["backup", "delete", "drop-backups"]
    await done(lab, plan)
    left = backups(lab)
    assert len(left) == 3
    assert {"theirs", f"pmpc plan {plan.id} VirtualMachine/web-1"} < set(left)
    assert lab.vmids() == []
    assert await lab.engine.records.managed("shop") == {}


def test_nothing_is_backed_up_after_it_is_gone() -> None:
    with pytest.raises(ManifestInvalid, match="backup"):
        load_text(web(more="hooks: {postDelete: [{backup: {storage: local}}]}"))


async def test_what_a_hook_cannot_do_keeps_the_change_from_being_made(lab: Any) -> None:
    await lab.applied(web())
    lab.cluster.call("POST", "/storage", {"storage": "bak", "type": "dir", "path": "/bak"})
    plan = await lab.plan(web(4, "hooks: {preApply: [{backup: {storage: bak}}]}"))
    lab.cluster.call("DELETE", "/storage/bak")
    report = await lab.engine.apply(plan)
    assert [item.step_id.partition("#")[2] for item in report.failed] == ["before-1"]
    assert [item.step_id.partition("#")[2] for item in report.skipped] == ["configure"]
    assert str(lab.config(lab.vmid("web-1"))["cores"]) == "2"


def test_a_hook_that_is_none_is_an_error() -> None:
    with pytest.raises(ManifestInvalid):
        load_text(web(more="hooks: {preApply: [{reboot: {}}]}"))


# -- pruning --


async def test_pruning_more_than_a_few_has_to_be_allowed(lab: Any) -> None:
    stack = [web(name=f"web-{number}") for number in range(1, 6)]
    await lab.applied("\n---".join(stack))
    plan = await lab.plan(stack[0], prune=True, most_deleted=3)
    assert "4 objects would be deleted, more than 3" in plan.errors[0].message
    lab.forget_writes()
    with pytest.raises(PlanRefused):
        await lab.engine.apply(plan)
    assert lab.writes == []
    await lab.applied(stack[0], prune=True, most_deleted=4)
    assert lab.vmids() == [lab.vmid("web-1")]


async def test_protection_outlives_the_manifest(lab: Any) -> None:
    """Taken out of the manifests first and pruned later, it is still protected."""
    await lab.applied(web(more="protect: true") + "\n---\n" + POOL)
    await lab.applied(POOL)
    plan = await lab.plan(POOL, prune=True)
    assert "is protected" in plan.errors[0].message


# -- uninstalling --


async def test_uninstalling_keeps_what_shall_be_kept(lab: Any) -> None:
    await lab.applied(web() + "\n---" + web(name="db-1") + "\n---\n" + POOL)
    plan = await lab.engine.delete("shop", keep=("VirtualMachine/db-1", "Pool/shop"))
    assert plan.counts() == {"forget": 2, "delete": 1}
    await done(lab, plan)
    (left,) = lab.vmids()
    assert (lab.config(left)["name"], lab.config(left)["description"]) == ("db-1", "mine")
    assert lab.cluster.call("GET", "/pools/shop")["comment"] == "c"
    assert await lab.engine.records.managed("shop") == {}
    lab.cluster.clock.advance(15)  # until then it has no name in /cluster/resources
    found, proof = await lab.engine.adopt(("db-1",), release="other")
    assert found.vmids
    assert (await lab.engine.apply(proof)).ok


async def test_keeping_everything_only_forgets(lab: Any) -> None:
    await lab.applied(web() + "\n---\n" + POOL)
    vmid = lab.vmid("web-1")
    await done(lab, await lab.engine.delete("shop", keep=("*",)))
    assert lab.vmids() == [vmid]
    assert "managed-by" not in lab.config(vmid)["description"]


async def test_settings_that_are_kept_stay_as_they_are_and_are_nobodys(lab: Any) -> None:
    storage = (
        "apiVersion: pmpc/v1\nkind: Storage\nmetadata: {name: more}\n"
        "spec: {type: dir, config: {path: /more, content: [iso]}}\n"
    )
    await lab.applied(POOL + "---\n" + storage)
    plan = await lab.engine.delete("shop", keep=("Storage/more",))
    assert plan.counts() == {"forget": 1, "delete": 1}
    await done(lab, plan)
    assert lab.cluster.call("GET", "/storage/more")["content"] == "iso"
    assert "shop" not in lab.cluster.pools
    assert await lab.engine.records.managed("shop") == {}


async def test_a_hook_that_names_no_storage_is_refused_with_its_line(lab: Any) -> None:
    plan = await lab.plan(web(more="hooks: {preDelete: [{backup: {storage: locl}}]}"))
    (found,) = plan.errors
    assert found.message == "the cluster has no storage locl, which a hook names"
    assert (found.line, found.hint) == (8, "did you mean 'local'?")


async def test_a_backup_before_a_deletion_needs_its_storage_beforehand(lab: Any) -> None:
    lab.cluster.call("POST", "/storage", {"storage": "bak", "type": "dir", "path": "/bak"})
    lab.cluster.call("PUT", "/storage/bak", {"content": "backup"})
    await lab.applied(web(more="hooks: {preDelete: [{backup: {storage: bak}}]}"))
    lab.cluster.call("DELETE", "/storage/bak")
    lab.forget_writes()
    plan = await lab.engine.delete("shop")
    (found,) = plan.errors
    assert "no storage bak, which a hook of VirtualMachine/web-1 names" in found.message
    with pytest.raises(PlanRefused):
        await lab.engine.apply(plan)
    assert lab.writes == []
