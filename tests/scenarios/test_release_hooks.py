"""Pain: what belongs around a change is done by hand, forgotten, or done again after a crash.

Hooks of a release, a pool and settings: actions on guests before and after, as steps of the plan.
"""

from __future__ import annotations

from typing import Any

import pytest

from pmpc_reconcile.actions import ActionContext, invoke
from pmpc_reconcile.actions.diff import DiffInput
from pmpc_reconcile.actions.plan import PlanInput
from pmpc_reconcile.errors import PlanRefused
from pmpc_reconcile.manifests import ManifestInvalid, load_text
from pmpc_reconcile.plans.restrict import restricted
from pmpc_reconcile.risk import Risk
from tests.lab.hooked import (
    POOL,
    RELEASE,
    SNAPSHOT,
    Inside,
    awake,
    backups,
    done,
    ids,
    snapshots,
    stack,
    waits,
)

# -- of a release --


async def test_before_anything_changes_every_guest_that_will_has_a_snapshot(lab: Any) -> None:
    await lab.applied(stack())
    assert (snapshots(lab), snapshots(lab, "db-1")) == ([], []), "nothing to go back to yet"
    plan = await lab.plan(stack(4))
    gates = {f"VirtualMachine/{name}#before-1-of-Release/shop" for name in ("web-1", "db-1")}
    assert {step.id for step in plan.steps if step.type == "snapshot"} == gates
    assert waits(plan)["web-1#configure"] == waits(plan)["db-1#configure"] == gates
    assert "the hook preApply of Release/shop says so" in plan.explain()
    assert 'web-1#before-1-of-Release/shop" -> "VirtualMachine/db-1#configure' in plan.to_graph(
        "dot"
    )
    await done(lab, plan)
    assert snapshots(lab) == snapshots(lab, "db-1") == [f"pmpc-before-{plan.id}"]
    lab.forget_writes()
    assert (await lab.plan(stack(4))).empty
    assert lab.writes == []
    assert await lab.engine.records.managed("shop")


async def test_only_what_changes_or_everything_or_what_is_named(lab: Any) -> None:
    await lab.applied(stack())
    one = stack(4, names=("web-1",)) + stack(2, names=("db-1",)).partition("---")[2]
    assert [step for step in ids(await lab.plan(one)) if "before" in step] == [
        "web-1#before-1-of-Release/shop"
    ]
    every = one.replace("keep: 2", "guests: all")
    assert sum("before" in step for step in ids(await lab.plan(every))) == 2
    named = one.replace("keep: 2", "guests: [VirtualMachine/db-1]")
    plan = await lab.plan(named)
    assert ids(plan) == ["db-1#before-1-of-Release/shop", "web-1#configure"]
    assert waits(plan)["web-1#configure"] == {"VirtualMachine/db-1#before-1-of-Release/shop"}
    assert (await lab.engine.apply(plan)).ok
    assert (snapshots(lab), len(snapshots(lab, "db-1"))) == ([], 1)


async def test_a_hook_that_fails_stops_the_release_before_any_write(lab: Any) -> None:
    await lab.applied(stack())
    lab.cluster.call("POST", "/storage", {"storage": "bak", "type": "dir", "path": "/bak"})
    plan = await lab.plan(stack(4, "{preApply: [{backup: {storage: bak}}]}"))
    lab.cluster.call("DELETE", "/storage/bak")
    lab.forget_writes()
    report = await lab.engine.apply(plan)
    assert {item.step_id.partition("#")[2] for item in report.failed} == {
        "before-1-of-Release/shop"
    }
    assert {item.step_id.partition("#")[2] for item in report.skipped} == {"configure"}
    assert {str(lab.config(lab.vmid(name))["cores"]) for name in ("web-1", "db-1")} == {"2"}
    assert lab.writes == []


