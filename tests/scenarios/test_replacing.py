"""Pain: a change of one option silently destroys a guest and makes another one (bpg#1988).

Replacing takes two words: that it may be replaced, and that the data of this very guest may go.
"""

from __future__ import annotations

from typing import Any

import pytest

from pmpc_reconcile.errors import PlanRefused
from pmpc_reconcile.plans.model import ObjectAction, Plan
from pmpc_reconcile.risk import Risk
from tests.lab.leftovers import leftovers
from tests.lab.moments import UNRECORDED, Moment
from tests.lab.power_cuts import cut_at, is_cut

ADDRESS = "Container/cache-1"
CT = """
apiVersion: pmpc/v1
kind: Container
metadata: {name: cache-1}
spec:
  source: {template: "local:vztmpl/debian-13-standard.tar.zst"}
  placement: {nodes: [pve2]}
  config: {unprivileged: true, memory: 512, rootfs: {storage: local-lvm, size: 4G}}
  state: running
  MORE
"""


def ct(more: str = "", *, unprivileged: bool = False) -> str:
    text = CT.replace("MORE", more)
    return text if unprivileged else text.replace("unprivileged: true", "unprivileged: false")


async def made(lab: Any) -> int:
    await lab.applied(ct(unprivileged=True))
    lab.cluster.clock.advance(30)
    lab.forget_writes()
    return int(lab.vmid("cache-1"))


def accepted(vmid: int, more: str = "") -> str:
    return ct(f"replace: allow\n  acceptDataLoss: {vmid}\n  {more}")


async def test_it_takes_two_words_and_says_which(lab: Any) -> None:
    vmid = await made(lab)
    for text, words, hint in (
        (ct(), "cannot be changed on an existing object", "replace: allow"),
        (ct("replace: allow"), "would destroy the data on rootfs", f"acceptDataLoss: {vmid}"),
        (accepted(vmid + 1), "would destroy the data on rootfs", f"acceptDataLoss: {vmid}"),
        (ct(f"acceptDataLoss: {vmid}"), "cannot be changed on an existing", "replace: allow"),
    ):
        plan = await lab.plan(text)
        (error,) = plan.errors
        assert words in error.message
        assert hint in (error.hint or "")
        assert error.line is not None
        assert plan.empty
        with pytest.raises(PlanRefused):
            await lab.engine.apply(plan)
    assert lab.writes == []
    assert lab.vmids() == [vmid]


async def test_allowed_and_accepted_it_is_made_anew_once(lab: Any) -> None:
    vmid = await made(lab)
    before = lab.config(vmid)["description"]
    plan = await lab.plan(accepted(vmid))
    assert [(item.action, item.address) for item in plan.changes] == [
        (ObjectAction.REPLACE, ADDRESS)
    ]
    assert plan.risk is Risk.DESTRUCTIVE
    assert [step.type for step in plan.steps] == ["delete", "create", "configure", "start"]
    assert "± Container/cache-1" in plan.explain()
    assert "config.unprivileged" in plan.explain()
    report = await lab.engine.apply(Plan.from_json(plan.to_json()))
    assert report.ok, [item.reason for item in report.failed]
    new = int(lab.vmid("cache-1"))
    config = lab.config(new)
    assert not int(config.get("unprivileged", 0))
    assert lab.status(new) == "running"
    assert config["description"] != before, "another guest has another proof"
    lab.forget_writes()
    for _ in range(3):
        again = await lab.plan(accepted(vmid))
        assert again.empty, again.explain()
        assert (await lab.engine.apply(again)).ok
    assert lab.writes == []
    assert lab.vmids() == [new]


async def test_nothing_else_is_ever_replaced(lab: Any) -> None:
    """The words alone do nothing, and what can be changed is changed in place."""
    vmid = await made(lab)
    text = accepted(vmid).replace("unprivileged: false", "unprivileged: true")
    assert (await lab.plan(text)).empty
    plan = await lab.plan(text.replace("memory: 512", "memory: 1024"))
    assert [step.type for step in plan.steps] == ["configure"]


@pytest.mark.parametrize("why", ["protected", "protection", "foreign disk", "no template"])
async def test_what_speaks_against_it_is_said_beforehand(lab: Any, why: str) -> None:
    vmid = await made(lab)
    text = accepted(vmid, "protect: true" if why == "protected" else "")
    if why == "protection":
        lab.cluster.edit(vmid, protection=1)
    if why == "foreign disk":
        lab.cluster.edit(vmid, mp3="local-lvm:4,mp=/theirs")
        lab.cluster.clock.advance(30)
    if why == "no template":
        text = text.replace("debian-13-standard", "debian-99-standard")
    plan = await lab.plan(text)
    assert plan.empty
    words = {"foreign disk": "mp3", "no template": "no container template"}
    assert words.get(why, "is protected") in plan.errors[0].message
    assert lab.writes == []


async def test_it_is_never_all_or_nothing(lab: Any) -> None:
    vmid = await made(lab)
    with pytest.raises(PlanRefused, match="nothing undoes it"):
        await lab.engine.apply(await lab.plan(accepted(vmid)), atomic=True)
    assert lab.writes == []


async def test_a_replacement_counts_as_a_deletion_for_the_cap(lab: Any) -> None:
    vmid = await made(lab)
    plan = await lab.plan(accepted(vmid), most_deleted=0)
    assert "1 objects would be deleted" in plan.errors[0].message


CUTS = [
    pytest.param(entry, phase, id=f"{entry}-{phase}")
    for entry in ("delete|stop", "delete|delete", "create|create", "start|start")
    for phase in ("called", UNRECORDED, "verified")
]


@pytest.mark.parametrize("fresh_plan", [False, True], ids=["same plan", "new plan"])
@pytest.mark.parametrize(("entry", "phase"), CUTS)
async def test_killed_anywhere_there_is_one_guest_in_the_end(
    lab: Any, entry: str, phase: str, fresh_plan: bool
) -> None:
    vmid = await made(lab)
    plan = await lab.plan(accepted(vmid))
    with pytest.MonkeyPatch.context() as patch:
        cut_at(patch, Moment(f"{ADDRESS}#{entry}", phase))
        with pytest.raises(BaseException) as caught:  # noqa: PT011 (a cut comes alone or in groups)
            await lab.engine.apply(plan)
        assert is_cut(caught.value), caught.value
    if fresh_plan:
        again = await lab.plan(accepted(vmid))
    else:
        again = await lab.engine.stored_plan(plan.id)
    report = await lab.engine.apply(again)
    assert report.ok, [item.reason for item in report.results]
    (new,) = lab.vmids()
    assert not int(lab.config(new).get("unprivileged", 0))
    assert lab.status(new) == "running"
    sent = [name for name in lab.writes if name.startswith(("DELETE", "POST /nodes/pve2/lxc"))]
    assert len([name for name in sent if name.startswith("DELETE")]) == 1, sent
    assert len([name for name in sent if name.endswith("/lxc")]) == 1, sent
    assert leftovers(lab.cluster, lab.state) == []
    assert (await lab.plan(accepted(vmid))).empty
