"""Pain: nobody says what happens to the data of a disk that leaves the manifest (Telmate#1206)."""

from __future__ import annotations

from typing import Any

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