async def test_a_hook_that_fails_afterwards_is_reported_and_what_was_done_stays(lab: Any) -> None:
    await lab.applied(stack())
    lab.cluster.call("POST", "/storage", {"storage": "bak", "type": "dir", "path": "/bak"})
    plan = await lab.plan(stack(4, "{postApply: [{backup: {storage: bak}}]}"))
    lab.cluster.call("DELETE", "/storage/bak")
    report = await lab.engine.apply(plan)
    assert not report.ok
    assert {item.step_id.partition("#")[2] for item in report.failed} == {"after-1-of-Release/shop"}
    assert not report.skipped
    assert {str(lab.config(lab.vmid(name))["cores"]) for name in ("web-1", "db-1")} == {"4"}
    assert (await lab.engine.history("shop"))[-1].status.value == "partial"
    synced = {address: given[0].status.value for address, given in report.conditions.items()}
    assert set(synced.values()) == {"true"}, "the guests are as declared"
    assert (await lab.plan(stack(4, "{postApply: [{backup: {storage: local}}]}"))).empty


async def test_shut_down_save_change_start_wait_and_tell(lab: Any) -> None:
    hooks = """{
      preApply: [{run: {command: [freeze-db, now]}}, {shutdown: {}}, {snapshot: {}}],
      postApply: [{start: {}}, {waitFor: {state: agent, timeout: 60}},
                  {run: {command: [freeze-db, "off"], guests: [VirtualMachine/db-1]}}]}"""
    await lab.applied(stack(more="state: running"))
    awake(lab, "web-1", "db-1")
    inside = Inside(lab, seconds=3.0)
    plan = await lab.plan(stack(4, hooks, more=""))
    assert plan.risk is Risk.DISRUPTIVE
    assert "downtime: until started" in plan.explain()
    await done(lab, plan)
    assert inside.ran == [["now"], ["now"], ["off"]]
    assert snapshots(lab) == snapshots(lab, "db-1") == [f"pmpc-before-{plan.id}"]
    assert {lab.status(lab.vmid(name)) for name in ("web-1", "db-1")} == {"running"}
    starts = [name for name in lab.writes if name.endswith("/status/shutdown")]
    assert len(starts) == 2


async def test_a_command_that_ends_badly_or_takes_too_long_is_a_failure(lab: Any) -> None:
    await lab.applied(stack(more="state: running"))
    awake(lab, "web-1", "db-1")
    hooks = "{preApply: [{run: {command: [freeze-db], timeout: 5}}]}"
    Inside(lab, code=3)
    report = await lab.apply(stack(4, hooks, more="state: running"))
    assert {item.reason for item in report.failed} == {"freeze-db ended with 3"}
    Inside(lab, seconds=60.0)
    report = await lab.apply(stack(4, hooks, more="state: running"))
    assert all("still runs after 5 s" in item.reason for item in report.failed)
    assert str(lab.config(lab.vmid("web-1"))["cores"]) == "2"


async def test_waiting_for_what_does_not_come_ends(lab: Any) -> None:
    await lab.applied(stack())
    hooks = "{preApply: [{waitFor: {state: running, timeout: 30}}]}"
    begun = lab.cluster.clock.now()
    report = await lab.apply(stack(4, hooks))
    assert {item.reason for item in report.failed} == {"waited for 30 s: it is stopped"}
    assert lab.cluster.clock.now() - begun < 60


async def test_pulling_the_plug_is_told_as_such(lab: Any) -> None:
    await lab.applied(stack(more="state: running"))
    plan = await lab.plan(stack(4, "{preApply: [{stop: {}}]}", more=""))
    assert "pull the plug of web-1" in plan.explain()
    await done(lab, plan)
    assert {lab.status(lab.vmid(name)) for name in ("web-1", "db-1")} == {"stopped"}


