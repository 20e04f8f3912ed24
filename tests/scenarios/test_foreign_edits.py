"""Pain: an edit somebody made in the PVE UI is silently overwritten, or blocks everything."""

from __future__ import annotations

from typing import Any

import pytest

from pmpc_reconcile.errors import InputInvalid
from pmpc_reconcile.plans.model import ObjectAction
from tests.lab.moments import Moment
from tests.lab.power_cuts import cut_at, is_cut

WEB = """
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {name: web-1}
spec:
  source: {clone: {template: debian-13}}
  config: {cores: CORES, memory: 2048, onboot: true}
"""


def web(cores: int) -> str:
    return WEB.replace("CORES", str(cores))


async def conflicting(lab: Any) -> int:
    """Apply 2 cores; alice makes it 8; we want 4."""
    await lab.applied(web(2))
    vmid = int(lab.vmid("web-1"))
    lab.cluster.edit(vmid, user="alice@pve", cores=8)
    lab.forget_writes()
    return vmid


async def test_a_conflict_names_base_ours_and_theirs(lab: Any) -> None:
    vmid = await conflicting(lab)
    plan = await lab.plan(web(4))
    item = plan.object("VirtualMachine/web-1")
    assert item.action is ObjectAction.CONFLICT
    (conflict,) = item.conflicts
    assert (conflict.path, conflict.base, conflict.desired, conflict.live) == (
        "config.cores",
        2,
        4,
        8,
    )
    assert "base 2, ours 4, theirs 8" in plan.explain()
    report = await lab.engine.apply(plan)
    assert report.conflicts == ("VirtualMachine/web-1",)
    assert lab.writes == []
    assert lab.config(vmid)["cores"] == 8


async def test_drift_alone_is_a_conflict_too(lab: Any) -> None:
    await conflicting(lab)
    plan = await lab.plan(web(2))
    assert [item.path for item in plan.object("VirtualMachine/web-1").conflicts] == ["config.cores"]


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("config.memroy", "memory"),
        ("VirtualMachine/web-1:config.net0.bridg", "bridge"),
        ("cores", "write config.cores"),
        ("VirtualMachine/web-9:config.cores", "there are VirtualMachine/web-1"),
    ],
)
async def test_a_resolution_that_names_nothing_is_refused(lab: Any, key: str, words: str) -> None:
    with pytest.raises(InputInvalid, match=words):
        await lab.plan(web(4), resolve={key: "ours"})


async def test_resolved_as_ours_it_is_written(lab: Any) -> None:
    vmid = await conflicting(lab)
    report = await lab.apply(web(4), resolve={"config.cores": "ours"})
    assert report.ok
    assert lab.config(vmid)["cores"] == 4
    assert (await lab.plan(web(4))).empty


async def test_resolved_as_theirs_it_stays_and_is_noted(lab: Any) -> None:
    vmid = await conflicting(lab)
    plan = await lab.plan(web(4), resolve={"VirtualMachine/web-1:config.cores": "theirs"})
    assert plan.empty
    assert "config.cores stays 8" in plan.objects[0].notes[0]
    assert (await lab.engine.apply(plan)).ok
    assert lab.config(vmid)["cores"] == 8
    assert lab.writes == []


async def test_ignored_in_the_manifest_it_never_shows(lab: Any) -> None:
    vmid = await conflicting(lab)
    text = web(4) + "  conflicts: {config.cores: ignore}\n"
    assert (await lab.plan(text)).empty
    assert lab.config(vmid)["cores"] == 8


async def test_what_we_did_not_declare_is_not_ours(lab: Any) -> None:
    vmid = await conflicting(lab)
    lab.cluster.edit(vmid, cores=2, sockets=2, tags="theirs")
    plan = await lab.plan(web(2))
    assert plan.empty, plan.explain()
    assert lab.config(vmid)["sockets"] == 2


