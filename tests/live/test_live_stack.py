"""A small VM of our own, its whole life: created, applied again, edited, deleted."""

from __future__ import annotations

import pytest

from pmpc_reconcile.actions import ActionContext, invoke
from pmpc_reconcile.actions.apply import ApplyInput
from pmpc_reconcile.actions.delete import DeleteInput
from pmpc_reconcile.actions.plan import PlanInput
from pmpc_reconcile.plans.model import Plan
from proxmox_client import AsyncClient, NotFound
from tests.live.server import LiveServer

pytestmark = pytest.mark.live

MANIFEST = """
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {{name: pmpc-live-{run}}}
spec:
  vmid: {vmid}
  pool: {pool}
  placement: {{nodes: [{node}]}}
  config:
    cores: {cores}
    memory: 64
    scsihw: virtio-scsi-single
    scsi0: {{storage: {storage}, size: 1G}}
    tags: [pmpc-live]
  state: stopped
"""


@pytest.fixture
def release(server: LiveServer) -> str:
    return f"live-{server.run}"


async def planned(context: ActionContext, text: str, release: str) -> Plan:
    output = await invoke("plan", context, PlanInput(text=text, release=release))
    plan: Plan = output.plan
    return plan


async def test_a_vm_lives_its_life(
    server: LiveServer,
    context: ActionContext,
    pve: AsyncClient,
    node: str,
    storage: str,
    pool: str,
    vmid: int,
    release: str,
) -> None:
    def text(cores: int) -> str:
        return MANIFEST.format(
            run=server.run, vmid=vmid, pool=pool, node=node, storage=storage, cores=cores
        )

    made = await invoke("apply", context, ApplyInput(text=text(1), release=release))
    assert not made.report.failed
    config = pve.nodes(node).qemu(vmid).config
    assert (await config.get()).cores == 1

    assert (await planned(context, text(1), release)).empty

    # Somebody else changes what is ours: a conflict, not a silent overwrite.
    await config.put(cores=3)
    conflicted = await planned(context, text(2), release)
    assert [item.address for item in conflicted.conflicts]
    assert (await config.get()).cores == 3

    resolved = ApplyInput(text=text(2), release=release, resolve={"config.cores": "ours"})
    assert not (await invoke("apply", context, resolved)).report.failed
    assert (await config.get()).cores == 2

    removal = await invoke("delete", context, DeleteInput(release=release, dry_run=True))
    await invoke("apply", context, ApplyInput(plan_id=removal.plan.id))
    with pytest.raises(NotFound):
        await config.get()
