"""Act four: go back one revision, and see everything that happened."""

from __future__ import annotations

from pmpc_cli.demo.scenes.scene import CONTAINER, MACHINES, RELEASE, SNAPSHOT, Scene
from pmpc_cli.present.observed import changes_lines
from pmpc_cli.present.plan import plan_lines
from pmpc_cli.present.report import report_lines
from pmpc_cli.present.revisions import revision_columns
from pmpc_cli.present.table import table
from pmpc_reconcile.actions.apply import ApplyInput
from pmpc_reconcile.actions.changes import ChangesInput
from pmpc_reconcile.actions.history import HistoryInput
from pmpc_reconcile.actions.rollback import RollbackInput
from pmpc_reconcile.actions.sync import SyncInput


async def roll_back(scene: Scene) -> None:
    """Return to revision one, as revision three."""
    narrator, session = scene.narrator, scene.stage.session
    narrator.step("Roll back one revision", f"pmpc rollback {RELEASE} --yes")
    wanted = RollbackInput(release=RELEASE, dry_run=True)
    made = (await session.invoke("rollback", wanted, scene.progress)).plan
    narrator.show(plan_lines(made))
    done = await session.invoke("apply", ApplyInput(plan_id=made.id), scene.progress)
    narrator.show(report_lines(done.report))
    narrator.claim(done.report.ok, "it was applied", done.report)
    tags = scene.live("web-2", "tags") or ""
    narrator.claim("canary" not in tags and "web" in tags, "web-2's new tag is gone again", tags)
    narrator.claim(
        scene.live("web-1", "startup") == "order=5", "what only alice declared is still hers"
    )
    items = (await session.invoke("history", HistoryInput(RELEASE))).items
    narrator.show(table(items, revision_columns()))
    narrator.claim(
        [item.revision for item in items] == [1, 2, 3], "the history has three revisions", items
    )


async def changes(scene: Scene) -> None:
    """Show what changed since the snapshot."""
    narrator, session = scene.narrator, scene.stage.session
    narrator.step("What changed since the beginning?", f"pmpc sync && pmpc changes {SNAPSHOT}")
    await session.invoke("sync", SyncInput(), scene.progress)
    wanted = ChangesInput(since=SNAPSHOT)
    found = await session.invoke("changes", wanted)
    told = [item for item in found.items if item.kind in ("qemu", "lxc", "pool")]
    narrator.show(changes_lines(type(found)(found.cluster, found.since, found.until, tuple(told))))
    created = {item.name or item.key for item in told if item.change == "created"}
    expected = {*MACHINES, CONTAINER, RELEASE}
    narrator.claim(created == expected, "pool, VMs and container are what is new", created)
    others = [item for item in told if item.change != "created"]
    narrator.claim(not others, "nothing else changed and nothing is gone", others)
