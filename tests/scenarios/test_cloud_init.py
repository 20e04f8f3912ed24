"""Pains: a clean plan while the guest runs old values (bpg#2516); cloud-init that differs for ever.

Of a running guest PVE takes new cloud-init options at once and leaves the drive as it was. So a
plan writes the drive, too, and does not end before: not with a crash, not with somebody's edit.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from pmpc_reconcile.conditions import ConditionType, conditions_of_plan
from pmpc_reconcile.controllers import LoopSettings, MemoryQueue, ReconcileLoop
from pmpc_reconcile.engine import Reconciler
from pmpc_reconcile.live import LiveCluster
from pmpc_reconcile.manifests import load_text
from pmpc_reconcile.plans.codec import plan_from_json
from pmpc_reconcile.plans.undo import irreversible
from proxmox_client import ApiError, ApiToken, AsyncClient
from tests.lab.moments import UNRECORDED, Moment
from tests.lab.power_cuts import fall

VM = """
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {name: web-1}
spec:
  source: {clone: {template: debian-13}}
  config:
    cores: CORES
    hotplug: HOTPLUG
    ide2: {storage: local-lvm, cloudinit: on}
    OPTIONS
  state: STATE
  restart: {policy: POLICY}
"""
POOL = "\n---\napiVersion: pmpc/v1\nkind: Pool\nmetadata: {name: shop}\nspec: {comment: ours}\n"
WEB = "VirtualMachine/web-1"
BEFORE = {"ciuser: admin": "ciuser: deb", "ipconfig0: {ip: 10.0.0.9/24}": "ipconfig0: {ip: dhcp}"}
"""An option as it shall be and as it was."""
STEP = f"{WEB}#cloud-init"


def web(
    *options: str,
    state: str = "running",
    policy: str = "never",
    cores: int = 1,
    hotplug: str = "[network, disk, usb]",
) -> str:
    lines = "\n    ".join(options or ("ciuser: deb",))
    text = VM.replace("OPTIONS", lines).replace("STATE", state).replace("POLICY", policy)
    return text.replace("CORES", str(cores)).replace("HOTPLUG", hotplug)


def lacks(lab: Any) -> Any:
    """What the drive of the guest has instead of the present values."""
    return lab.cluster.guests[lab.vmid("web-1")].cloudinit


def put(lab: Any) -> str:
    guest = lab.cluster.guests[lab.vmid("web-1")]
    return f"PUT /nodes/{guest.node}/qemu/{guest.vmid}/cloudinit"


def edit(lab: Any, **options: object) -> None:
    lab.cluster.edit(lab.vmid("web-1"), user="bob@pam", **options)


def synced(plan: Any) -> tuple[str, str, str]:
    conditions = conditions_of_plan(plan, (WEB,))[WEB]
    (found,) = [item for item in conditions if item.type is ConditionType.SYNCED]
    return found.status.value, found.reason, found.message


async def three_empty_plans(lab: Any, text: str) -> None:
    lab.forget_writes()
    for _ in range(3):
        plan = await lab.plan(text)
        assert plan.empty, plan.explain()
        assert plan.objects[0].behind == ()
        assert (await lab.engine.apply(plan)).ok
    assert lab.writes == []


@pytest.mark.parametrize(
    ("before", "after", "keys"),
    [
        ("ciuser: deb", "ciuser: admin", ("ciuser",)),
        ("nameserver: 1.1.1.1", "nameserver: 9.9.9.9", ("nameserver",)),
        ("ipconfig1: {ip: dhcp}", "ipconfig1: {ip: 10.0.0.9/24}", ("ipconfig1",)),
        ("ciuser: deb", "name: other", ("ciuser", "name")),
        ("ciuser: deb", "net1: {model: virtio, bridge: vmbr0}", ("ciuser", "net1")),
    ],
)
async def test_the_drive_of_a_running_guest_gets_the_new_values(
    old_and_new: Any, before: str, after: str, keys: tuple[str, ...]
) -> None:
    lab = old_and_new
    await lab.applied(web(before))
    vmid = lab.vmid("web-1")
    plan = await lab.plan(web(after))
    steps = [step for step in plan.steps if step.type == "cloud-init"]
    assert [step.keys for step in steps] == [keys], plan.explain()
    assert "its next boot" in plan.explain()
    lab.forget_writes()
    assert (await lab.engine.apply(plan)).ok
    assert [name.rpartition("/")[2] for name in lab.writes] == ["config", "cloudinit"]
    assert lab.cluster.guests[vmid].cloudinit == {}
    await three_empty_plans(lab, web(after))


async def test_a_drive_that_pve_keeps_up_to_date_itself_needs_no_step(lab: Any) -> None:
    features = "[network, disk, usb, cloudinit]"
    await lab.applied(web(hotplug=features))
    plan = await lab.plan(web("ciuser: admin", hotplug=features))
    assert [step.type for step in plan.steps] == ["configure"]
    assert (await lab.engine.apply(plan)).ok
    assert lacks(lab) == {}
    await three_empty_plans(lab, web("ciuser: admin", hotplug=features))


async def test_a_new_password_needs_the_step_even_then(lab: Any) -> None:
    """PVE does not note a changed password, so its hot-plug does nothing about it."""
    features = "[network, disk, usb, cloudinit]"
    await lab.applied(web("cipassword: first", hotplug=features))
    plan = await lab.plan(web("cipassword: second", hotplug=features))
    assert [step.type for step in plan.steps] == ["configure", "cloud-init"]
    assert (await lab.engine.apply(plan)).ok
    await three_empty_plans(lab, web("cipassword: second", hotplug=features))


@pytest.mark.parametrize(
    ("state", "policy", "cores", "steps"),
    [
        ("stopped", "never", 1, ["shutdown", "configure"]),
        ("running", "automatic", 2, ["configure", "restart"]),
        ("running", "never", 2, ["configure", "cloud-init"]),
    ],
)
async def test_a_guest_that_is_started_anyway_needs_no_step(
    lab: Any, state: str, policy: str, cores: int, steps: list[str]
) -> None:
    await lab.applied(web())
    wanted = web("ciuser: admin", state=state, policy=policy, cores=cores)
    plan = await lab.plan(wanted)
    assert [step.type for step in plan.steps] == steps
    assert (await lab.engine.apply(plan)).ok
    assert lacks(lab) == {}
    await three_empty_plans(lab, wanted)


async def test_cloud_init_options_alone_never_require_a_restart(lab: Any) -> None:
    await lab.applied(web())
    report = await lab.applied(web("ciuser: admin"))
    assert report.restart_required == ()
    plan = await lab.plan(web("ciuser: admin"))
    assert plan.objects[0].restart == ()
    assert synced(plan)[:2] == ("true", "AsDeclared")


@pytest.mark.parametrize(
    "moment",
    [
        Moment(f"{WEB}#configure|write options", UNRECORDED),
        Moment(f"{WEB}#configure|write options", "verified"),
        Moment(f"{STEP}|regenerate cloud-init", "intend"),
        Moment(f"{STEP}|regenerate cloud-init", "called"),
    ],
    ids=str,
)
@pytest.mark.parametrize("option", BEFORE)
async def test_a_crash_before_the_drive_is_written_is_not_forgotten(
    lab: Any, option: str, moment: Moment
) -> None:
    """PVE's list does not tell of an address that changed; our own record does."""
    await lab.applied(web(BEFORE[option]))
    await fall(lab.engine, await lab.plan(web(option)), moment)
    assert lacks(lab) != {}
    again = lab.engine_on(lab.state)
    plan = await again.plan(load_text(web(option)), "shop")
    key = option.partition(":")[0]
    assert [step.type for step in plan.steps] == ["cloud-init"], plan.explain()
    assert plan.objects[0].behind == (key,)
    told = f"its cloud-init drive still has the former {key}"
    assert told in plan.explain()
    assert synced(plan) == ("false", "DriveBehind", told)
    assert plan_from_json(plan.to_json()).objects[0].behind == (key,)
    assert (await again.apply(plan)).ok
    assert lacks(lab) == {}
    await three_empty_plans(lab, web(option))


