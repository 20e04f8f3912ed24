"""The ASGI door: the same answers from any ASGI server, over HTTPS with a known fingerprint."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn

from proxmox_client import AsyncClient, Pin
from proxmox_client.testing import SimRequest, SimulatedCluster
from proxmox_client.testing.certificate import Certificate, make_certificate
from proxmox_client.testing.faults import Drop
from proxmox_client.testing.request import ConnectionLost


@pytest.fixture
def cluster() -> SimulatedCluster:
    made = SimulatedCluster()
    made.add_vm("pve1", 100, {"name": "web"})
    return made


@pytest.fixture
def token(cluster: SimulatedCluster) -> str:
    return cluster.create_token("root@pam", "asgi")


def door(cluster: SimulatedCluster, token: str) -> httpx.AsyncClient:
    app = cluster.asgi(speed=None)
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="https://pve/api2/json",
        headers={"authorization": f"PVEAPIToken={token}"},
    )


@pytest.mark.requirement("asgi.same-answers")
@pytest.mark.parametrize(
    ("method", "path", "params"),
    [
        ("GET", "/nodes/pve1/qemu/100/config", {}),
        ("GET", "/nodes/pve2/qemu/9999/config", {}),
        ("GET", "/cluster/resources?type=vm", {}),
        ("GET", "/nosuchpath", {}),
        ("POST", "/pools", {"poolid": "prod", "comment": "a b&c"}),
        ("POST", "/pools", {"nope": "1"}),
    ],
)
async def test_answers_are_those_of_the_other_doors(
    cluster: SimulatedCluster, token: str, method: str, path: str, params: dict[str, str]
) -> None:
    twin = SimulatedCluster()
    twin.add_vm("pve1", 100, {"name": "web"})
    twin.create_token("root@pam", "asgi")
    headers = {"authorization": f"PVEAPIToken={token}"}
    expected = twin.handle(SimRequest(method, path, params, headers))
    async with door(cluster, token) as client:
        answer = await client.request(method, path, data=params or None)
    assert (answer.status_code, answer.content) == (expected.status, expected.body)
    assert answer.headers.get("content-type") == dict(expected.headers).get("Content-Type")


@pytest.mark.requirement("asgi.same-answers")
async def test_waiting_moves_the_clock_unless_a_server_runs_it(
    cluster: SimulatedCluster, token: str
) -> None:
    begun = cluster.clock.now()
    async with door(cluster, "root@pam!asgi=wrong") as client:
        answer = await client.get("/version")
    assert (answer.status_code, answer.content) == (401, b"")
    assert cluster.clock.now() == pytest.approx(begun + 3)


@pytest.mark.requirement("asgi.same-answers")
async def test_a_dropped_connection_is_an_application_that_fails(
    cluster: SimulatedCluster, token: str
) -> None:
    cluster.faults.add(Drop())
    async with door(cluster, token) as client:
        with pytest.raises(ConnectionLost):
            await client.get("/version")


@pytest.mark.requirement("asgi.https")
async def test_an_asgi_server_serves_it_over_https_with_a_known_fingerprint(
    cluster: SimulatedCluster, token: str, tmp_path: Path
) -> None:
    certificate = make_certificate(tmp_path, ("localhost",), ("127.0.0.1",))
    async with uvicorns(cluster, certificate) as url:
        assert cluster.clock.speed == 100
        async with AsyncClient(url, token=token, tls=Pin(certificate.fingerprint)) as pve:
            assert (await pve.version.get()).release == "9.2"
            task = await pve.nodes("pve1").qemu(100).status.start()
            assert (await task.wait(timeout=60)).ok
    assert cluster.clock.speed is None


@asynccontextmanager
async def uvicorns(cluster: SimulatedCluster, certificate: Certificate) -> AsyncGenerator[str]:
    config = uvicorn.Config(
        cluster.asgi(speed=100.0),
        ssl_certfile=certificate.certificate_file,
        ssl_keyfile=certificate.key_file,
        log_level="error",
        lifespan="on",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0))
    running = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        assert not running.done()
        await asyncio.sleep(0.01)
    yield f"https://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    await running
