"""Pain: what belongs around a change is done by hand, forgotten, or done again after a crash.

Hooks of a release, a pool and settings: actions on guests before and after, as steps of the plan.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from pmpc_reconcile.actions import ActionContext, invoke
from pmpc_reconcile.actions.diff import DiffInput
from pmpc_reconcile.actions.plan import PlanInput
from pmpc_reconcile.engine import Reconciler
from pmpc_reconcile.errors import PlanRefused
from pmpc_reconcile.manifests import ManifestInvalid, load_text
from pmpc_reconcile.plans.model import Plan
from pmpc_reconcile.plans.restrict import restricted
from pmpc_reconcile.risk import Risk
from proxmox_client.testing.guests.agentcommands import CommandOutcome
from tests.lab.moments import UNRECORDED, Moment
from tests.lab.power_cuts import cut_at, is_cut

VM = """
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {name: NAME}
spec:
  source: {clone: {template: debian-13, storage: local-lvm}}
  config: {cores: CORES}
  MORE
---
"""
RELEASE = "apiVersion: pmpc/v1\nkind: Release\nmetadata: {name: shop}\nspec: {hooks: HOOKS}\n---\n"
POOL = """
apiVersion: pmpc/v1
kind: Pool
metadata: {name: shop}
spec: {comment: WORDS, hooks: HOOKS}
---
"""
SNAPSHOT = "{preApply: [{snapshot: {keep: 2}}]}"


def stack(
    cores: int = 2,
    hooks: str = SNAPSHOT,
    more: str = "state: stopped",
    names: Sequence[str] = ("web-1", "db-1"),
) -> str:
    guests = [
        VM.replace("NAME", name).replace("CORES", str(cores)).replace("MORE", more)
        for name in names
    ]
    return RELEASE.replace("HOOKS", hooks) + "".join(guests)


def snapshots(lab: Any, name: str = "web-1") -> list[str]:
    vmid = lab.vmid(name)
    rows = lab.cluster.call("GET", f"/nodes/pve1/qemu/{vmid}/snapshot")
    return [str(row["name"]) for row in rows if row["name"] != "current"]


def backups(lab: Any) -> list[str]:
    rows = lab.cluster.call("GET", "/nodes/pve1/storage/local/content", {"content": "backup"})
    return sorted(str(row["notes"]) for row in rows)


def ids(plan: Plan) -> list[str]:
    return [step.id.removeprefix("VirtualMachine/") for step in plan.steps]


def waits(plan: Plan) -> Mapping[str, set[str]]:
    """Return for each step everything that has to end well before, near or far."""
    direct = {step.id: step.after for step in plan.steps}

    def all_of(step_id: str) -> set[str]:
        near = set(direct.get(step_id, ()))
        return near.union(*(all_of(other) for other in near))

    return {step.id.removeprefix("VirtualMachine/"): all_of(step.id) for step in plan.steps}


async def done(lab: Any, plan: Plan, **options: Any) -> None:
    report = await lab.engine.apply(plan, **options)
    assert report.ok, [item.reason for item in (*report.failed, *report.skipped)]


class Inside:
    """A command inside the guests, and how often it was run."""

    def __init__(self, lab: Any, *, code: int = 0, seconds: float = 0.0) -> None:
        self.ran: list[list[str]] = []
        self.code = code
        self.seconds = seconds
        lab.cluster.agent_commands["freeze-db"] = self

    def __call__(self, arguments: Sequence[str], stdin: str) -> CommandOutcome:
        self.ran.append(list(arguments))
        return CommandOutcome(exit_code=self.code, seconds=self.seconds)


def awake(lab: Any, *names: str) -> None:
    """Let the agents of guests answer."""
    for name in names:
        lab.cluster.guests[lab.vmid(name)].agent_answers = True


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
    plan = await lab.plan(stack(4, "{preApply: [{backup: {storage: nowhere}}]}"))
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
    plan = await lab.plan(stack(4, "{postApply: [{backup: {storage: nowhere}}]}"))
    report = await lab.engine.apply(plan)
    assert not report.ok
    assert {item.step_id.partition("#")[2] for item in report.failed} == {"after-1-of-Release/shop"}
    assert not report.skipped
    assert {str(lab.config(lab.vmid(name))["cores"]) for name in ("web-1", "db-1")} == {"4"}
    assert (await lab.engine.history("shop"))[-1].status.value == "partial"
    synced = {address: given[0].status.value for address, given in report.conditions.items()}
    assert set(synced.values()) == {"true"}, "the guests are as declared"
    assert (await lab.plan(stack(4, "{postApply: [{backup: {storage: nowhere}}]}"))).empty


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


# -- crashes --


@pytest.mark.parametrize("phase", ["intend", "called", UNRECORDED, "upid", "done", "verified"])
async def test_a_crash_in_the_middle_of_a_hook_takes_one_snapshot(lab: Any, phase: str) -> None:
    await lab.applied(stack())
    plan = await lab.plan(stack(4))
    lab.forget_writes()
    await fall(lab, plan, "*#before-1-of-Release/shop|snapshot", phase)
    assert not any(name.endswith("/config") for name in lab.writes)
    again = Reconciler(
        lab.client, lab.state, "lab", now=lab.cluster.clock.now, sleep=lab.cluster.clock.asleep
    )
    report = await again.apply(await again.stored_plan(plan.id))
    assert report.ok, [item.reason for item in report.results]
    assert snapshots(lab) == snapshots(lab, "db-1") == [f"pmpc-before-{plan.id}"]
    assert sum(name.endswith("/snapshot") for name in lab.writes) == 2


@pytest.mark.parametrize("phase", ["intend", "done", "verified"])
async def test_a_crash_around_a_command_runs_it_once(lab: Any, phase: str) -> None:
    plan, inside = await with_a_command(lab)
    await fall(lab, plan, "*|run", phase)
    assert (await lab.engine.apply(await lab.engine.stored_plan(plan.id))).ok
    assert inside.ran == [["now"]]
    assert str(lab.config(lab.vmid("web-1"))["cores"]) == "4"


@pytest.mark.parametrize("phase", ["called", UNRECORDED])
async def test_a_command_that_may_have_run_is_not_run_again(lab: Any, phase: str) -> None:
    """The crash came between the call and its answer."""
    plan, inside = await with_a_command(lab)
    await fall(lab, plan, "*|run", phase)
    report = await lab.engine.apply(await lab.engine.stored_plan(plan.id))
    (failed,) = report.failed
    assert "nobody knows whether freeze-db was started" in failed.reason
    assert inside.ran == ([["now"]] if phase == UNRECORDED else [])
    assert str(lab.config(lab.vmid("web-1"))["cores"]) == "2"


async def test_a_command_whose_answer_was_lost_is_not_run_again(lab: Any) -> None:
    plan, inside = await with_a_command(lab)
    lab.recorder.lose.add("/agent/exec")
    (failed,) = (await lab.engine.apply(plan)).failed
    assert "nobody knows whether freeze-db was started" in failed.reason
    assert inside.ran == [["now"]]


async def with_a_command(lab: Any) -> tuple[Plan, Inside]:
    await lab.applied(stack(more="state: running", names=("web-1",)))
    awake(lab, "web-1")
    hooks = "{preApply: [{run: {command: [freeze-db, now]}}]}"
    plan = await lab.plan(stack(4, hooks, more="state: running", names=("web-1",)))
    return plan, Inside(lab, seconds=2.0)


async def fall(lab: Any, plan: Plan, entry: str, phase: str) -> None:
    """Apply a plan until the power goes off."""
    with pytest.MonkeyPatch.context() as patch:
        cut_at(patch, Moment(entry, phase))
        with pytest.raises(BaseException) as caught:  # noqa: PT011 (a cut comes alone or in groups)
            await lab.engine.apply(plan)
        assert is_cut(caught.value), caught.value


# -- all or nothing --


async def test_all_or_nothing_counts_hooks_too(lab: Any) -> None:
    """A hook that fails afterwards takes everything back, and guests run as they did."""
    await lab.applied(stack(more="state: running"))
    hooks = """{preApply: [{shutdown: {}}, {snapshot: {}}],
      postApply: [{backup: {storage: nowhere}}]}"""
    plan = await lab.plan(stack(4, hooks, more=""))
    report = await lab.engine.apply(plan, atomic=True)
    assert not report.ok
    assert report.undone
    assert report.taken_back, [item.reason for item in report.undone]
    for name in ("web-1", "db-1"):
        vmid = lab.vmid(name)
        assert (str(lab.config(vmid)["cores"]), lab.status(vmid)) == ("2", "running")


async def test_all_or_nothing_is_refused_where_a_command_would_run(lab: Any) -> None:
    plan, inside = await with_a_command(lab)
    with pytest.raises(PlanRefused, match="run freeze-db in web-1: nothing undoes it"):
        await lab.engine.apply(plan, atomic=True)
    assert inside.ran == []


async def test_a_stored_plan_with_hooks_is_the_same_plan(lab: Any) -> None:
    plan, inside = await with_a_command(lab)
    assert Plan.from_json(plan.to_json()).steps == plan.steps
    await done(lab, await lab.engine.stored_plan(plan.id))
    assert inside.ran == [["now"]]