async def test_a_start_after_the_crash_costs_one_regeneration_at_most(lab: Any) -> None:
    option = "ipconfig0: {ip: 10.0.0.9/24}"
    await lab.applied(web(BEFORE[option]))
    moment = Moment(f"{STEP}|regenerate cloud-init", "intend")
    await fall(lab.engine, await lab.plan(web(option)), moment)
    vmid = lab.vmid("web-1")
    at = lab.cluster.guests[vmid]
    lab.cluster.call("POST", f"/nodes/{at.node}/qemu/{vmid}/status/reboot")
    lab.cluster.clock.advance(60)
    lab.forget_writes()
    await lab.applied(web(option))
    assert len([name for name in lab.writes if name.endswith("/cloudinit")]) <= 1
    await three_empty_plans(lab, web(option))


async def test_a_lost_answer_does_not_write_the_drive_twice(lab: Any) -> None:
    await lab.applied(web())
    lab.forget_writes()
    lab.recorder.lose = {"/cloudinit"}
    assert (await lab.apply(web("ciuser: admin"))).ok
    assert [name for name in lab.writes if name.endswith("/cloudinit")] == [put(lab)]


async def test_somebodys_values_that_are_not_declared_are_left_to_wait(lab: Any) -> None:
    await lab.applied(web())
    edit(lab, nameserver="9.9.9.9")
    lab.forget_writes()
    plan = await lab.plan(web())
    assert plan.empty
    assert "lacks nameserver, not declared here: it is left as it is" in plan.explain()
    assert synced(plan)[:2] == ("true", "AsDeclared")
    await lab.engine.apply(plan)
    assert lab.writes == []
    assert lacks(lab) == {"nameserver": None}
    plan = await lab.plan(web("ciuser: admin"))
    assert "gets nameserver, too: it is written from every option" in plan.explain()


