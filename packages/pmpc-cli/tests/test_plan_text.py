"""Plans as text: marks, old and new values, conflicts with names, restarts, risk; no secret."""

from __future__ import annotations

from pmpc_cli.commands.planning import plan_exit_code
from pmpc_cli.exit_codes import ExitCode
from pmpc_cli.present.plan import COUNTED, MARKS, WORDS, object_lines, plan_lines, summary_line
from pmpc_reconcile.diff import Action, FieldChange
from pmpc_reconcile.plans.model import Blame, ObjectAction, ObjectPlan, Plan, Purpose
from pmpc_reconcile.plans.steps import Configure, CreatePool, DeleteGuest, RestartGuest, Step
from pmpc_reconcile.values import FieldValue, Secret

WEB = "VirtualMachine/web-1"


def plan_of(*objects: ObjectPlan, steps: tuple[Step, ...] = ()) -> Plan:
    return Plan(
        id="p1",
        cluster="lab",
        release="shop",
        purpose=Purpose.APPLY,
        created_at="2026-11-22T16:00:00+00:00",
        base_revision=None,
        objects=objects,
        steps=steps,
    )


def text(item: ObjectPlan, *steps: Step) -> list[str]:
    return [line.plain for line in object_lines(item, steps)]


def test_a_new_object_shows_what_it_declares_option_by_option() -> None:
    desired: dict[str, FieldValue] = {
        "config.cores": 2,
        "config.net0.model": "virtio",
        "config.net0.bridge": "vmbr0",
        "config.tags.shop": True,
        "config.tags.web": True,
        "config.cipassword": Secret("hunter2"),
        "state": "running",
    }
    lines = text(ObjectPlan(WEB, ObjectAction.CREATE, desired=desired))
    assert lines == [
        f"+ {WEB} will be created",
        "    + config.cores       2",
        "    + config.net0        model=virtio, bridge=vmbr0",
        "    + config.tags        shop, web",
        "    + config.cipassword  (secret)",
        "    + state              running",
    ]


def test_an_update_shows_old_and_new_and_what_waits_for_a_restart() -> None:
    changes = (
        FieldChange(path="config.memory", action=Action.CHANGE, base=1, live=2048, desired=4096),
        FieldChange(path="config.onboot", action=Action.ADD, desired=True),
        FieldChange(path="config.tags.web", action=Action.REMOVE, live=True),
        FieldChange(path="config.balloon", action=Action.REMOVE, live=512),
    )
    item = ObjectPlan(
        WEB,
        ObjectAction.UPDATE,
        vmid=101,
        node="pve2",
        changes=changes,
        effects={"config.memory": "restart", "config.onboot": "live", "config.balloon": "stop"},
        restart=("memory", "cpu"),
    )
    assert text(item) == [
        f"~ {WEB} will be updated in place (vmid 101 on pve2)",
        "    ~ config.memory    2048 → 4096   # needs a restart",
        "    + config.onboot    true",
        "    - config.tags.web",
        "    - config.balloon   512   # needs a stop",
        "    # waits for a restart: cpu",
    ]


def test_a_conflict_names_field_base_both_values_and_who() -> None:
    change = FieldChange(
        path="config.cores", action=Action.CONFLICT, base=2, live=8, desired=4, reason="both"
    )
    item = ObjectPlan(
        WEB,
        ObjectAction.CONFLICT,
        conflicts=(change,),
        theirs={"config.cores": Blame(user="alice@pve", at="16:20")},
    )
    assert text(item) == [
        f"! {WEB} is left alone: somebody else changed it",
        "    ! config.cores",
        "        last applied 2",
        "        ours         4",
        "        theirs       8   (alice@pve at 16:20)",
    ]


def test_disruptive_and_destructive_steps_are_pointed_out() -> None:
    restart = RestartGuest(
        id="1", address=WEB, summary="restart for memory", downtime="restart", keys=("memory",)
    )
    delete = DeleteGuest(id="2", address="VirtualMachine/old", summary="delete with its disks")
    assert "    # restart for memory (disruptive, downtime: restart)" in text(
        ObjectPlan(WEB, ObjectAction.UPDATE), restart, delete
    )
    assert text(ObjectPlan("VirtualMachine/old", ObjectAction.DELETE), restart, delete) == [
        "- VirtualMachine/old will be deleted",
        "    # delete with its disks (destructive)",
    ]


def test_the_summary_counts_and_names_the_risk() -> None:
    step = CreatePool(id="a", address="Pool/shop", summary="create the pool")
    made = plan_of(
        ObjectPlan("Pool/shop", ObjectAction.CREATE),
        ObjectPlan(WEB, ObjectAction.NONE),
        steps=(step,),
    )
    assert summary_line(made).plain == "Plan: 1 to create, 1 unchanged; 1 step. Risk: change."


def test_an_object_that_is_gone_is_forgotten_not_deleted() -> None:
    gone = ObjectPlan(
        WEB, ObjectAction.FORGET, notes=("vmid 101 is somebody else's now; it is left alone",)
    )
    assert [line.plain for line in plan_lines(plan_of(gone))] == [
        f"  {WEB} is forgotten: only its record is dropped",
        "    # vmid 101 is somebody else's now; it is left alone",
        "",
        "Plan: 1 to forget. Nothing to do on the cluster.",
    ]


def test_every_action_has_its_words() -> None:
    assert set(MARKS) == set(WORDS) == {action for action, _ in COUNTED} == set(ObjectAction)


def test_an_empty_plan_says_that_there_is_nothing_to_do() -> None:
    made = plan_of(ObjectPlan(WEB, ObjectAction.NONE))
    assert [line.plain for line in plan_lines(made)] == ["Plan: 1 unchanged. Nothing to do."]
    assert summary_line(plan_of()).plain == "Plan: nothing is declared."


def test_an_object_that_waits_for_a_restart_is_shown_although_it_is_as_declared() -> None:
    made = plan_of(ObjectPlan(WEB, ObjectAction.NONE, vmid=101, node="pve1", restart=("cores",)))
    assert [line.plain for line in plan_lines(made)] == [
        f"  {WEB} is as declared (vmid 101 on pve1)",
        "    # waits for a restart: cores",
        "",
        "Plan: 1 unchanged. Nothing to do.",
    ]


def test_steps_are_listed_on_request_with_what_they_wait_for() -> None:
    first = CreatePool(id="a", address="Pool/shop", summary="create the pool", inverse="delete it")
    second = Configure(id="b", address=WEB, summary="write cores", after=("a",))
    made = plan_of(ObjectPlan(WEB, ObjectAction.UPDATE), steps=(first, second))
    lines = [line.plain for line in plan_lines(made, steps=True)]
    assert "    1. Pool/shop: create the pool   [change]   undo: delete it" in lines
    assert f"    2. {WEB}: write cores   [change]   after 1   no undo" in lines
    assert not any("create the pool" in line.plain for line in plan_lines(made))


def test_exit_codes_of_plans() -> None:
    step = CreatePool(id="a", address="Pool/shop", summary="create the pool")
    change = FieldChange(path="config.cores", action=Action.CONFLICT, base=2, live=8, desired=4)
    conflict = ObjectPlan(WEB, ObjectAction.CONFLICT, conflicts=(change,))
    assert plan_exit_code(plan_of(), detailed=True) is ExitCode.OK
    assert plan_exit_code(plan_of(steps=(step,)), detailed=False) is ExitCode.OK
    assert plan_exit_code(plan_of(steps=(step,)), detailed=True) is ExitCode.CHANGES
    assert plan_exit_code(plan_of(conflict, steps=(step,)), detailed=True) is ExitCode.CONFLICTS
