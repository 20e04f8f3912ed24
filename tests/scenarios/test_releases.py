"""Pain: no way back: rollback re-creates, or overwrites what others did since."""

from __future__ import annotations

from typing import Any

import pytest

from pmpc_reconcile.errors import InputInvalid, PlanRefused, PlanStale, ReleaseNotFound
from pmpc_reconcile.risk import Risk

VM = """
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {name: NAME}
spec:
  source: {clone: {template: debian-13}}
  pool: shop
  config: {cores: CORES, memory: 2048, tags: [TAGS]}
"""
POOL = """
apiVersion: pmpc/v1
kind: Pool
metadata: {name: shop}
spec: {}
---
"""


def stack(cores: int = 2, tags: str = "a", names: tuple[str, ...] = ("web-1",)) -> str:
    vms = [
        VM.replace("NAME", name).replace("CORES", str(cores)).replace("TAGS", tags)
        for name in names
    ]
    return POOL + "\n---\n".join(vms)


async def test_rollback_brings_our_fields_back_and_keeps_foreign_ones(lab: Any) -> None:
    await lab.applied(stack(cores=2, tags="a"))
    vmid = int(lab.vmid("web-1"))
    await lab.applied(stack(cores=4, tags="a, b"))
    lab.cluster.edit(vmid, sockets=2, tags="a;b;theirs")
    plan = await lab.engine.rollback("shop", 1)
    assert plan.note == "rollback to 1"
    report = await lab.engine.apply(plan)
    assert report.ok, [item.reason for item in report.failed]
    config = lab.config(vmid)
    assert (config["cores"], config["sockets"], config["tags"]) == (2, 2, "a;theirs")
    history = await lab.engine.history("shop")
    assert [(item.number, item.note, item.status.value) for item in history] == [
        (1, "apply", "superseded"),
        (2, "apply", "superseded"),
        (3, "rollback to 1", "applied"),
    ]
    assert (await lab.plan(stack(cores=2, tags="a"))).empty


async def test_rollback_without_a_number_goes_to_the_one_before(lab: Any) -> None:
    await lab.applied(stack(cores=2))
    await lab.applied(stack(cores=4))
    assert (await lab.engine.rollback("shop")).note == "rollback to 1"


async def test_rollback_to_nowhere_says_what_there_is(lab: Any) -> None:
    await lab.applied(stack())
    with pytest.raises(ReleaseNotFound, match="no earlier revision"):
        await lab.engine.rollback("shop")
    with pytest.raises(ReleaseNotFound, match="no revision 7; it has 1"):
        await lab.engine.rollback("shop", 7)
    with pytest.raises(ReleaseNotFound, match="known are shop"):
        await lab.engine.rollback("shpo")


async def test_a_field_no_longer_declared_is_removed(lab: Any) -> None:
    await lab.applied(stack())
    vmid = int(lab.vmid("web-1"))
    await lab.applied(stack().replace(", tags: [a]", ""))
    assert "tags" not in lab.config(vmid)
    assert str(lab.config(vmid)["cores"]) == "2"


async def test_what_the_manifests_no_longer_have_stays_unless_pruned(lab: Any) -> None:
    await lab.applied(stack(names=("web-1", "web-2")))
    kept = await lab.plan(stack())
    assert kept.empty
    assert kept.object("VirtualMachine/web-2").notes
    await lab.engine.apply(kept)
    pruned = await lab.plan(stack(), prune=True)
    assert [step.type for step in pruned.steps] == ["delete"]
    assert pruned.risk is Risk.DESTRUCTIVE
    assert (await lab.engine.apply(pruned)).ok
    assert lab.vmids() == [lab.vmid("web-1")]


async def test_nothing_at_all_never_prunes(lab: Any) -> None:
    await lab.applied(stack())
    with pytest.raises(InputInvalid, match="use delete"):
        await lab.engine.plan((), "shop", prune=True)


async def test_deleting_a_release_leaves_nothing_of_it(lab: Any) -> None:
    await lab.applied(stack(names=("web-1", "web-2")) + "  state: running\n")
    plan = await lab.engine.delete("shop")
    report = await lab.engine.apply(plan)
    assert report.ok, [item.reason for item in report.failed]
    assert lab.vmids() == []
    assert "shop" not in lab.cluster.pools
    with pytest.raises(ReleaseNotFound):
        await lab.engine.delete("shop")
    await lab.applied(stack())


