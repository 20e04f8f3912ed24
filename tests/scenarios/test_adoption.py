"""Pain: taking over what exists forces a replacement, or shows diffs for ever (bpg#1988)."""

from __future__ import annotations

from typing import Any

import pytest

from pmpc_reconcile.actions import ActionContext, invoke
from pmpc_reconcile.actions.adopt import AdoptInput, AdoptOutput
from pmpc_reconcile.errors import InputInvalid

UUID = "0b1c2d3e-0000-4000-8000-0000000000aa"


def context(lab: Any) -> ActionContext:
    clock = lab.cluster.clock
    return ActionContext("lab", lab.state, lab.client, now=clock.now, sleep=clock.asleep)


def people_s_guests(lab: Any) -> None:
    """Make a VM and a container as people do: by hand."""
    lab.cluster.add_vm(
        "pve2",
        700,
        {
            "name": "old-db",
            "cores": "2",
            "memory": "4096",
            "scsihw": "virtio-scsi-single",
            "scsi0": "shared:8,discard=on",
            "net0": "virtio,bridge=vmbr0,tag=20",
            "boot": "order=scsi0",
            "smbios1": f"uuid={UUID}",
            "tags": "prod;db",
            "description": "made by hand\nin 2019",
            "cipassword": "geheim",
        },
        status="running",
    )
    lab.cluster.add_container(
        "pve1",
        701,
        {
            "hostname": "old-cache",
            "cores": "1",
            "memory": "512",
            "ostype": "debian",
            "rootfs": "local-lvm:4",
            "net0": "name=eth0,bridge=vmbr0,ip=dhcp,hwaddr=BC:24:11:00:00:01",
            "unprivileged": "1",
        },
    )


async def adopt(lab: Any, **options: Any) -> AdoptOutput:
    options.setdefault("release", "shop")
    found = await invoke("adopt", context(lab), AdoptInput(**options))
    assert isinstance(found, AdoptOutput)
    return found


async def test_manifests_of_what_exists_change_nothing(lab: Any) -> None:
    people_s_guests(lab)
    lab.forget_writes()
    output = await adopt(lab)
    assert output.proven, output.plan.explain()
    assert output.plan.counts() == {"update": 2}
    assert [step.summary for step in output.plan.steps] == [
        "set the marker of old-db",
        "set the marker of old-cache",
    ]
    assert "geheim" not in output.text
    assert UUID not in output.text
    assert lab.writes == []


async def test_applying_the_proof_makes_them_ours_and_the_next_plan_is_empty(lab: Any) -> None:
    people_s_guests(lab)
    before = {vmid: dict(lab.config(vmid)) for vmid in (700, 701)}
    output = await adopt(lab, save=True)
    lab.forget_writes()
    assert (await lab.engine.apply(output.plan)).ok
    assert len(lab.writes) == 2
    for vmid, config in before.items():
        after = dict(lab.config(vmid))
        assert "managed-by: pmpc release=shop" in after["description"]
        for changed in ("description", "digest"):
            after.pop(changed, None)
            config.pop(changed, None)
        assert after == config
    plan = await lab.plan(output.text)
    assert plan.empty, plan.explain()
    assert lab.vmids() == [700, 701]


async def test_what_has_an_owner_is_left_out(lab: Any) -> None:
    people_s_guests(lab)
    await lab.engine.apply((await adopt(lab, names=("700",))).plan)
    output = await adopt(lab)
    assert output.left == ("700 on pve2: it belongs to release shop as VirtualMachine/old-db",)
    assert [item.address for item in output.plan.changes] == ["Container/old-cache"]
    with pytest.raises(InputInvalid, match="belongs to release shop"):
        await adopt(lab, names=("old-db",), release="other")


async def test_what_others_did_to_our_guest_is_taken_over_when_it_is_named(lab: Any) -> None:
    people_s_guests(lab)
    await lab.engine.apply((await adopt(lab, names=("700",))).plan)
    lab.cluster.edit(700, user="alice@pve", cores=8, net1="virtio,bridge=vmbr0")
    again = await adopt(lab, names=("700",))
    assert again.proven
    assert again.plan.empty
    await lab.engine.apply(again.plan)
    text = again.text.replace("cores: '2'", "cores: 2")
    text = "\n".join(line for line in text.splitlines() if "net1:" not in line)
    back = await lab.plan(text.replace("cores: 8", "cores: 2"))
    changed = {change.path for item in back.changes for change in item.changes}
    assert {"config.cores", "config.net1.bridge"} <= changed
    assert not back.conflicts


async def test_a_pool_is_adopted_with_our_mark_in_its_comment(lab: Any) -> None:
    people_s_guests(lab)
    lab.cluster.call("POST", "/pools", {"poolid": "prod", "comment": "for people"})
    lab.cluster.call("PUT", "/pools/prod", {"vms": "700", "storage": "shared"})
    output = await adopt(lab, kinds=("Pool", "VirtualMachine"), names=("prod", "700"))
    assert output.proven, output.plan.explain()
    assert {item.address for item in output.plan.changes} == {"Pool/prod", "VirtualMachine/old-db"}
    report = await lab.engine.apply(output.plan)
    assert report.ok, [item.reason for item in report.failed]
    comment = lab.cluster.call("GET", "/pools/prod")["comment"]
    assert comment.startswith("for people")
    assert "managed-by: pmpc release=shop object=Pool/prod" in comment
    again = await lab.plan(output.text)
    assert again.empty, again.explain()
    other = await adopt(lab, kinds=("Pool", "Container"), release="other")
    assert "Pool/prod: another release manages it" in other.left


async def test_a_guest_that_is_not_there_is_named(lab: Any) -> None:
    with pytest.raises(InputInvalid, match="there is no guest 'nope'"):
        await adopt(lab, names=("nope",))
    with pytest.raises(InputInvalid, match="cannot adopt User: kinds are"):
        await adopt(lab, kinds=("User",))
    with pytest.raises(InputInvalid, match="PVE does not keep where an image came from"):
        await adopt(lab, kinds=("Image",))
    with pytest.raises(InputInvalid, match="there is no 'tank' of kind Storage; there is local"):
        await adopt(lab, names=("tank",), kinds=("Storage",))