async def test_new_guests_have_hooks_afterwards_only(lab: Any) -> None:
    hooks = "{preApply: [{snapshot: {}}], postApply: [{snapshot: {}}]}"
    plan = await lab.plan(stack(hooks=hooks, names=("web-1",)))
    assert ids(plan)[-1] == "web-1#after-1-of-Release/shop"
    await done(lab, plan)
    assert snapshots(lab) == [f"pmpc-after-{plan.id}"]


async def test_uninstalling_saves_everything_first_and_tidies_up_afterwards(lab: Any) -> None:
    hooks = """{preDelete: [{backup: {storage: local, mode: stop}}],
      postDelete: [{dropBackups: {storage: local, keep: 1}}]}"""
    await lab.applied(stack(hooks=hooks.replace("preDelete", "postApply"), names=("web-1",)))
    lab.cluster.clock.advance(60)
    await lab.applied(stack(hooks=hooks))
    plan = await lab.engine.delete("shop")
    gates = {f"VirtualMachine/{name}#before-delete-1-of-Release/shop" for name in ("web-1", "db-1")}
    assert waits(plan)["web-1#delete"] >= gates
    assert waits(plan)["web-1#after-delete-1-of-Release/shop"] >= {
        "VirtualMachine/web-1#delete",
        "VirtualMachine/db-1#delete",
    }
    await done(lab, plan)
    assert lab.vmids() == []
    assert backups(lab) == [
        f"pmpc plan {plan.id} VirtualMachine/db-1",
        f"pmpc plan {plan.id} VirtualMachine/web-1",
    ]
    assert await lab.engine.records.managed("shop") == {}


async def test_hooks_of_a_release_count_as_long_as_it_has_them(lab: Any) -> None:
    hooks = "{preDelete: [{backup: {storage: local}}]}"
    await lab.applied(stack(hooks=hooks))
    await lab.applied(stack().partition("---")[2])
    assert "backup" not in {step.type for step in (await lab.engine.delete("shop")).steps}


async def test_rolling_back_has_the_hooks_of_the_revision(lab: Any) -> None:
    await lab.applied(stack(2))
    await lab.applied(stack(4, "{}"))
    plan = await lab.engine.rollback("shop", 1)
    assert {step.type for step in plan.steps} == {"snapshot", "configure"}
    await done(lab, plan)


async def test_the_release_is_named_by_its_manifest(lab: Any) -> None:
    plan = await lab.engine.plan(load_text(stack()))
    assert plan.release == "shop"
    other = await lab.engine.plan(load_text(stack()), "other")
    (wrong,) = other.errors
    assert "is of release shop, and the plan is for other" in wrong.message
    assert (wrong.line, wrong.column) == (3, 18)
    with pytest.raises(PlanRefused):
        await lab.engine.apply(other)
    assert lab.writes == []


async def test_actions_find_the_name_of_the_release_too(lab: Any) -> None:
    context = ActionContext("lab", lab.state, lab.client, now=lab.cluster.clock.now)
    planned = await invoke("plan", context, PlanInput(text=stack()))
    assert planned.plan.release == "shop"
    found = await invoke("diff", context, DiffInput(text=stack()))
    assert (found.release, found.plan.errors) == ("shop", ())
    other = await invoke("plan", context, PlanInput(text=stack(), release="other"))
    assert other.plan.errors


async def test_hooks_are_part_of_the_revision(lab: Any) -> None:
    await lab.applied(stack())
    plan = await lab.plan(stack(hooks="{}"))
    assert plan.empty
    assert (await lab.engine.apply(plan)).revision == 2
    assert next(iter(await lab.engine.manifests_of("shop"))).kind == "Release"
    assert "Release" not in {item.kind for item in plan.objects}


async def test_part_of_a_release_has_the_hooks_of_that_part(lab: Any) -> None:
    """As the reconcile loop applies it: healing one object, not all."""
    hooks = "{preApply: [{snapshot: {}}], postApply: [{snapshot: {}}]}"
    await lab.applied(stack(hooks=hooks))
    part = restricted(await lab.plan(stack(4, hooks), save=False), ["VirtualMachine/web-1"])
    assert ids(part) == [
        "web-1#before-1-of-Release/shop",
        "web-1#configure",
        "web-1#after-1-of-Release/shop",
    ]
    await done(lab, part)
    assert (len(snapshots(lab)), len(snapshots(lab, "db-1"))) == (3, 1)