async def test_an_unrelated_edit_between_plan_and_apply_is_kept(lab: Any) -> None:
    await lab.applied(web(2))
    vmid = int(lab.vmid("web-1"))
    plan = await lab.plan(web(4))
    lab.cluster.edit(vmid, user="alice@pve", sockets=2, description="alice was here")
    report = await lab.engine.apply(plan)
    assert report.ok, [item.reason for item in report.failed]
    config = lab.config(vmid)
    assert (config["cores"], config["sockets"]) == (4, 2)
    assert config["description"].startswith("alice was here")


async def test_the_same_key_edited_between_plan_and_apply_is_refused(lab: Any) -> None:
    await lab.applied(web(2))
    vmid = int(lab.vmid("web-1"))
    plan = await lab.plan(web(4))
    lab.forget_writes()
    lab.cluster.edit(vmid, user="alice@pve", cores=16)
    report = await lab.engine.apply(plan)
    (failed,) = report.failed
    assert "config.cores was 2 when the plan was made and is 16 now" in failed.reason
    assert lab.writes == []
    assert lab.config(vmid)["cores"] == 16


async def test_a_lost_description_is_marked_again_by_the_uuid(lab: Any) -> None:
    await lab.applied(web(2))
    vmid = int(lab.vmid("web-1"))
    lab.cluster.edit(vmid, description="all new words")
    report = await lab.applied(web(2))
    assert [item.step_id for item in report.done] == ["VirtualMachine/web-1#configure"]
    description = lab.config(vmid)["description"]
    assert description.startswith("all new words\n")
    assert "managed-by: pmpc" in description
    assert (await lab.plan(web(2))).empty


async def test_who_did_it_is_named_when_it_was_seen(lab: Any) -> None:
    from pmpc_state import sync

    await lab.applied(web(2))
    vmid = int(lab.vmid("web-1"))
    await sync(lab.state, lab.client, "lab")
    guest = lab.cluster.guests[vmid]
    lab.cluster.call(
        "POST", f"/nodes/{guest.node}/qemu/{vmid}/config", {"cores": 8}, user="alice@pve"
    )
    lab.cluster.clock.advance(30)
    await sync(lab.state, lab.client, "lab")
    item = (await lab.plan(web(4))).object("VirtualMachine/web-1")
    blame = item.theirs["config.cores"]
    assert blame.user == "alice@pve"
    assert "qmconfig" in (blame.task or "")


@pytest.mark.parametrize("method", ["PUT", "POST"])
async def test_who_did_it_is_named_by_the_cluster_when_no_sync_saw_it(
    lab: Any, method: str
) -> None:
    from pmpc_state import sync

    def edit(user: str, cores: int, how: str = "PUT") -> None:
        path = f"/nodes/{lab.cluster.guests[vmid].node}/qemu/{vmid}/config"
        lab.cluster.call(how, path, {"cores": cores, "memory": "4096"}, user=user)
        lab.cluster.clock.advance(30)

    await lab.applied(web(2))
    vmid = int(lab.vmid("web-1"))
    await sync(lab.state, lab.client, "lab")
    edit("alice@pve", 8)
    await sync(lab.state, lab.client, "lab")
    edit("bob@pve", 6, method)
    item = (await lab.plan(web(4))).object("VirtualMachine/web-1")
    blame = item.theirs["config.cores"]
    assert (blame.user, bool(blame.task)) == ("bob@pve", method == "POST")
    assert blame.at
    lab.cluster.guests[vmid].config["cores"] = "7"  # as root does in a file: nothing tells of it
    item = (await lab.plan(web(4))).object("VirtualMachine/web-1")
    assert "config.cores" not in item.theirs


