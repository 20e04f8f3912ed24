"""Act one: meet the cluster, read it, remember how it was."""

from __future__ import annotations

from pmpc_cli.demo.cluster import NODES, TEMPLATE
from pmpc_cli.demo.scenes.scene import SNAPSHOT, Scene
from pmpc_cli.present.observed import resource_columns, sync_lines
from pmpc_cli.present.table import table
from pmpc_cli.present.values import show_time
from pmpc_reconcile.actions.check import CheckInput
from pmpc_reconcile.actions.list_resources import ListInput
from pmpc_reconcile.actions.snapshot import SnapshotInput
from pmpc_reconcile.actions.sync import SyncInput


async def connect(scene: Scene) -> None:
    """Reach the cluster over HTTPS, trusting exactly its certificate."""
    stage, narrator = scene.stage, scene.narrator
    narrator.step(
        "A simulated cluster of three nodes, over HTTPS",
        f"pmpc context add demo {stage.url} --trust",
    )
    context = stage.session.context
    narrator.show([f"API token: {context.secret()} (cluster and token end with the demo)"])
    narrator.show([f"certificate: {context.tls.value}"])
    found = await stage.session.invoke("check", CheckInput())
    narrator.show(f"{item.level}: {item.subject}: {item.message}" for item in found.findings)
    narrator.claim(
        found.ok, "the certificate is pinned, the token works, the cluster is quorate", found
    )
    guests = stage.cluster.guests
    scene.foreign = {vmid: guest.digest for vmid, guest in guests.items() if vmid != TEMPLATE}


async def sync(scene: Scene) -> None:
    """Read the cluster into a fresh database."""
    narrator, session = scene.narrator, scene.stage.session
    narrator.step("Read it into a fresh database", "pmpc sync && pmpc get")
    done = await session.invoke("sync", SyncInput(), scene.progress)
    narrator.show(sync_lines(done))
    items = (await session.invoke("list", ListInput())).items
    shown = [item for item in items if item.kind in ("node", "qemu", "lxc")]
    narrator.show(table(shown, resource_columns(shown)))
    nodes = {item.name or item.key for item in shown if item.kind == "node"}
    narrator.claim(nodes == set(NODES), "all three nodes are known", nodes)
    vmids = {int(item.key.rpartition("/")[2]) for item in shown if item.kind in ("qemu", "lxc")}
    expected = set(scene.stage.cluster.guests)
    narrator.claim(vmids == expected, f"all {len(expected)} guests are known", vmids)
    narrator.claim(not done.problems, "nothing stayed unread", done.problems)


async def snapshot(scene: Scene) -> None:
    """Give the moment a name."""
    narrator, session = scene.narrator, scene.stage.session
    narrator.step("Remember this moment", f"pmpc snapshot {SNAPSHOT}")
    taken = await session.invoke("snapshot", SnapshotInput(SNAPSHOT))
    narrator.show([f"snapshot {taken.snapshot.name} at {show_time(taken.snapshot.time)}"])
    again = await session.invoke("list", ListInput(at=SNAPSHOT, kind="qemu"))
    narrator.claim(
        {item.name for item in again.items} == {"debian-13", "mail", "build"},
        "the snapshot answers what there was",
        again.items,
    )