async def test_many_guests_wait_at_one_gate(lab: Any) -> None:
    """The plan grows with the guests, not with their square."""
    names = [f"web-{number}" for number in range(10)]
    hooks = "{preApply: [{snapshot: {}}, {waitFor: {state: stopped}}], postApply: [{start: {}}]}"
    await lab.applied(stack(hooks="{}", more="", names=names))
    plan = await lab.plan(stack(4, hooks, more="", names=names))
    gates = [step for step in plan.steps if step.type == "gate"]
    assert [len(gate.after) for gate in gates] == [10, 10, 10]
    assert sum(len(step.after) for step in plan.steps) == 30 + 30
    for name in names:
        assert {f"VirtualMachine/{other}#before-1-of-Release/shop" for other in names} <= waits(
            plan
        )[f"{name}#configure"]
    await done(lab, plan)
    assert {lab.status(lab.vmid(name)) for name in names} == {"running"}
    assert all(len(snapshots(lab, name)) == 1 for name in names)


# -- what a hook may say --


@pytest.mark.parametrize(
    ("hooks", "message", "column"),
    [
        ("{preApply: [{snapshoot: {}}]}", "unknown key 'snapshoot'", 28),
        ("{preApply: [{snapshot: {guests: some}}]}", "must be changed, all or a list", 47),
        ("{preApply: [{snapshot: {guests: [web-1]}}]}", "must be changed, all or a list", 47),
        ("{preApply: [{run: {}}]}", "'command' is missing", 28),
        ("{preApply: [{waitFor: {state: asleep}}]}", "is 'asleep'", 45),
        ("{postDelete: [{snapshot: {}}]}", "unknown key 'snapshot'", 30),
        ("{preApply: [{start: {}, stop: {}}]}", "too long", 27),
        ("{before: []}", "unknown key 'before'", 16),
    ],
)
def test_a_mistake_in_a_hook_is_told_with_its_place(hooks: str, message: str, column: int) -> None:
    with pytest.raises(ManifestInvalid) as wrong:
        load_text(RELEASE.replace("HOOKS", hooks))
    first = wrong.value.diagnostics[0]
    assert message in first.message
    assert (first.line, first.column) == (4, column)


async def test_a_hook_about_a_guest_the_release_has_not_is_told_with_its_place(lab: Any) -> None:
    hooks = "{preApply: [{shutdown: {guests: [VirtualMachine/db-1, VirtualMachine/db-2]}}]}"
    plan = await lab.plan(stack(4, hooks))
    (wrong,) = plan.errors
    assert "is about VirtualMachine/db-2, which the release does not have" in wrong.message
    assert (wrong.line, wrong.column) == (4, 69)


# -- of a pool and of settings --


async def test_a_pool_saves_its_members_before_one_of_them_changes(lab: Any) -> None:
    pool = POOL.replace("HOOKS", SNAPSHOT)
    members = stack(hooks="{}", more="pool: shop", names=("web-1",))
    other = stack(names=("db-1",)).partition("---")[2]
    await lab.applied(pool.replace("WORDS", "a") + members + other)
    words = await lab.plan(pool.replace("WORDS", "b") + members + other)
    assert ids(words) == ["web-1#before-1-of-Pool/shop", "Pool/shop#configure"]
    await done(lab, words)
    cores = members.replace("cores: 2", "cores: 4")
    changed = await lab.plan(pool.replace("WORDS", "b") + cores + other.replace("2}", "4}"))
    assert waits(changed)["web-1#configure"] == {"VirtualMachine/web-1#before-1-of-Pool/shop"}
    assert waits(changed)["db-1#configure"] == set()
    await done(lab, changed)
    assert len(snapshots(lab)) == 2


