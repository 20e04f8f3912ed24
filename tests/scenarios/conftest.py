"""A simulated cluster with a template, a state database, and an engine to let loose on it."""

from __future__ import annotations

from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from pmpc_reconcile.engine import Reconciler
from pmpc_reconcile.events import Event
from pmpc_reconcile.execute.report import ApplyReport
from pmpc_reconcile.manifests import load_text
from pmpc_reconcile.plans.model import Plan
from pmpc_state import State
from proxmox_client import ApiToken, AsyncClient
from proxmox_client.testing import SimulatedCluster
from tests.lab.fleet import Fleet, fleet_of
from tests.lab.postgres import Server, running_postgres

TEMPLATE = 9000
CT_TEMPLATE = "local:vztmpl/debian-13-standard.tar.zst"


class Recorder(httpx.AsyncBaseTransport):
    """Passes requests on and remembers those that write; may lose answers or refuse to go on."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self.inner = inner
        self.writes: list[str] = []
        self.reads = 0
        self.lose: set[str] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        name = f"{request.method} {request.url.path.removeprefix('/api2/json')}"
        if request.method == "GET":
            self.reads += 1
            return await self.inner.handle_async_request(request)
        self.writes.append(name)
        response = await self.inner.handle_async_request(request)
        lost = next((end for end in self.lose if name.endswith(end)), None)
        if lost is not None:
            self.lose.discard(lost)
            raise httpx.ReadError("connection reset", request=request)
        return response


class Lab:
    """The simulated cluster and the engine, with the shortcuts the scenarios use."""

    def __init__(self, cluster: SimulatedCluster, state: State) -> None:
        self.cluster = cluster
        self.state = state
        self.token = cluster.create_token("root@pam", "test")
        self.recorder = Recorder(cluster.async_transport())
        self.client = AsyncClient(
            "https://pve1:8006",
            token=ApiToken.parse(self.token),
            transport=self.recorder,
            sleep=cluster.clock.asleep,
            now=cluster.clock.now,
        )
        self.events: list[Event] = []
        self.engine = self.engine_on(state, on_event=self.events.append)

    def engine_on(self, state: State, **more: Any) -> Reconciler:
        """Return another engine, on this state or another one, in the cluster's own time."""
        clock = self.cluster.clock
        return Reconciler(self.client, state, "lab", now=clock.now, sleep=clock.asleep, **more)

    @property
    def writes(self) -> list[str]:
        """Write requests sent since the last `forget_writes`."""
        return self.recorder.writes

    def forget_writes(self) -> None:
        """Begin to count again."""
        self.recorder.writes.clear()

    async def plan(self, text: str, **options: Any) -> Plan:
        """Plan manifests."""
        return await self.engine.plan(load_text(text), "shop", **options)

    async def apply(self, text: str, **options: Any) -> ApplyReport:
        """Plan and apply manifests."""
        return await self.engine.apply(await self.plan(text, **options))

    async def applied(self, text: str, **options: Any) -> ApplyReport:
        """Plan and apply manifests and insist that all went well."""
        report = await self.apply(text, **options)
        assert report.ok, [result.reason for result in (*report.failed, *report.skipped)]
        return report

    def config(self, vmid: int) -> Mapping[str, Any]:
        """Return a guest's configuration as the API shows it."""
        guest = self.cluster.guests[vmid]
        config: Mapping[str, Any] = self.cluster.call(
            "GET", f"/nodes/{guest.node}/{guest.kind}/{vmid}/config"
        )
        return config

    def status(self, vmid: int) -> str:
        """Return whether a guest runs, as its node says."""
        guest = self.cluster.guests[vmid]
        answer = self.cluster.call("GET", f"/nodes/{guest.node}/{guest.kind}/{vmid}/status/current")
        return str(answer["status"])

    def vmid(self, name: str) -> int:
        """Return the vmid of the only guest of that name."""
        (found,) = [
            vmid
            for vmid in self.cluster.guests
            if self.config(vmid).get("name", self.config(vmid).get("hostname")) == name
        ]
        return found

    def vmids(self) -> Sequence[int]:
        """Return the vmids of guests that are no templates."""
        return sorted(vmid for vmid in self.cluster.guests if not self.config(vmid).get("template"))


def furnished_cluster(**options: Any) -> SimulatedCluster:
    """Return a cluster with a VM template and a container image."""
    cluster = SimulatedCluster(**options)
    cluster.add_vm(
        "pve1",
        TEMPLATE,
        {
            "name": "debian-13",
            "cores": 1,
            "memory": "1024",
            "scsihw": "virtio-scsi-single",
            "scsi0": "shared:8",
            "net0": "virtio,bridge=vmbr0",
            "boot": "order=scsi0",
            "agent": "1",
        },
        template=True,
    )
    cluster.call("POST", "/access/users", {"userid": "alice@pve"})
    acl = {"path": "/", "roles": "Administrator", "users": "alice@pve"}
    cluster.call("PUT", "/access/acl", acl)
    for node in cluster.nodes:
        cluster.add_volume("local", CT_TEMPLATE, 120_000_000, node=node)
    return cluster


@asynccontextmanager
async def furnished_lab(database: Path) -> AsyncGenerator[Lab]:
    """Give a lab whose state is in that file."""
    cluster = furnished_cluster()
    with State.open(f"sqlite:///{database}", now=cluster.clock.now) as state:
        lab = Lab(cluster, state)
        async with lab.client:
            yield lab


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    async with furnished_lab(tmp_path / "state.db") as lab:
        yield lab


@pytest.fixture(params=["8.4", "9.2"])
async def old_and_new(request: Any, tmp_path: Path) -> AsyncIterator[Lab]:
    """A lab of the oldest and one of the newest version."""
    cluster = furnished_cluster(version=request.param)
    with State.open(f"sqlite:///{tmp_path / 'state.db'}", now=cluster.clock.now) as state:
        lab = Lab(cluster, state)
        async with lab.client:
            yield lab


@pytest.fixture
def lab_of() -> Callable[[Path], AbstractAsyncContextManager[Lab]]:
    return furnished_lab


@pytest.fixture
def furnished() -> Callable[..., SimulatedCluster]:
    return furnished_cluster


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """Return a PostgreSQL server, one for all scenarios."""
    with running_postgres() as server:
        yield server


@pytest.fixture
def fleet(postgres: Server, tmp_path: Path) -> Iterator[Fleet]:
    """Return a served cluster for worker processes that share their work through PostgreSQL."""
    with fleet_of(furnished_cluster(), postgres.url("state"), tmp_path) as made:
        yield made


@pytest.fixture
def lab_type() -> type[Lab]:
    return Lab
