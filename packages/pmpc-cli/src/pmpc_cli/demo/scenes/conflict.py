"""Act three: somebody edits a VM behind our back; we notice, name it and settle it."""

from __future__ import annotations

import asyncio

from pmpc_cli.demo.cluster import SOMEBODY, edit_behind_our_back
from pmpc_cli.demo.scenes.scene import RELEASE, WEB_1, WEB_2, Scene
from pmpc_cli.present.observed import sync_lines
from pmpc_cli.present.plan import object_lines, plan_lines
from pmpc_cli.present.report import report_lines
from pmpc_reconcile.actions.apply import ApplyInput
from pmpc_reconcile.actions.diff import DiffInput
from pmpc_reconcile.actions.plan import PlanInput
from pmpc_reconcile.actions.sync import SyncInput

FIELD = "config.onboot"


async def somebody_edits(scene: Scene) -> None:
    """Let alice switch off web-1's start at boot, and write a description, which we do not own."""
    narrator, stage = scene.narrator, scene.stage
    narrator.step("Somebody edits web-1 behind our back, in Proxmox VE's own UI")
    guest = scene.guest("web-1")
    options = {"onboot": 0, "startup": "order=5"}
    upid = await asyncio.to_thread(edit_behind_our_back, stage.cluster, guest.vmid, options)
    await stage.session.action_context.connection().task(upid).wait()
    narrator.show([f"{SOMEBODY} sets onboot=0 and startup=order=5 ({upid})"])
    narrator.claim(scene.live("web-1", "onboot") == "0", "the cluster has her values")

    narrator.command(f"pmpc sync && pmpc diff -f examples/shop --release {RELEASE}")
    narrator.show(sync_lines(await stage.session.invoke("sync", SyncInput(), scene.progress)))
    found = await stage.session.invoke(
        "diff", DiffInput(paths=scene.paths, release=RELEASE), scene.progress
    )
    for item in found.drifted:
        narrator.show(object_lines(item))
    narrator.claim(
        [item.address for item in found.drifted] == [WEB_1], "the drift is found", found.drifted
    )
    narrator.claim(
        not any("startup" in change.path for item in found.drifted for change in item.conflicts),
        "startup is not declared, so it is hers and no drift",
    )


async def conflict(scene: Scene) -> None:
    """Apply without a decision: the conflict is named and her value stays."""
    narrator, session = scene.narrator, scene.stage.session
    narrator.step(
        "Her edit is never silently overwritten",
        f"pmpc apply -f examples/shop --release {RELEASE} --yes",
    )
    wanted = ApplyInput(paths=scene.paths, release=RELEASE)
    done = await session.invoke("apply", wanted, scene.progress)
    narrator.show(plan_lines(done.plan))
    narrator.show(report_lines(done.report))
    item = done.plan.object(WEB_1)
    narrator.claim(
        [change.path for change in item.conflicts] == [FIELD],
        f"the conflict names {WEB_1} and {FIELD}",
        item,
    )
    narrator.claim(
        FIELD in item.theirs and item.theirs[FIELD].user == SOMEBODY,
        f"and {SOMEBODY}, who made the edit",
        item.theirs,
    )
    narrator.claim(
        done.report.writes == 0 and scene.live("web-1", "onboot") == "0",
        "nothing was written; her value is still there",
    )


async def reconcile(scene: Scene) -> None:
    """Decide for our value and change a manifest at the same time: revision two."""
    narrator, session = scene.narrator, scene.stage.session
    narrator.step(
        "Decide: our value counts; and give web-2 another tag",
        f"pmpc apply -f examples/shop --release {RELEASE} --resolve {FIELD}=ours --yes",
    )
    _edit_manifest(scene)
    resolve = {FIELD: "ours"}
    wanted = PlanInput(paths=scene.paths, release=RELEASE, resolve=resolve)
    made = (await session.invoke("plan", wanted, scene.progress)).plan
    narrator.show(plan_lines(made))
    narrator.claim(
        {item.address for item in made.changes} == {WEB_1, WEB_2},
        "exactly web-1 and web-2 would change",
        made.counts(),
    )
    done = await session.invoke("apply", ApplyInput(plan_id=made.id), scene.progress)
    narrator.show(report_lines(done.report))
    narrator.claim(done.report.ok and not done.report.conflicts, "it was applied", done.report)
    narrator.claim(scene.live("web-1", "onboot") == "1", "web-1 starts at boot again")
    narrator.claim(
        scene.live("web-1", "startup") == "order=5", "what only alice declared is still hers"
    )
    narrator.claim("canary" in (scene.live("web-2", "tags") or ""), "web-2 has its new tag")


def _edit_manifest(scene: Scene) -> None:
    """Add a tag to web-2, as one would in an editor."""
    path = scene.stage.manifests / "20-machines.yaml"
    head, name, tail = path.read_text(encoding="utf-8").partition("name: web-2")
    edited = tail.replace("tags: [shop, web]", "tags: [canary, shop, web]", 1)
    path.write_text(head + name + edited, encoding="utf-8")
