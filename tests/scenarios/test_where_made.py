"""Pains: a clone that fails because its template is local; a guest made where its image is not.

What a new guest is made from decides where it can be made, and a plan that cannot work says so.
"""

from __future__ import annotations

from typing import Any

import pytest

from pmpc_reconcile.execute.report import Outcome
from pmpc_reconcile.live import LiveCluster
from proxmox_client import ApiError
from tests.lab.leftovers import leftovers
from tests.lab.moments import UNRECORDED, Moment
from tests.lab.power_cuts import cut_at, is_cut
from tests.lab.quiet import quiet

ADDRESS = "VirtualMachine/web-1"
CLONE = """
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {name: web-1}
spec:
  placement: {nodes: [pve2, pve3]}
  source: {clone: {template: local-debian}}
  config: {cores: 2, memory: 512, scsi0: {size: 12G}}
  state: running
"""
NEW = """
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {name: web-1}
spec:
  config:
    memory: 512
    DISKS
  state: running
"""
ISO = "ide2: {volume: 'local:iso/debian.iso', media: cdrom}"
IMPORT = "scsi0: {storage: local-lvm, import-from: 'local:import/debian.qcow2'}"
IMAGE = """---
apiVersion: pmpc/v1
kind: Image
metadata: {name: debian}
spec: {storage: local, content: iso, url: "https://images.example.org/debian.iso", nodes: [pve3]}
"""


def new(*disks: str) -> str:
    return NEW.replace("DISKS", "\n    ".join(disks))


# -- a template on local disks ----------------------------------------------------------------


@pytest.fixture
def local(lab: Any) -> Any:
    options = {"name": "local-debian", "scsi0": "local-lvm:8", "net0": "virtio,bridge=vmbr0"}
    lab.cluster.add_vm("pve1", 9001, options, template=True)
    return lab


@pytest.mark.parametrize("storage", ["", "local-lvm", "shared"])
async def test_a_template_on_local_disks_becomes_a_guest_elsewhere(
    local: Any, storage: str
) -> None:
    more = f", storage: {storage}" if storage else ""
    text = CLONE.replace("local-debian", f"local-debian{more}")
    plan = await local.plan(text)
    order = ["clone", "migrate", "resize", "configure", "start"]
    assert [step.type for step in plan.steps] == order, plan.explain()
    assert (await local.engine.apply(plan)).ok
    vmid = local.vmid("web-1")
    assert local.cluster.guests[vmid].node == "pve2"
    assert local.status(vmid) == "running"
    assert f"{storage or 'local-lvm'}:" in local.config(vmid)["scsi0"]
    await quiet(local, text)


async def test_it_is_cloned_where_it_shall_be_if_its_disks_are_shared(lab: Any) -> None:
    plan = await lab.plan(CLONE.replace("local-debian", "debian-13"))
    assert "migrate" not in [step.type for step in plan.steps]
    assert (await lab.engine.apply(plan)).ok
    assert [name for name in lab.writes if name.endswith("/migrate")] == []
    assert lab.cluster.guests[lab.vmid("web-1")].node == "pve2"


@pytest.mark.parametrize(
    ("source", "line", "column", "words"),
    [
        ("local-debian, full: false", 7, 50, "a linked clone of it cannot be on pve2 or pve3"),
        ("local-debian, storage: only-pve1", 7, 53, "storage only-pve1 is not on pve2 or pve3"),
    ],
)
async def test_what_cannot_get_there_is_refused_with_its_line(
    local: Any, source: str, line: int, column: int, words: str
) -> None:
    options = {"storage": "only-pve1", "type": "dir", "path": "/x", "nodes": "pve1"}
    local.cluster.call("POST", "/storage", {**options, "content": "images"})
    plan = await local.plan(CLONE.replace("local-debian", source))
    (found,) = plan.diagnostics
    assert words in found.message
    assert (found.line, found.column) == (line, column)
    assert plan.steps == ()