async def test_a_pool_that_goes_saves_its_members_before_they_go(lab: Any) -> None:
    pool = POOL.replace("HOOKS", "{preDelete: [{backup: {storage: local}}]}").replace("WORDS", "a")
    members = stack(hooks="{}", more="pool: shop", names=("web-1",))
    await lab.applied(pool + members)
    plan = await lab.engine.delete("shop")
    gate = "VirtualMachine/web-1#before-delete-1-of-Pool/shop"
    assert waits(plan)["web-1#delete"] == {gate}
    await done(lab, plan)
    assert backups(lab) == [f"pmpc plan {plan.id} VirtualMachine/web-1"]


async def test_settings_name_the_guests_of_their_hooks(lab: Any) -> None:
    firewall = """
apiVersion: pmpc/v1
kind: Firewall
metadata: {name: cluster}
spec:
  aliases: {office: 192.0.2.0/24}
  hooks:
    preApply: [{snapshot: {guests: [VirtualMachine/db-1]}}]
"""
    guests = stack(hooks="{}")
    await lab.applied(guests)
    plan = await lab.plan(guests + firewall)
    assert ids(plan) == ["db-1#before-1-of-Firewall/cluster", "Firewall/cluster#configure"]
    await done(lab, plan)
    assert (snapshots(lab), len(snapshots(lab, "db-1"))) == ([], 1)
    lab.forget_writes()
    assert (await lab.plan(guests + firewall)).empty
    with pytest.raises(ManifestInvalid, match="'guests' is missing"):
        load_text(firewall.replace("guests: [VirtualMachine/db-1]", ""))


async def test_hooks_of_a_release_stand_around_those_of_a_pool(lab: Any) -> None:
    pool = POOL.replace("HOOKS", SNAPSHOT).replace("WORDS", "a")
    hooks = "{preApply: [{waitFor: {state: stopped}}], postApply: [{waitFor: {state: stopped}}]}"
    text = pool + stack(hooks=hooks, more="pool: shop", names=("web-1",))
    await lab.applied(text)
    plan = await lab.plan(text.replace("cores: 2", "cores: 4"))
    assert ids(plan) == [
        "web-1#before-1-of-Release/shop",
        "web-1#before-1-of-Pool/shop",
        "web-1#configure",
        "web-1#after-1-of-Release/shop",
    ]
    await done(lab, plan)


@pytest.mark.parametrize("whose", ["own", "release"])
async def test_a_guest_that_is_made_anew_is_saved_before(lab: Any, whose: str) -> None:
    own = "hooks: {preDelete: [{backup: {storage: local}}]}" if whose == "own" else ""
    hooks = "{preApply: [{backup: {storage: local}}]}" if whose == "release" else "{}"
    container = """
apiVersion: pmpc/v1
kind: Container
metadata: {name: ct-1}
spec:
  source: {template: "local:vztmpl/debian-13-standard.tar.zst"}
  placement: {nodes: [pve1]}
  config: {unprivileged: YES, memory: 512, rootfs: {storage: local-lvm, size: 4G}}
  MORE
"""
    first = container.replace("YES", "true").replace("MORE", own)
    await lab.applied(RELEASE.replace("HOOKS", hooks) + first)
    lab.cluster.clock.advance(30)
    vmid = lab.vmid("ct-1")
    words = f"{own}\n  replace: allow\n  acceptDataLoss: {vmid}"
    text = container.replace("YES", "false").replace("MORE", words)
    plan = await lab.plan(RELEASE.replace("HOOKS", hooks) + text)
    kinds = [step.type for step in plan.steps]
    assert kinds.index("backup") < kinds.index("delete") < kinds.index("create")
    await done(lab, plan)
    assert backups(lab) == [f"pmpc plan {plan.id} Container/ct-1"]
