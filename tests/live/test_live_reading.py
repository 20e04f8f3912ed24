"""Reading and refused requests: safe on any server."""

from __future__ import annotations

import pytest

from pmpc_reconcile.actions import ActionContext, from_plain, invoke
from pmpc_reconcile.actions.list_resources import ListInput
from pmpc_reconcile.actions.sync import SyncInput
from proxmox_client import (
    AsyncClient,
    AuthenticationFailed,
    FingerprintMismatch,
    NotFound,
    ParameterInvalid,
    Pin,
)
from tests.live.server import LiveServer

pytestmark = pytest.mark.live


async def test_version_nodes_and_resources_are_typed(pve: AsyncClient, node: str) -> None:
    assert (await pve.version.get()).version
    resources = await pve.cluster.resources.get()
    assert f"node/{node}" in [item.id for item in resources]


async def test_a_missing_guest_is_not_found(pve: AsyncClient, node: str, vmid: int) -> None:
    with pytest.raises(NotFound):
        await pve.nodes(node).qemu(vmid).config.get()


async def test_a_bad_parameter_is_named(pve: AsyncClient) -> None:
    with pytest.raises(ParameterInvalid) as caught:
        await pve.request("GET", "/cluster/resources", {"type": "nonsense"})
    assert "type" in caught.value.errors


async def test_a_wrong_token_is_refused(server: LiveServer) -> None:
    stranger = "nobody@pam!none=00000000-0000-0000-0000-000000000000"
    async with server.connect(stranger) as client:
        with pytest.raises(AuthenticationFailed):
            await client.version.get()


async def test_another_certificate_is_refused(server: LiveServer) -> None:
    wrong = Pin(":".join(["00"] * 32))
    async with AsyncClient(server.url, token=server.token, tls=wrong) as client:
        with pytest.raises(FingerprintMismatch):
            await client.version.get()


async def test_a_second_sync_writes_no_history(context: ActionContext) -> None:
    await invoke("sync", context, from_plain(SyncInput, {}))
    listed = await invoke("list", context, ListInput(kind="node"))
    assert listed.items
    again = await invoke("sync", context, from_plain(SyncInput, {}))
    assert (again.created, again.vanished) == (0, 0)
