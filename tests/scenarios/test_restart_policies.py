"""Pains: reboots for a tag; a clean plan while the guest runs old values (bpg#2516).

What waits for a restart is shown as long as it waits, and the policy alone says when it comes.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pmpc_reconcile.conditions import conditions_of_plan
from pmpc_reconcile.execute.report import Outcome
from pmpc_reconcile.manifests import ManifestInvalid, load_text

VM = """
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {name: web-1}
spec:
  source: {clone: {template: debian-13}}
  config: {CONFIG}
  state: running
  restart: {RESTART}
"""
ADDRESS = "VirtualMachine/web-1"
NEW = "cores: 4, sockets: 2, tags: [a]"


def web(config: str, restart: str) -> str:
    return VM.replace("CONFIG", config).replace("RESTART", restart)


def window_in(lab: Any, hours: float) -> str:
    """A window of an hour that opens so many hours from now."""
    opens = datetime.fromtimestamp(lab.cluster.clock.now(), UTC) + timedelta(hours=hours)
    return f"policy: window, window: {opens:%a %H:%M}".lower()


def reboots(lab: Any) -> int:
    return len([name for name in lab.writes if name.endswith("/reboot")])


async def test_under_never_a_thousand_loops_write_nothing_more(lab: Any) -> None:
    await lab.applied(web("cores: 2", "policy: never"))
    text = web(NEW, "policy: never")
    report = await lab.applied(text)
    assert report.restart_required == (ADDRESS,)
    status = {
        item.type.value: (item.status.value, item.reason) for item in report.conditions[ADDRESS]
    }
    assert status == {
        "Synced": ("true", "AsDeclared"),
        "Healthy": ("true", "AsDeclared"),
        "RestartRequired": ("true", "Never"),
        "Drifted": ("false", "AsApplied"),
        "Conflict": ("false", "NoConflict"),
        "Unknown": ("false", "Seen"),
    }
    config = lab.config(lab.vmid("web-1"))
    assert config["tags"] == "a"
    lab.forget_writes()
    for _ in range(1000):
        plan = await lab.plan(text, save=False)
        assert plan.empty
        (item,) = plan.objects
        assert (item.restart, item.waits.partition(":")[0]) == (("cores", "sockets"), "Never")
    assert (await lab.engine.apply(await lab.plan(text))).restart_required == (ADDRESS,)
    assert lab.writes == []


async def test_what_waits_is_shown_in_a_conflict_too(lab: Any) -> None:
    await lab.applied(web("cores: 2", "policy: never"))
    await lab.applied(web(NEW, "policy: never"))
    lab.cluster.edit(int(lab.vmid("web-1")), cores=8)
    text = web(NEW.replace("cores: 4", "cores: 6"), "policy: never")
    plan = await lab.plan(text)
    assert plan.object(ADDRESS).conflicts
    found = conditions_of_plan(plan, (ADDRESS,))[ADDRESS]
    status = {item.type.value: item.status.value for item in found}
    assert (status["Conflict"], status["RestartRequired"]) == ("true", "true")
    assert plan.object(ADDRESS).restart == ("cores", "sockets")


async def test_a_window_brings_one_restart_for_all_keys(lab: Any) -> None:
    policy = window_in(lab, 3)
    await lab.applied(web("cores: 2", policy))
    lab.forget_writes()
    for config in ("cores: 4", "cores: 4, sockets: 2", NEW):
        report = await lab.applied(web(config, policy))
        assert report.restart_required == (ADDRESS,)
    plan = await lab.plan(web(NEW, policy))
    assert plan.empty
    assert plan.objects[0].waits.startswith("OutsideWindow: ")
    assert "opens at 20" in plan.explain()
    assert reboots(lab) == 0
    lab.cluster.clock.advance(3 * 3600 + 60)
    plan = await lab.plan(web(NEW, policy))
    assert [(step.type, step.keys) for step in plan.steps] == [("restart", ("cores", "sockets"))]
    assert (await lab.engine.apply(plan)).restart_required == ()
    for _ in range(5):
        assert (await lab.plan(web(NEW, policy))).empty
    assert reboots(lab) == 1


async def test_a_plan_applied_after_its_window_does_not_restart(lab: Any) -> None:
    policy = window_in(lab, 0)
    await lab.applied(web("cores: 2", policy))
    plan = await lab.plan(web("cores: 4", policy))
    assert [step.type for step in plan.steps] == ["configure", "restart"]
    lab.cluster.clock.advance(2 * 3600)
    lab.forget_writes()
    report = await lab.engine.apply(plan)
    assert [item.outcome for item in report.results] == [Outcome.DONE, Outcome.FAILED]
    assert "window closed" in report.failed[0].reason
    assert reboots(lab) == 0


@pytest.mark.parametrize(("asked", "expected"), [((), 0), (("*",), 1), ((ADDRESS,), 1)])
async def test_on_demand_restarts_when_somebody_asks(
    lab: Any, asked: tuple[str, ...], expected: int
) -> None:
    await lab.applied(web("cores: 2", "policy: on-demand"))
    await lab.applied(web("cores: 4", "policy: on-demand"))
    lab.forget_writes()
    report = await lab.applied(web("cores: 4", "policy: on-demand"), restart=asked)
    assert reboots(lab) == expected
    assert bool(report.restart_required) is (expected == 0)


async def test_never_does_not_listen(lab: Any) -> None:
    await lab.applied(web("cores: 2", "policy: never"))
    assert (await lab.applied(web("cores: 4", "policy: never"), restart=("*",))).restart_required


def test_a_window_that_is_none_is_refused_with_its_place() -> None:
    with pytest.raises(ManifestInvalid) as caught:
        load_text(web("cores: 2", "policy: window, window: someday"))
    (found,) = caught.value.diagnostics
    assert "window such as" in found.message
    assert found.line is not None
