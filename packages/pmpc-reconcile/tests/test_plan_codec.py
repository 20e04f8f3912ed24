from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmpc_reconcile.diagnostics import warning
from pmpc_reconcile.diff import Action, FieldChange
from pmpc_reconcile.errors import PlanError, PlanVersionUnsupported
from pmpc_reconcile.plans.model import Blame, ObjectAction, ObjectPlan, Plan, Purpose
from pmpc_reconcile.plans.steps import (
    STEP_TYPES,
    CloneGuest,
    Configure,
    DeleteGuest,
    MigrateGuest,
    SetPool,
)
from pmpc_reconcile.risk import Risk
from pmpc_reconcile.values import ABSENT, Secret, SecretMark

ADDRESS = "VirtualMachine/web-1"
CORES = FieldChange(path="config.cores", action=Action.CHANGE, base=2, live=2, desired=4)
GONE = FieldChange(
    path="config.tags.old", action=Action.REMOVE, base=True, live=True, desired=ABSENT
)
PASSWORD = FieldChange(
    path="config.cipassword",
    action=Action.CHANGE,
    live=SecretMark(),
    desired=Secret("hunter2"),
)


def plan(*steps: object, changes: tuple[FieldChange, ...] = (CORES, GONE)) -> Plan:
    item = ObjectPlan(
        ADDRESS,
        ObjectAction.UPDATE,
        marker_id="0" * 16,
        vmid=100,
        node="pve1",
        digest="d" * 40,
        changes=changes,
        conflicts=(CORES,),
        desired={"config.cores": 4},
        owned_after={"config.cores": 4},
        effects={"config.cores": "restart"},
        restart=("cores",),
        notes=("a note",),
        theirs={"config.cores": Blame("alice@pve", "UPID:x", "2026-11-22T16:00:00+00:00")},
        evidence={"uuid": "u"},
        record=True,
    )
    return Plan(
        id="abc",
        cluster="lab",
        release="shop",
        purpose=Purpose.APPLY,
        created_at="2026-11-22T16:00:00+00:00",
        base_revision=3,
        objects=(item,),
        steps=steps,  # type: ignore[arg-type]  # tests hand over what they like
        diagnostics=(warning("careful", address=ADDRESS),),
        documents=({"kind": "VirtualMachine"},),
    )


def configure(*changes: FieldChange) -> Configure:
    return Configure(
        id=f"{ADDRESS}#configure",
        address=ADDRESS,
        summary="set cores",
        after=("x",),
        locks=("guest:100",),
        changes=changes,
    )


def test_a_plan_survives_being_written_and_read() -> None:
    written = plan(
        configure(CORES, GONE),
        CloneGuest(
            id="c",
            address=ADDRESS,
            summary="clone",
            template=9000,
            template_node="pve1",
            template_name="debian-13",
        ),
        MigrateGuest(id="m", address=ADDRESS, summary="migrate", targets=("pve2", "pve3")),
        SetPool(id="p", address=ADDRESS, summary="pool", pool=None, previous="shop"),
    )
    assert Plan.from_json(written.to_json()) == written


def test_secrets_do_not_pass() -> None:
    written = plan(configure(PASSWORD), changes=(PASSWORD,))
    assert "hunter2" not in written.to_json() + repr(written) + written.explain()
    (read,) = Plan.from_json(written.to_json()).objects[0].changes
    assert read.desired == SecretMark()


def test_every_type_of_step_has_a_name_of_its_own() -> None:
    assert len({kind.type for kind in STEP_TYPES}) == len(STEP_TYPES)


@pytest.mark.parametrize("text", ["", "[]", '{"pmpcPlan": 1}', '{"pmpcPlan": 1, "id": 5}'])
def test_what_is_no_plan_is_refused(text: str) -> None:
    with pytest.raises(PlanError):
        Plan.from_json(text)


def test_a_newer_version_is_refused_with_advice() -> None:
    data = plan().to_dict()
    data["pmpcPlan"] = 99
    with pytest.raises(PlanVersionUnsupported, match="a newer pmpc wrote it"):
        Plan.from_json(json.dumps(data))


def test_the_explanation_says_what_why_and_when() -> None:
    text = plan(configure(CORES)).explain()
    assert "~ VirtualMachine/web-1 (vmid 100 on pve1): update" in text
    assert "config.cores: 2 -> 4, effective after a restart" in text
    assert "theirs 2 by alice@pve at 2026-11-22T16:00:00+00:00 (UPID:x)" in text
    assert "waits for a restart: cores" in text


def test_the_risk_of_a_plan_is_that_of_its_worst_step() -> None:
    assert plan().risk is Risk.READ
    assert plan(configure(CORES)).risk is Risk.CHANGE
    gone = DeleteGuest(id="d", address=ADDRESS, summary="delete")
    assert plan(configure(CORES), gone).risk is Risk.DESTRUCTIVE


def test_steps_that_wait_for_each_other_are_no_plan() -> None:
    first = Configure(id="a", address=ADDRESS, summary="one", after=("b",))
    second = Configure(id="b", address=ADDRESS, summary="other", after=("a",))
    with pytest.raises(PlanError, match="wait for each other in a circle: a, b"):
        Plan.from_json(plan(first, second).to_json())


def places(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if above:
        yield above
    if hasattr(value, "keys"):
        for name in value:
            yield from places(value[name], (*above, name))
    elif hasattr(value, "append"):
        for name in range(len(value)):
            yield from places(value[name], (*above, name))


WRITTEN = plan(
    Configure(id="a", address=ADDRESS, summary="one", changes=(CORES, GONE)),
    DeleteGuest(id="b", address=ADDRESS, summary="other", after=("a",)),
).to_json()
ANYTHING: st.SearchStrategy[Any] = st.sampled_from(
    [None, 1, -5, 1.5, True, "", "x", [], {}, [1], ["x"], [{}], {"a": 1}]
)


@given(st.sampled_from(sorted(places(json.loads(WRITTEN)), key=str)), st.none() | ANYTHING)
def test_a_text_with_anything_in_it_is_a_plan_that_can_be_shown_or_an_error(
    place: tuple[Any, ...], value: object
) -> None:
    """Whatever somebody wrote into a plan's file, there is a word about it and no traceback."""
    data = json.loads(WRITTEN)
    *above, last = place
    inner = functools.reduce(lambda at, key: at[key], above, data)
    inner[last] = value
    with contextlib.suppress(PlanError):
        read = Plan.from_json(json.dumps(data))
        assert read.explain()
        assert read.to_graph("mermaid")
