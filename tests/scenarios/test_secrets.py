"""Pain: secrets in state (bpg#789)."""

from __future__ import annotations

from typing import Any

import pytest

from pmpc_reconcile.actions import ActionContext, invoke, to_plain
from pmpc_reconcile.actions.apply import ApplyInput
from pmpc_reconcile.actions.plan import PlanInput
from pmpc_reconcile.errors import PlanRefused

PASSWORD = "Tr0ub4dor-and-3"
VM = f"""
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {{name: web-1}}
spec:
  source: {{clone: {{template: debian-13}}}}
  config:
    ide2: {{storage: local-lvm, cloudinit: true}}
    ciuser: me
    cipassword: {PASSWORD}
"""


async def test_a_password_is_sent_and_is_nowhere_else(lab: Any, tmp_path: Any) -> None:
    plan = await lab.plan(VM)
    assert not plan.errors, plan.explain()
    shown = [repr(plan), plan.explain(), plan.to_json()]
    report = await lab.engine.apply(plan)
    assert report.ok, [item.reason for item in report.failed]
    shown += [repr(report), repr(lab.events)]
    assert "cipassword" in lab.config(int(lab.vmid("web-1")))
    assert all(PASSWORD not in text for text in shown)
    lab.state.close()
    for path in tmp_path.iterdir():
        assert PASSWORD.encode() not in path.read_bytes()


async def test_an_unchanged_password_is_not_sent_again(lab: Any) -> None:
    await lab.applied(VM)
    lab.forget_writes()
    assert (await lab.plan(VM)).empty
    changed = await lab.plan(VM.replace(PASSWORD, "another-one"))
    assert [change.path for change in changed.objects[0].changes] == ["config.cipassword"]
    assert (await lab.engine.apply(changed)).ok
    assert (await lab.plan(VM.replace(PASSWORD, "another-one"))).empty
    assert len(lab.writes) == 1


async def test_a_stored_plan_cannot_write_a_password_and_says_so_beforehand(lab: Any) -> None:
    plan = await lab.engine.stored_plan((await lab.plan(VM)).id)
    assert plan.withheld == ("VirtualMachine/web-1 config.cipassword",)
    with pytest.raises(PlanRefused, match="apply the manifests instead"):
        await lab.engine.apply(plan)
    assert lab.writes == []


async def test_a_plan_in_memory_still_has_its_password(lab: Any) -> None:
    context = ActionContext(
        "lab", lab.state, lab.client, lab.cluster.clock.now, lab.cluster.clock.asleep
    )
    planned = await invoke("plan", context, PlanInput(text=VM, release="shop"))
    assert planned.plan.withheld == ()
    assert PASSWORD not in str(to_plain(ApplyInput(plan=planned.plan)))
    done = await invoke("apply", context, ApplyInput(plan=planned.plan))
    assert done.report.ok
    assert (await lab.plan(VM)).empty


async def test_a_hundred_passwords_are_nowhere(lab: Any, tmp_path: Any, caplog: Any) -> None:
    words = [f"Tr0ub4dor-{number:03}-{number * 7919 % 10007}" for number in range(100)]
    text = "\n---".join(
        VM.replace("web-1", f"web-{number}").replace(PASSWORD, f"'{word}'")
        for number, word in enumerate(words)
    )
    plan = await lab.plan(text)
    shown = [repr(plan), plan.explain(), plan.to_json()]
    report = await lab.engine.apply(plan)
    assert report.ok, [item.reason for item in report.failed]
    again = await lab.plan(text)
    assert again.empty
    shown += [repr(report), repr(lab.events), again.to_json(), caplog.text]
    shown += [repr(await lab.engine.history("shop")), repr(await lab.engine.stored_plans())]
    lab.state.close()
    stored = [path.read_bytes() for path in tmp_path.iterdir()]
    for word in words:
        assert not any(word in text for text in shown)
        assert not any(word.encode() in content for content in stored)
