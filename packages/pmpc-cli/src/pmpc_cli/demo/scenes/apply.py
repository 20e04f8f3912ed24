"""Act two: plan, apply, apply again."""

from __future__ import annotations

from pmpc_cli.demo.scenes.scene import CONTAINER, MACHINES, RELEASE, Scene
from pmpc_cli.present.observed import sync_lines
from pmpc_cli.present.plan import plan_lines, summary_line
from pmpc_cli.present.report import report_lines
from pmpc_reconcile.actions.apply import ApplyInput
from pmpc_reconcile.actions.plan import PlanInput
from pmpc_reconcile.actions.sync import SyncInput


async def plan(scene: Scene) -> None:
    """Show what an apply of the manifests would do."""
    narrator = scene.narrator
    narrator.step(
        "Plan a pool, three VMs from a template and a container",
        f"pmpc plan -f examples/shop --release {RELEASE}",
    )
    before = len(scene.stage.cluster.guests)
    wanted = PlanInput(paths=scene.paths, release=RELEASE)
    made = (await scene.stage.session.invoke("plan", wanted, scene.progress)).plan
    narrator.show(plan_lines(made))
    narrator.claim(
        made.counts() == {"create": 5} and not made.errors,
        "the plan creates five objects",
        (made.counts(), made.diagnostics),
    )
    narrator.claim(len(scene.stage.cluster.guests) == before, "planning changed nothing")
    scene.plan = made


async def apply(scene: Scene) -> None:
    """Apply exactly that plan."""
    narrator, session = scene.narrator, scene.stage.session
    plan_id = scene.plan.id if scene.plan else ""
    narrator.step("Apply exactly that plan", f"pmpc apply --plan {plan_id} --yes")
    done = await session.invoke("apply", ApplyInput(plan_id=plan_id), scene.progress)
    narrator.show(report_lines(done.report))
    narrator.claim(done.report.ok, "every step ended well and was verified", done.report)
    names = (*MACHINES, CONTAINER)
    statuses = {name: scene.guest(name).status for name in names}
    narrator.claim(set(statuses.values()) == {"running"}, "three VMs and a container run", statuses)
    places = {name: scene.guest(name).node for name in names}
    wanted = {"web-1": "pve1", "web-2": "pve2", "db-1": "pve3", "cache-1": "pve2"}
    narrator.claim(places == wanted, "each on the node its manifest asks for", places)
    pool = scene.stage.cluster.pools.get("shop")
    members = pool.guests if pool else set[int]()
    narrator.claim(
        members == {scene.guest(name).vmid for name in names}, "all four are in pool shop", members
    )
    narrator.claim("size=32G" in (scene.live("db-1", "scsi0") or ""), "db-1's disk grew to 32G")
    untouched = {vmid: scene.stage.cluster.guests[vmid].digest for vmid in scene.foreign}
    narrator.claim(untouched == scene.foreign, "guests of other people are as before", untouched)


async def apply_again(scene: Scene) -> None:
    """Apply the same manifests once more: nothing may be written."""
    narrator, session = scene.narrator, scene.stage.session
    narrator.step(
        "Apply the same again: nothing to do",
        f"pmpc apply -f examples/shop --release {RELEASE} --yes",
    )
    tasks = scene.tasks()
    digests = {vmid: guest.digest for vmid, guest in scene.stage.cluster.guests.items()}
    wanted = ApplyInput(paths=scene.paths, release=RELEASE)
    done = await session.invoke("apply", wanted, scene.progress)
    narrator.show([summary_line(done.plan)])
    narrator.claim(done.plan.empty, "the second plan is empty", done.plan.steps)
    narrator.claim(done.report.writes == 0, "nothing was written", done.report)
    after = {vmid: guest.digest for vmid, guest in scene.stage.cluster.guests.items()}
    narrator.claim(
        scene.tasks() == tasks and after == digests, "the cluster saw no task and no edit"
    )
    narrator.show(sync_lines(await session.invoke("sync", SyncInput(), scene.progress)))
