"""Whatever a token may not see, the record loses nothing: not seen is never gone."""

from __future__ import annotations

import asyncio
import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pmpc_state import COLLECTIONS, State, SyncMode, SyncReport, dump, load, sync
from proxmox_client import AsyncClient
from proxmox_client.testing import SimulatedCluster
from tests.lab.postgres import Server

AUDIT = (
    "Datastore.Audit", "Mapping.Audit", "Pool.Audit", "SDN.Audit", "Sys.Audit", "Sys.Modify",
    "Sys.Syslog", "VM.Audit", "VM.GuestAgent.Audit",
)  # fmt: skip
"""What shows everything there is."""
MORE = (
    ("/access/domains", {"realm": "ad1", "type": "ad", "domain": "x.y", "server1": "a.b"}),
    ("/cluster/notifications/endpoints/gotify",
     {"name": "gotify", "server": "https://g", "token": "t"}),
    ("/cluster/sdn/zones", {"zone": "z1", "type": "simple"}),
    ("/cluster/sdn/vnets", {"vnet": "v1", "zone": "z1"}),
    ("/cluster/sdn/dns", {"dns": "d1", "type": "powerdns", "url": "https://d", "key": "k"}),
    ("/cluster/sdn/controllers",
     {"controller": "evpn1", "type": "evpn", "asn": 65000, "peers": "10.0.0.1"}),
    ("/cluster/mapping/dir", {"id": "d1", "map": ["node=pve1,path=/mnt"]}),
    ("/cluster/ha/resources", {"sid": "ct:100"}),
)  # fmt: skip
"""What the generated cluster lacks."""


@pytest.fixture(scope="module")
def cluster() -> SimulatedCluster:
    """A cluster with something of nearly everything."""
    made = SimulatedCluster.generate(nodes=2, guests=12, seed=3)
    for path, settings in MORE:
        made.call("POST", path, settings)
    made.clock.advance(60)
    return made


async def _sync(
    state: State, cluster: SimulatedCluster, token: str, mode: SyncMode = SyncMode.FULL
) -> SyncReport:
    cluster.clock.advance(60)
    async with AsyncClient(
        "https://pve1",
        token=token,
        transport=cluster.async_transport(),
        sleep=cluster.clock.asleep,
        now=cluster.clock.now,
    ) as pve:
        return await sync(state, pve, "lab", collections=COLLECTIONS, mode=mode)


@pytest.fixture(scope="module")
def filled(cluster: SimulatedCluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database to copy, in which everything of the cluster is."""
    path = tmp_path_factory.mktemp("filled") / "state.sqlite"
    with State.open(f"sqlite:///{path}", now=cluster.clock.now) as state:
        report = asyncio.run(_sync(state, cluster, cluster.create_token("root@pam", "all")))
        assert {one.kind for one in state.reader().resources("lab")} > {"node-network", "qemu"}
        assert report.created > 100
    return path


@pytest.fixture
def state(
    request: pytest.FixtureRequest, filled: Path, tmp_path: Path, cluster: SimulatedCluster
) -> Iterator[State]:
    """The filled database, of the kind that is asked for."""
    path = tmp_path / "filled.sqlite"
    for suffix in ("", ".key"):
        shutil.copy(f"{filled}{suffix}", f"{path}{suffix}")
    with State.open(f"sqlite:///{path}", now=cluster.clock.now) as copied:
        if request.param == "sqlite":
            yield copied
            return
        written = io.StringIO()
        dump(copied, written)
    server: Server = request.getfixturevalue("postgres")
    server.empty("state")
    url = server.url("state")
    with State.open(url, now=cluster.clock.now, secret_key=copied.key) as loaded:
        load(loaded, io.StringIO(written.getvalue()))
        yield loaded


@pytest.mark.parametrize(
    ("state", "missing"),
    [
        *(("sqlite", missing) for missing in (*AUDIT, "every one")),
        *(("postgresql", missing) for missing in ("Datastore.Audit", "VM.Audit", "every one")),
    ],
    indirect=["state"],
)
async def test_a_token_without_a_privilege_makes_nothing_vanish_or_change(
    state: State, cluster: SimulatedCluster, missing: str
) -> None:
    """The moment before shows what it showed, and so does the moment after."""
    database = "postgresql" if state.path is None else "sqlite"
    user = f"{database}-without-{missing.replace(' ', '-').lower()}@pve"
    held = ",".join(one for one in AUDIT if one != missing and missing != "every one")
    role = user.partition("@")[0]
    cluster.call("POST", "/access/users", {"userid": user})
    cluster.call("POST", "/access/roles", {"roleid": role, "privs": held})
    cluster.call("PUT", "/access/acl", {"path": "/", "roles": role, "users": user})
    token = cluster.create_token(user, "sync")
    before = {one.address: one.config for one in state.reader().resources("lab")}
    moment = state.writer().snapshot("lab", "before").taken_at
    for mode in (SyncMode.FULL, SyncMode.INCREMENTAL):
        report = await _sync(state, cluster, token, mode)
        changed = [
            (one.kind.value, one.address, [field.path for field in one.fields])
            for one in state.reader().diff("lab", moment)
            if not one.address.startswith(("user/", "role/", "acl/", "token/"))  # made just now
        ]
        assert changed == []
        assert report.vanished == 0
    after = {one.address: one.config for one in state.reader().resources("lab")}
    assert before.items() <= after.items()