async def test_disks_on_a_storage_that_is_not_there_are_refused(local: Any) -> None:
    local.cluster.call("PUT", "/storage/local-lvm", {"nodes": "pve1"})
    plan = await local.plan(CLONE)
    (found,) = plan.diagnostics
    assert "would be on local-lvm, which pve2 or pve3 does not have" in found.message
    assert "source.clone.storage" in str(found.hint)


@pytest.mark.parametrize("phase", ["called", UNRECORDED, "verified"])
async def test_killed_around_the_migration_there_is_one_guest_in_the_end(
    local: Any, phase: str
) -> None:
    plan = await local.plan(CLONE)
    with pytest.MonkeyPatch.context() as patch:
        cut_at(patch, Moment(f"{ADDRESS}#migrate|migrate to pve2", phase))
        with pytest.raises(BaseException) as caught:  # noqa: PT011 (a cut comes alone or in groups)
            await local.engine.apply(plan)
        assert is_cut(caught.value), caught.value
    await local.applied(CLONE)
    assert local.cluster.guests[local.vmid("web-1")].node == "pve2"
    assert len([name for name in local.writes if name.endswith("/migrate")]) == 1
    assert leftovers(local.cluster, local.state) == []


async def test_all_or_nothing_leaves_no_guest_behind(
    local: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = await local.plan(CLONE.replace("scsi0: {size: 12G}", "onboot: on"))
    send = LiveCluster.write

    async def write(self: LiveCluster, verb: str, path: str, params: Any = None) -> Any:
        if path.endswith("/status/start"):
            raise ApiError("broken", "POST", path, node="pve2", status=500, reason="it burns")
        return await send(self, verb, path, params or {})

    monkeypatch.setattr(LiveCluster, "write", write)
    report = await local.engine.apply(plan, atomic=True)
    monkeypatch.undo()
    assert report.taken_back, [item for item in report.undone if item.reason]
    assert local.vmids() == []
    assert leftovers(local.cluster, local.state) == []


# -- an image that lies on one node -----------------------------------------------------------


@pytest.mark.parametrize(
    ("disk", "volume"), [(ISO, "local:iso/debian.iso"), (IMPORT, "local:import/debian.qcow2")]
)
async def test_a_guest_is_made_where_its_image_lies(lab: Any, disk: str, volume: str) -> None:
    lab.cluster.add_volume("local", volume, 1 << 30, node="pve3")
    text = new(disk)
    plan = await lab.plan(text)
    assert plan.objects[0].node == "pve3"
    assert (await lab.engine.apply(plan)).ok
    assert lab.cluster.guests[lab.vmid("web-1")].node == "pve3"
    await quiet(lab, text)


async def test_an_image_the_plan_fetches_counts_where_it_will_be(lab: Any) -> None:
    lab.cluster.downloads["https://images.example.org/debian.iso"] = b"image" * 100
    text = new(ISO) + IMAGE
    report = await lab.applied(text)
    assert {item.outcome for item in report.results} == {Outcome.DONE}
    assert lab.cluster.guests[lab.vmid("web-1")].node == "pve3"
    await quiet(lab, text)


async def test_an_image_that_is_nowhere_is_refused_with_its_line(lab: Any) -> None:
    lab.cluster.add_volume("local", "local:iso/debian-13.iso", 1 << 20, node="pve3")
    plan = await lab.plan(new(ISO))
    (found,) = plan.diagnostics
    assert found.message == "there is no image local:iso/debian.iso"
    assert (found.line, found.column) == (8, 20)
    assert found.hint == "did you mean 'local:iso/debian-13.iso'?"
    assert plan.steps == ()


async def test_what_no_node_has_together_is_refused(lab: Any) -> None:
    lab.cluster.add_volume("local", "local:iso/debian.iso", 1 << 20, node="pve3")
    lab.cluster.add_volume("local", "local:import/debian.qcow2", 1 << 20, node="pve2")
    plan = await lab.plan(new(ISO, IMPORT))
    (found,) = plan.diagnostics
    assert "no node that is online of pve1 or pve2 or pve3 has all" in found.message
    assert "local:iso/debian.iso is on pve3" in str(found.hint)
    assert "local:import/debian.qcow2 is on pve2" in str(found.hint)