async def test_a_value_somebody_set_as_declared_is_brought_to_the_drive(lab: Any) -> None:
    """bpg#2516: every option is as declared, and the drive the guest boots from is not."""
    await lab.applied(web())
    edit(lab, ciuser="admin")
    plan = await lab.plan(web("ciuser: admin"))
    assert [step.type for step in plan.steps] == ["cloud-init"]
    await lab.applied(web("ciuser: admin"))
    assert lacks(lab) == {}
    await three_empty_plans(lab, web("ciuser: admin"))


async def test_the_loop_brings_the_drive_up_to_date(lab: Any) -> None:
    option = "ipconfig0: {ip: 10.0.0.9/24}"
    await lab.applied(web(BEFORE[option]))
    moment = Moment(f"{WEB}#configure|write options", UNRECORDED)
    await fall(lab.engine, await lab.plan(web(option)), moment)
    queue = MemoryQueue(lab.cluster.clock.now)
    loop = ReconcileLoop(lab.engine_on(lab.state), queue, LoopSettings(), chance=random.Random(1))
    lab.state.writer().controls.set("lab", "shop", "", actor="alice", self_heal=True)
    await loop.look_at_all()
    await queue.drain(loop.handle)
    assert lacks(lab) == {}


def refusing(monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    """Let the server refuse calls whose path ends so."""
    send = LiveCluster.write

    async def write(self: LiveCluster, verb: str, path: str, params: Any = None) -> Any:
        if path.endswith(end):
            raise ApiError("broken", verb, path, node="pve1", status=500, reason="on fire")
        return await send(self, verb, path, params or {})

    monkeypatch.setattr(LiveCluster, "write", write)


async def test_all_or_nothing_writes_the_drive_from_the_values_before(
    lab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = web() + POOL
    await lab.applied(before)
    after = web("ciuser: admin") + POOL
    after = after.replace("  state: running", "  pool: shop\n  state: running", 1)
    plan = await lab.plan(after)
    assert [step.type for step in plan.steps] == ["configure", "cloud-init", "set-pool"]
    assert irreversible(plan) == ()
    refusing(monkeypatch, "/pools/shop")
    report = await lab.engine.apply(plan, atomic=True)
    monkeypatch.undo()
    assert not report.ok
    undone = [item.step_id for item in report.undone]
    assert undone[-2:] == [f"{WEB}#undo-configure", f"{WEB}#undo-cloud-init"]
    assert lab.config(lab.vmid("web-1"))["ciuser"] == "deb"
    assert lacks(lab) == {}
    await three_empty_plans(lab, before)


async def test_all_or_nothing_does_not_write_a_drive_that_was_not_reached(
    lab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lab.applied(web())
    plan = await lab.plan(web("ciuser: admin"))
    lab.forget_writes()
    refusing(monkeypatch, "/config")
    report = await lab.engine.apply(plan, atomic=True)
    monkeypatch.undo()
    assert not report.ok
    assert [name for name in lab.writes if name.endswith("/cloudinit")] == []
    await three_empty_plans(lab, web())


async def test_without_the_privilege_the_step_says_what_is_missing(lab: Any) -> None:
    """VM.Config.Network is enough to set the options and not to write the drive."""
    await lab.applied(web())
    cluster = lab.cluster
    privs = "VM.Audit,VM.Config.Network,VM.Config.Options,VM.PowerMgmt,Sys.Audit"
    cluster.call("POST", "/access/roles", {"roleid": "half", "privs": privs})
    cluster.call("POST", "/access/users", {"userid": "half@pve"})
    cluster.call("PUT", "/access/acl", {"path": "/", "roles": "half", "users": "half@pve"})
    token = ApiToken.parse(cluster.create_token("half@pve", "half"))
    clock = cluster.clock
    async with AsyncClient(
        "https://pve1:8006", token=token, transport=lab.cluster.async_transport(),
        sleep=clock.asleep, now=clock.now,
    ) as client:  # fmt: skip
        engine = Reconciler(client, lab.state, "lab", now=clock.now, sleep=clock.asleep)
        report = await engine.apply(await engine.plan(load_text(web("ciuser: admin")), "shop"))
        (failed,) = report.failed
        assert failed.step_id == STEP, failed.reason
        assert "VM.Config.Cloudinit" in failed.reason
        assert "the drive still has the former values" in failed.reason
        plan = await engine.plan(load_text(web("ciuser: admin")), "shop")
        assert [step.id for step in plan.steps] == [STEP]
    await lab.applied(web("ciuser: admin"))
    await three_empty_plans(lab, web("ciuser: admin"))
