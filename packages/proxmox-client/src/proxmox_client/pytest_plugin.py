"""Fixtures for tests against a simulated Proxmox VE cluster; pytest loads this by itself.

``pve_cluster`` is a fresh cluster for each test, ``pve_client`` a client that asks it in process on
its virtual clock, ``pve_server`` serves it over HTTPS. A marker says what kind of cluster:

    @pytest.mark.pve(nodes=2, version="8.4")
    def test_a_guest_starts(pve_cluster, pve_client):
        pve_cluster.add_vm("pve1", 100, {"name": "web"})
        assert pve_client.nodes("pve1").qemu(100).status.start().wait().ok

Nothing but pytest is imported until a test uses one of the fixtures.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from proxmox_client import AsyncClient, Client
    from proxmox_client.testing import SimulatedCluster
    from proxmox_client.testing.server import SimulatorServer

_MARKER = (
    "pve(nodes=3, version='9.2', seed=1, guests=None, load=None, speed=1.0): the simulated cluster"
    " behind the pve_* fixtures; nodes is a number or names, guests fills it, load names a saved"
    " one, speed is how fast its clock runs while it is served"
)
_OPTIONS = frozenset(("nodes", "version", "seed", "guests", "load", "speed"))


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", _MARKER)


def _options(request: pytest.FixtureRequest) -> dict[str, Any]:
    marker = request.node.get_closest_marker("pve")
    options: dict[str, Any] = {} if marker is None else dict(marker.kwargs)
    if unknown := options.keys() - _OPTIONS:
        raise pytest.UsageError(f"the pve marker has no {', '.join(sorted(unknown))}")
    return options


@pytest.fixture
def pve_cluster(request: pytest.FixtureRequest) -> SimulatedCluster:
    """Return a fresh simulated cluster, as the ``pve`` marker wants it."""
    from proxmox_client.testing import SimulatedCluster
    from proxmox_client.testing.seeding import numbered

    options = _options(request)
    if (path := options.get("load")) is not None:
        return SimulatedCluster.load(path)
    nodes, version, seed = (
        options.get(name, default)
        for name, default in (("nodes", 3), ("version", "9.2"), ("seed", 1))
    )
    names = numbered(nodes) if isinstance(nodes, int) else tuple(nodes)
    if (guests := options.get("guests")) is not None:
        return SimulatedCluster.generate(names, guests, seed, version)
    return SimulatedCluster(names, version, seed)


@pytest.fixture
def pve_token(pve_cluster: SimulatedCluster) -> str:
    """Return an API token of root at the cluster, without separated privileges."""
    return pve_cluster.create_token("root@pam", "pytest")


@pytest.fixture
def pve_client(pve_cluster: SimulatedCluster, pve_token: str) -> Iterator[Client]:
    """Return a client that asks the cluster in process; waiting moves the cluster's clock."""
    from proxmox_client import Client, SystemTrust

    with Client(
        "https://pve.invalid:8006",
        token=pve_token,
        tls=SystemTrust(),
        transport=pve_cluster.transport(),
        sleep=pve_cluster.clock.sleep,
        now=pve_cluster.clock.now,
    ) as client:
        yield client


@pytest.fixture
def pve_async_client(pve_cluster: SimulatedCluster, pve_token: str) -> AsyncClient:
    """Return the same for asyncio; it holds no connection, so nobody has to close it."""
    from proxmox_client import AsyncClient, SystemTrust

    return AsyncClient(
        "https://pve.invalid:8006",
        token=pve_token,
        tls=SystemTrust(),
        transport=pve_cluster.async_transport(),
        sleep=pve_cluster.clock.asleep,
        now=pve_cluster.clock.now,
    )


@pytest.fixture
def pve_server(
    request: pytest.FixtureRequest, pve_cluster: SimulatedCluster
) -> Iterator[SimulatorServer]:
    """Serve the cluster over HTTPS on loopback: ``url``, ``urls``, ``fingerprint``, ``ca_file``."""
    with pve_cluster.serve(speed=_options(request).get("speed", 1.0)) as server:
        yield server
