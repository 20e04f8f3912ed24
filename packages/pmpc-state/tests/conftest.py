"""Databases for the tests: a file per test, and one PostgreSQL server for the session."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Generator, Iterator
from itertools import count
from pathlib import Path

import httpx
import pytest

from pmpc_state import State, migrate
from pmpc_state.testing import Recorder
from proxmox_client import AsyncClient
from proxmox_client.testing import SimulatedCluster
from proxmox_client.testing.clock import VirtualClock
from tests.lab.postgres import Server, running_postgres

_NUMBERS = count(1)


@pytest.fixture(scope="session")
def postgres() -> Generator[Server, None, None]:
    """One PostgreSQL server, with one migrated database."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy databases from."""
    path = tmp_path_factory.mktemp("template") / "state.sqlite"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data-home"))
    monkeypatch.delenv("PMPC_STATE_KEY", raising=False)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, once per kind of database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'state.sqlite'}"
    server: Server = request.getfixturevalue("postgres")
    name = f"empty_{next(_NUMBERS)}"
    server.execute(f"CREATE DATABASE {name}")
    return server.url(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database with its tables and nothing in them, once per kind of database."""
    if request.param == "sqlite":
        path = tmp_path / "state.sqlite"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        path.chmod(0o600)
        return f"sqlite:///{path}"
    server: Server = request.getfixturevalue("postgres")
    server.empty("state")
    return server.url("state")


@pytest.fixture
def clock() -> VirtualClock:
    """A clock that moves only when told to."""
    return VirtualClock()


@pytest.fixture
def state(url: str, clock: VirtualClock) -> Iterator[State]:
    """An open state with nothing in it, on each kind of database."""
    with State.open(url, now=clock.now) as opened:
        yield opened


@pytest.fixture
def recorder(state: State) -> Recorder:
    """What records looks in the state of the test."""
    return Recorder(state)


@pytest.fixture
def transport(cluster: SimulatedCluster) -> httpx.AsyncBaseTransport:
    """The way to the `cluster` of a test; tests that watch it put theirs in its place."""
    return cluster.async_transport()


@pytest.fixture
async def pve(
    cluster: SimulatedCluster, transport: httpx.AsyncBaseTransport
) -> AsyncIterator[AsyncClient]:
    """A client of the `cluster` of a test, who may do everything."""
    async with AsyncClient(
        "https://pve1",
        token=cluster.create_token("root@pam", "demo"),
        transport=transport,
        sleep=cluster.clock.asleep,
        now=cluster.clock.now,
    ) as client:
        yield client
