"""Images: fetched once to where they are missing, removed only where we fetched them."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

import pytest

from pmpc_reconcile.execute.ownership import OwnershipKeeper
from pmpc_reconcile.execute.steprun import ObjectRun
from pmpc_reconcile.records import Records
from proxmox_client.testing.faults import NodeOffline
from tests.lab.quiet import quiet

URL = "https://images.example.org/debian-13.iso"
DATA = b"an image" * 1000
SUM = hashlib.sha256(DATA).hexdigest()
VOLUME = "local:iso/debian-13.iso"


def image(**spec: str) -> str:
    rest = "".join(f"  {name}: {value}\n" for name, value in spec.items())
    return (
        "apiVersion: pmpc/v1\nkind: Image\nmetadata: {name: debian}\nspec:\n  storage: local\n"
        f"  content: iso\n  url: {URL}\n  checksum: {SUM}\n{rest}"
    )


@pytest.fixture
def net(lab: Any) -> Any:
    lab.cluster.downloads[URL] = DATA
    return lab


def where(lab: Any, storage: str = "local", volume: str = VOLUME) -> set[str]:
    return {
        node
        for node in lab.cluster.nodes
        for row in lab.cluster.call("GET", f"/nodes/{node}/storage/{storage}/content")
        if row["volid"] == volume
    }


async def test_an_image_is_fetched_to_every_node_of_a_local_storage(net: Any) -> None:
    await net.applied(image())
    assert where(net) == {"pve1", "pve2", "pve3"}
    await quiet(net, image())
    smaller = image(nodes="[pve2]")
    await net.applied(smaller)
    assert where(net) == {"pve2"}
    await quiet(net, smaller)
    assert (await net.engine.apply(await net.engine.delete("shop"))).ok
    assert where(net) == set()


async def test_an_image_on_a_shared_storage_is_fetched_once(net: Any) -> None:
    net.cluster.call("PUT", "/storage/shared", {"content": "images,iso"})
    text = image().replace("storage: local", "storage: shared")
    await net.applied(text)
    assert len([name for name in net.writes if name.endswith("download-url")]) == 1
    await quiet(net, text)


async def test_an_image_that_was_there_is_used_and_stays(net: Any) -> None:
    net.cluster.add_volume("local", VOLUME, 8000, node="pve3")
    await net.applied(image())
    assert len([name for name in net.writes if name.endswith("download-url")]) == 2
    await net.engine.apply(await net.engine.delete("shop"))
    assert where(net) == {"pve3"}


async def test_an_image_somebody_removed_is_fetched_again(net: Any) -> None:
    await net.applied(image())
    net.cluster.call("DELETE", f"/nodes/pve1/storage/local/content/{VOLUME}")
    net.cluster.clock.advance(10)
    plan = await net.plan(image())
    assert [step.id for step in plan.steps] == ["Image/debian#pve1"]
    assert (await net.engine.apply(plan)).ok


async def test_a_wrong_checksum_fails_the_step_and_leaves_nothing(net: Any) -> None:
    report = await net.apply(image(nodes="[pve1]").replace(SUM, "0" * 64))
    assert "checksum mismatch" in report.failed[0].reason
    assert where(net) == set()


async def test_a_container_from_an_image_of_the_same_plan(net: Any) -> None:
    url = "https://images.example.org/alpine.tar.zst"
    net.cluster.downloads[url] = DATA
    text = f"""
apiVersion: pmpc/v1
kind: Image
metadata: {{name: alpine}}
spec: {{storage: local, content: vztmpl, url: "{url}", nodes: [pve2]}}
---
apiVersion: pmpc/v1
kind: Container
metadata: {{name: ct-1}}
spec:
  placement: {{nodes: [pve2]}}
  source: {{template: "local:vztmpl/alpine.tar.zst"}}
  config: {{rootfs: {{storage: local-lvm, size: 2G}}}}
"""
    await net.applied(text)
    assert net.cluster.guests[net.vmid("ct-1")].node == "pve2"
    await quiet(net, text)


async def test_another_file_is_another_image_and_the_former_one_stays(net: Any) -> None:
    """What the records say of the former file says nothing about a file of somebody else."""
    await net.applied(image())
    net.cluster.add_volume("local", "local:iso/other.iso", 5, node="pve1")
    net.cluster.downloads[URL.replace("debian-13", "other")] = DATA
    other = image().replace("debian-13.iso", "other.iso")
    plan = await net.plan(other)
    (note,) = plan.object("Image/debian").notes
    assert f"{VOLUME} stays on pve1, pve2, pve3" in note
    await net.applied(other)
    await quiet(net, other)
    assert (await net.engine.apply(await net.engine.delete("shop"))).ok
    assert where(net, volume="local:iso/other.iso") == {"pve1"}
    assert where(net) == {"pve1", "pve2", "pve3"}


async def test_an_address_with_a_password_is_refused(net: Any) -> None:
    from pmpc_reconcile.manifests import ManifestInvalid

    with pytest.raises(ManifestInvalid, match="must not hold a password"):
        await net.plan(image().replace("https://", "https://ada:secret@"))


async def test_steps_that_end_at_the_same_moment_all_become_ours(
    net: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = await net.plan(image())
    assert (await net.engine.apply(plan)).ok
    record = Records.record

    async def late(self: Records, *args: Any, **more: Any) -> None:
        """Let who knows less come later, if they write beside each other."""
        for _ in range(1000 * (3 - len(more["fields"]))):
            await asyncio.sleep(0)
        await record(self, *args, **more)

    monkeypatch.setattr(Records, "record", late)
    (item,) = plan.objects
    keeper = OwnershipKeeper(net.engine.records, plan, {item.address: ObjectRun(item)})
    await asyncio.gather(*(keeper.step_done(step) for step in plan.steps))
    fields = net.state.reader().ownership.fields("lab", "shop", item.address)
    assert {field.path for field in fields} == {"nodes.pve1", "nodes.pve2", "nodes.pve3"}


async def test_a_mistyped_node_fetches_it_nowhere(net: Any) -> None:
    plan = await net.plan(image(nodes="[pve9]"))
    (found,) = plan.errors
    assert found.message == "the cluster has no node pve9"
    assert found.line == 9
    assert plan.steps == ()


async def test_while_its_node_is_away_no_other_one_gets_it(net: Any) -> None:
    net.cluster.faults.add(NodeOffline("pve3"))
    net.cluster.clock.advance(60)
    plan = await net.plan(image(nodes="[pve3]"))
    assert plan.steps == (), plan.explain()
    assert plan.object("Image/debian").action.value == "unknown"
    assert plan.errors == ()
