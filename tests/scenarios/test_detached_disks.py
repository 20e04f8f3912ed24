"""Pain: nobody says what happens to the data of a disk that leaves the manifest (Telmate#1206)."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from pmpc_reconcile.errors import PlanRefused

VM = """
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {name: db-1}
spec:
  source: {clone: {template: debian-13}}
  config:
    cores: 2
"""
DATA = "    scsi1: {storage: shared, size: 4G}\n"


async def test_a_disk_that_leaves_the_manifest_is_detached_and_the_plan_says_so(lab: Any) -> None:
    await lab.applied(VM + DATA)
    vmid = lab.vmid("db-1")
    volume = lab.config(vmid)["scsi1"].partition(",")[0]
    plan = await lab.plan(VM)
    (item,) = plan.changes
    assert item.notes == (
        f"scsi1: its volume {volume} is detached, not deleted; it stays as unusedN",
    )
    assert item.notes[0] in plan.explain()
    assert (await lab.engine.apply(plan)).ok
    assert "scsi1" not in lab.config(vmid)
    assert lab.config(vmid)["unused0"] == volume
    assert (await lab.plan(VM)).empty


async def test_another_disk_in_the_place_of_ours_survives_the_deletion(lab: Any) -> None:
    """Somebody took our disk out and put one of theirs into the same slot."""
    await lab.applied(VM + DATA)
    vmid = lab.vmid("db-1")
    late = await lab.engine.delete("shop")
    lab.cluster.edit(vmid, delete="scsi1")
    lab.cluster.edit(vmid, scsi1="local-lvm:4")
    theirs = lab.config(vmid)["scsi1"].partition(",")[0]
    lab.forget_writes()
    for plan in (late, await lab.engine.delete("shop")):
        with contextlib.suppress(PlanRefused):
            (failed,) = (await lab.engine.apply(plan)).failed
            assert f"scsi1 ({theirs})" in failed.reason
    assert lab.writes == []
    assert theirs in {volume.volid for volume in lab.cluster.volumes}


async def test_our_disk_moved_by_somebody_is_still_ours(lab: Any) -> None:
    await lab.applied(VM + DATA)
    vmid = lab.vmid("db-1")
    node = lab.cluster.guests[vmid].node
    moved = {"disk": "scsi1", "storage": "local-lvm", "delete": 1}
    lab.cluster.call("POST", f"/nodes/{node}/qemu/{vmid}/move_disk", moved)
    lab.cluster.clock.advance(60)
    assert lab.config(vmid)["scsi1"].startswith("local-lvm:")
    assert (await lab.engine.apply(await lab.engine.delete("shop"))).ok
    assert lab.vmids() == []


async def test_a_disk_that_gets_the_name_of_one_of_ours_that_is_gone_is_not_ours(lab: Any) -> None:
    """PVE gives the number of a deleted volume to the next one."""
    await lab.applied(VM + DATA)
    vmid = lab.vmid("db-1")
    ours = lab.config(vmid)["scsi1"].partition(",")[0]
    await lab.applied(VM)
    lab.cluster.edit(vmid, delete="unused0")
    await lab.applied(VM.replace("cores: 2", "cores: 3"))
    lab.cluster.edit(vmid, scsi5="shared:4")
    assert lab.config(vmid)["scsi5"].partition(",")[0] == ours, "the same name"
    with pytest.raises(PlanRefused, match="disks this release did not make: scsi5"):
        await lab.engine.apply(await lab.engine.delete("shop"))
    assert ours in {volume.volid for volume in lab.cluster.volumes}
