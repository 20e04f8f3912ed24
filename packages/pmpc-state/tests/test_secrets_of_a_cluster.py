"""A cluster full of secrets is synced, and none of them is in the database."""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import create_engine, select

from pmpc_state import COLLECTIONS, State, sync
from pmpc_state.schema import metadata
from proxmox_client import AsyncClient
from proxmox_client.testing import SimulatedCluster


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


NOTE = "pw-in-a-note-4711"
WRITES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("/access/users", {"userid": "eve@pve", "keys": "pwSecondFactor88", "password": "pw-login-88"}),
    ("/access/domains", {"realm": "ad1", "type": "ad", "domain": "x.y", "server1": "a.b",
                         "bind_dn": "CN=joe,DC=x", "password": "pw-realm-bind"}),
    ("/access/domains", {"realm": "oidc", "type": "openid", "issuer-url": "https://x",
                         "client-id": "c", "client-key": "pw-openid-client"}),
    ("/cluster/notifications/endpoints/gotify",
     {"name": "gotify", "server": "https://g", "token": "pw-gotify-token"}),
    ("/cluster/notifications/endpoints/smtp",
     {"name": "mails", "server": "m", "username": "u", "password": "pw-smtp-login",
      "from-address": "a@b.c", "mailto": ["a@b.c"]}),
    ("/cluster/notifications/endpoints/webhook",
     {"name": "hook", "method": "post", "url": "https://h/x?id=7&token=pw-in-a-url",
      "header": [f"name=Authorization,value={_encoded('pw-in-a-header')}"],
      "body": _encoded('{"token": "pw-in-a-body"}'),
      "secret": [f"name=one,value={_encoded('pw-of-a-hook')}"]}),
    ("/cluster/sdn/dns",
     {"dns": "pdns", "type": "powerdns", "url": "https://d/api", "key": "pw-dns-key"}),
    ("/cluster/sdn/ipams",
     {"ipam": "netbox1", "type": "netbox", "url": "https://n/api", "token": "pw-ipam-token"}),
    ("/cluster/acme/plugins",
     {"id": "cf", "type": "dns", "api": "cf", "data": _encoded("CF_Account=pw-of-a-plugin")}),
    ("/nodes/pve1/qemu",
     {"vmid": 100, "cipassword": "pw-cloud-init", "description": f"console password: {NOTE}"}),
)  # fmt: skip
VARIABLES = "LANG=C\0PGPASSWORD=pw-in-a-variable"
NEEDLES = (
    *re.findall(r"pw-[\w-]+", repr(WRITES) + VARIABLES),
    *(_encoded(text)[:12] for text in ("pw-in-a-header", "pw-of-a-hook")),
    *(_encoded(text) for text in ('{"token": "pw-in-a-body"}', "CF_Account=pw-of-a-plugin")),
    "pw-in-a-proxy",
    "pwSecondFactor88",
)
RECORDED = {
    "acme-plugin/cf", "datacenter-options/cluster", "lxc/101", "notification-gotify/gotify",
    "notification-smtp/mails", "notification-webhook/hook", "qemu/100", "realm/ad1", "realm/oidc",
    "sdn-dns/pdns", "sdn-ipam/netbox1", "user/eve@pve",
}  # fmt: skip


@pytest.fixture
def cluster() -> SimulatedCluster:
    made = SimulatedCluster(nodes=("pve1", "pve2"), seed=1)
    made.add_container("pve1", 101)
    return made


@pytest.fixture
async def pve(cluster: SimulatedCluster) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(
        "https://pve1",
        token=cluster.create_token("root@pam", "demo"),
        transport=cluster.async_transport(),
        sleep=cluster.clock.asleep,
        now=cluster.clock.now,
    ) as client:
        for path, settings in WRITES:
            await client.request("POST", path, settings)
        await client.request("PUT", "/nodes/pve1/lxc/101/config", {"env": VARIABLES})
        await client.cluster.options.put(http_proxy="http://joe:pw-in-a-proxy@p:3128")
        cluster.clock.advance(60)
        yield client


async def test_no_secret_of_a_cluster_is_in_any_row(
    url: str, cluster: SimulatedCluster, pve: AsyncClient
) -> None:
    with State.open(url, now=cluster.clock.now) as state:
        await sync(state, pve, "lab", collections=COLLECTIONS)
        found = {one.address for one in state.reader().resources("lab")}
    assert found >= RECORDED
    engine = create_engine(url)
    with engine.connect() as connection:
        text = "\n".join(
            repr(tuple(row))
            for table in metadata.sorted_tables
            for row in connection.execute(select(table))
        )
    engine.dispose()
    assert len(NEEDLES) >= 15
    assert [needle for needle in NEEDLES if needle in text] == []
    assert "hmac-sha256:" in text
    assert "LANG=C" in text, "the container's variables are not recorded at all"


async def test_drift_in_a_secret_is_a_change_of_its_field_and_no_more(
    url: str, cluster: SimulatedCluster, pve: AsyncClient
) -> None:
    with State.open(url, now=cluster.clock.now) as state:
        await sync(state, pve, "lab", collections=COLLECTIONS)
        before = state.writer().snapshot("lab", "before").taken_at
        cluster.clock.advance(60)
        await pve.request("PUT", "/cluster/sdn/dns/pdns", {"key": "another"})
        await pve.request("PUT", "/access/users/eve@pve", {"keys": "another"})
        await pve.request("PUT", "/nodes/pve1/lxc/101/config", {"env": "LANG=C\0PGPASSWORD=other"})
        await pve.cluster.options.put(http_proxy="http://joe:another@p:3128")
        await sync(state, pve, "lab", collections=COLLECTIONS)
        changes = {one.address: one for one in state.reader().diff("lab", before)}
    assert {name: [field.path for field in one.fields] for name, one in changes.items()} == {
        "sdn-dns/pdns": ["key"],
        "user/eve@pve": ["keys"],
        "lxc/101": ["env"],
        "datacenter-options/cluster": ["http_proxy"],
    }
    shown = repr(changes)
    assert "hmac-sha256:" in shown
    assert "another" not in shown