async def test_protection_refuses_the_whole_deletion(lab: Any) -> None:
    await lab.applied(stack(names=("web-1", "web-2")))
    lab.cluster.edit(int(lab.vmid("web-2")), protection=1)
    plan = await lab.engine.delete("shop")
    lab.forget_writes()
    with pytest.raises(PlanRefused, match="protected"):
        await lab.engine.apply(plan)
    assert lab.writes == []


async def test_a_protected_manifest_is_not_deleted(lab: Any) -> None:
    await lab.applied(stack() + "  protect: true\n")
    with pytest.raises(PlanRefused, match="protected"):
        await lab.engine.apply(await lab.engine.delete("shop"))


async def test_a_pool_with_foreign_members_is_not_deleted(lab: Any) -> None:
    await lab.applied(stack())
    lab.cluster.add_vm("pve1", 800, {"name": "theirs"})
    lab.cluster.call("PUT", "/pools/shop", {"vms": "800"})
    report = await lab.engine.apply(await lab.engine.delete("shop"))
    (failed,) = report.failed
    assert "guests that are not ours: 800" in failed.reason
    assert lab.vmids() == [800]


async def test_a_plan_made_before_another_apply_is_stale(lab: Any) -> None:
    await lab.applied(stack(cores=2))
    old = await lab.plan(stack(cores=4))
    await lab.applied(stack(cores=3))
    with pytest.raises(PlanStale, match="make a new plan"):
        await lab.engine.apply(old)


async def test_a_plan_is_applied_once(lab: Any) -> None:
    await lab.applied(stack(cores=2))
    plan = await lab.plan(stack(cores=4))
    await lab.engine.apply(plan)
    with pytest.raises(PlanRefused, match="applied already"):
        await lab.engine.apply(plan)


async def test_a_plan_riskier_than_allowed_is_refused_and_says_why(lab: Any) -> None:
    await lab.applied(stack())
    plan = await lab.engine.delete("shop")
    with pytest.raises(PlanRefused, match=r"delete web-1 .* \(destructive\)"):
        await lab.engine.apply(plan, max_risk=Risk.DISRUPTIVE)


async def test_joining_and_leaving_a_pool(lab: Any) -> None:
    await lab.applied(stack().replace("  pool: shop\n", ""))
    vmid = int(lab.vmid("web-1"))
    await lab.applied(stack())
    assert [item["vmid"] for item in lab.cluster.call("GET", "/pools/shop")["members"]] == [vmid]
    await lab.applied(stack().replace("  pool: shop\n", ""))
    assert lab.cluster.call("GET", "/pools/shop")["members"] == []


async def test_a_disk_of_somebody_else_survives_the_deletion(lab: Any) -> None:
    """Pain: a foreign disk is destroyed (Telmate#1206)."""
    await lab.applied(stack())
    vmid = int(lab.vmid("web-1"))
    late = await lab.engine.delete("shop")
    lab.cluster.edit(vmid, scsi3="local-lvm:4")
    lab.forget_writes()
    (failed,) = (await lab.engine.apply(late)).failed
    assert "scsi3 (local-lvm:" in failed.reason
    with pytest.raises(PlanRefused, match="disks this release did not make: scsi3"):
        await lab.engine.apply(await lab.engine.delete("shop"))
    lab.cluster.edit(vmid, delete="scsi3")
    with pytest.raises(PlanRefused, match="disks this release did not make: unused0"):
        await lab.engine.apply(await lab.engine.delete("shop"))
    assert lab.writes == []
    lab.cluster.edit(vmid, delete="unused0")
    assert (await lab.engine.apply(await lab.engine.delete("shop"))).ok


async def test_disks_we_added_later_are_ours_also_when_detached(lab: Any) -> None:
    await lab.applied(stack())
    more = stack().replace("cores: 2", "cores: 2, scsi1: {storage: local-lvm, size: 4G}")
    await lab.applied(more)
    await lab.applied(stack())
    assert "unused0" in lab.config(int(lab.vmid("web-1")))
    assert (await lab.engine.apply(await lab.engine.delete("shop"))).ok