@pytest.mark.parametrize("moment", range(1, 5))
@pytest.mark.parametrize("ours", [False, True], ids=["an unrelated key", "the same key"])
async def test_an_edit_right_before_any_of_our_writes_is_never_lost(
    lab: Any, moment: int, ours: bool
) -> None:
    """Alice is faster than our write by a hair: the digest notices, and we look again."""
    text = web(2).replace("onboot: true", "onboot: true, scsi0: {size: 8G}") + "  state: running\n"
    await lab.applied(text)
    vmid = int(lab.vmid("web-1"))
    changed = text.replace("cores: 2", "cores: 4").replace("8G", "20G").replace("2048", "4096")
    ask = lab.recorder.inner.handle_async_request
    edit: dict[str, Any] = {"memory": "3072"} if ours else {"shares": 77}
    seen = 0

    async def alice_first(request: Any) -> Any:
        nonlocal seen
        seen += request.method != "GET"
        if seen == moment and request.method != "GET":
            lab.cluster.edit(vmid, user="alice@pve", **edit)
        return await ask(request)

    lab.recorder.inner.handle_async_request = alice_first
    report = await lab.apply(changed)
    config = lab.config(vmid)
    if not ours:
        assert report.ok, [item.reason for item in report.failed]
        assert (str(config["cores"]), config["memory"]) == ("4", "4096")
        if seen >= moment:
            assert config["shares"] == 77
    elif report.ok:  # she was late, or not at all
        assert config["memory"] == ("3072" if seen >= moment else "4096")
    else:
        assert "config.memory was 2048 when the plan was made and is 3072" in str(
            report.failed[0].reason
        )
        assert config["memory"] == "3072"


NEW_CT = """
apiVersion: pmpc/v1
kind: Container
metadata: {name: web-1}
spec:
  source: {template: "local:vztmpl/debian-13-standard.tar.zst"}
  config: {cores: 2, memory: 2048, onboot: true, rootfs: {storage: local-lvm, size: 4G}}
"""


def on_the_new_guest(lab: Any, after: str, **options: Any) -> None:
    """Let alice edit a guest as soon as the request that makes it was answered and it is there."""
    ask = lab.recorder.inner.handle_async_request
    made: list[str] = []

    async def alice(request: Any) -> Any:
        if made and request.method == "PUT" and request.url.path.endswith("/config"):
            made.clear()
            lab.cluster.edit(max(lab.vmids()), user="alice@pve", **options)
        answer = await ask(request)
        if request.method == "POST" and request.url.path.endswith(after):
            made.append(request.url.path)
        return answer

    lab.recorder.inner.handle_async_request = alice


async def test_an_edit_of_a_guest_just_made_is_seen_and_not_overwritten(lab: Any) -> None:
    on_the_new_guest(lab, "/clone", cores=8)
    report = await lab.apply(web(2))
    (failed,) = report.failed
    assert "config.cores of the new guest is 8" in failed.reason
    vmid = int(lab.vmid("web-1"))
    assert str(lab.config(vmid)["cores"]) == "8"
    plan = await lab.plan(web(2))
    (change,) = [each for each in plan.objects[0].changes if each.path == "config.cores"]
    assert (change.live, change.desired) == (8, 2), "the next plan shows it"
    assert (await lab.engine.apply(plan)).ok
    assert lab.vmids() == [vmid]


async def test_an_edit_of_another_key_of_a_guest_just_made_is_kept(lab: Any) -> None:
    on_the_new_guest(lab, "/clone", shares=77)
    await lab.applied(web(2))
    config = lab.config(lab.vmid("web-1"))
    assert (str(config["cores"]), config["shares"]) == ("2", 77)


@pytest.mark.parametrize("later", [web(2), NEW_CT], ids=["clone", "container"])
async def test_edited_before_the_next_run_takes_it_up_it_is_not_overwritten(
    lab: Any, later: str
) -> None:
    """The process died right after the guest was made; alice was there before the next one."""
    plan = await lab.plan(later)
    with pytest.MonkeyPatch.context() as patch:
        cut_at(patch, Moment("*/web-1#create|*", "verified"))
        with pytest.raises(BaseException) as caught:  # noqa: PT011 (a cut comes alone or in groups)
            await lab.engine.apply(plan)
        assert is_cut(caught.value), caught.value
    (vmid,) = lab.vmids()
    lab.cluster.edit(vmid, user="alice@pve", memory="777")
    (failed,) = (await lab.engine.apply(await lab.engine.stored_plan(plan.id))).failed
    assert "config.memory of the new guest is 777" in failed.reason
    assert str(lab.config(vmid)["memory"]) == "777"