PROTECTED = {
    "Pool": "apiVersion: pmpc/v1\nkind: Pool\nmetadata: {name: kept}\nspec: {protect: true}\n",
    "Storage": "apiVersion: pmpc/v1\nkind: Storage\nmetadata: {name: kept}\n"
    "spec: {type: dir, protect: true, config: {path: /kept, content: [iso]}}\n",
    "Sdn": "apiVersion: pmpc/v1\nkind: Sdn\nmetadata: {name: kept}\n"
    "spec: {protect: true, zones: {lab: {type: vlan, bridge: vmbr0}}}\n",
    "Firewall": "apiVersion: pmpc/v1\nkind: Firewall\nmetadata: {name: kept}\n"
    "spec: {protect: true, aliases: {office: 192.0.2.0/24}}\n",
    "VirtualMachine": "apiVersion: pmpc/v1\nkind: VirtualMachine\nmetadata: {name: kept}\n"
    "spec: {protect: true, source: {clone: {template: debian-13}}}\n",
}


@pytest.mark.parametrize("kind", PROTECTED)
async def test_what_is_protected_is_neither_pruned_nor_deleted(lab: Any, kind: str) -> None:
    await lab.applied(stack() + "---\n" + PROTECTED[kind])
    lab.forget_writes()
    pruned = await lab.plan(stack(), prune=True)
    deleted = await lab.engine.delete("shop")
    for plan in (pruned, deleted):
        assert f"{kind}/kept is protected" in [error.message for error in plan.errors]
        with pytest.raises(PlanRefused, match="protected"):
            await lab.engine.apply(plan)
    assert lab.writes == []


async def test_each_apply_that_changes_something_is_a_revision(lab: Any) -> None:
    await lab.applied(stack(cores=2))
    await lab.applied(stack(cores=2))
    await lab.applied(stack(cores=4))
    lab.cluster.edit(int(lab.vmid("web-1")), cores=8)
    await lab.applied(stack(cores=4), resolve={"config.cores": "ours"})
    await lab.applied(stack(cores=4, tags="b"))
    history = await lab.engine.history("shop")
    assert [(item.number, item.status.value) for item in history] == [
        (1, "superseded"),
        (2, "superseded"),
        (3, "superseded"),
        (4, "applied"),
    ]
    assert len({item.plan_id for item in history}) == 4
    assert [item.number for item in await lab.engine.history()] == [4]
    for number in (2, 1):
        await lab.engine.apply(await lab.engine.rollback("shop", number))
    assert [item.note for item in await lab.engine.history("shop")][4:] == [
        "rollback to 2",
        "rollback to 1",
    ]
    assert (await lab.plan(stack(cores=2))).empty


async def test_a_cap_counts_settings_too_and_a_release_of_nothing_is_none(lab: Any) -> None:
    three = "---\n".join(
        f"apiVersion: pmpc/v1\nkind: Pool\nmetadata: {{name: p{number}}}\nspec: {{}}\n"
        for number in range(3)
    )
    await lab.applied(stack() + "---\n" + three)
    plan = await lab.plan(stack(), prune=True, most_deleted=2)
    assert "3 objects would be deleted, more than 2" in plan.errors[0].message
    lab.forget_writes()
    with pytest.raises(PlanRefused, match="more than 2"):
        await lab.engine.apply(plan)
    assert lab.writes == []
    await lab.applied(stack(), prune=True, most_deleted=3)
    assert set(lab.cluster.pools) == {"shop"}


async def test_a_deleted_release_can_be_rolled_back_to_what_it_was(lab: Any) -> None:
    await lab.applied(stack(cores=2))
    assert (await lab.engine.apply(await lab.engine.delete("shop"))).ok
    assert lab.vmids() == []
    report = await lab.engine.apply(await lab.engine.rollback("shop"))
    assert report.ok, [item.reason for item in report.failed]
    assert lab.config(lab.vmid("web-1"))["cores"] == 2
    notes = [item.note for item in await lab.engine.history("shop")]
    assert notes == ["apply", "delete", "rollback to 1"]
    assert (await lab.plan(stack(cores=2))).empty


async def test_a_mistyped_object_to_keep_deletes_nothing(lab: Any) -> None:
    await lab.applied(stack())
    lab.forget_writes()
    with pytest.raises(InputInvalid, match="did you mean 'VirtualMachine/web-1'"):
        await lab.engine.delete("shop", keep=["VirtualMachine/wbe-1"])
    with pytest.raises(InputInvalid, match="no such object; there is Pool/shop, VirtualMachine"):
        await lab.engine.delete("shop", keep=["Storage/nfs"])
    with pytest.raises(InputInvalid, match="cannot restart VirtualMachine/wbe-1"):
        await lab.plan(stack(cores=4), restart=["VirtualMachine/wbe-1"])
    assert lab.writes == []
