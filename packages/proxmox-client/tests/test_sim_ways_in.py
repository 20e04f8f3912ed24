"""Ways into the simulator: in-process transports and HTTPS, with PVE's habits on the wire."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import http.client
import json
import ssl
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from proxmox_client.testing import SimulatedCluster
from proxmox_client.testing.server import SimulatorServer


@pytest.fixture
def cluster() -> SimulatedCluster:
    return SimulatedCluster()


@pytest.fixture
def token(cluster: SimulatedCluster) -> str:
    return f"PVEAPIToken={cluster.create_token('root@pam', 't')}"


@pytest.fixture
def server(cluster: SimulatedCluster) -> Iterator[SimulatorServer]:
    with cluster.serve(speed=50.0) as running:
        yield running


def connect(server: SimulatorServer) -> http.client.HTTPSConnection:
    address = urlsplit(server.url)
    context = ssl.create_default_context(cafile=server.ca_file)
    assert address.hostname is not None
    return http.client.HTTPSConnection(address.hostname, address.port, context=context, timeout=10)


@pytest.mark.requirement("http.unauthorised", "simulator.transports")
def test_the_sync_transport_waits_on_the_virtual_clock(cluster: SimulatedCluster) -> None:
    with httpx.Client(transport=cluster.transport(), base_url="https://pve") as client:
        before = cluster.clock.now()
        answer = client.get("/api2/json/version")
    assert (answer.status_code, answer.reason_phrase) == (401, "No ticket")
    assert cluster.clock.now() == pytest.approx(before + 3)


@pytest.mark.requirement("clock.events", "simulator.transports")
async def test_the_async_transport_serves_many_at_once(
    cluster: SimulatedCluster, token: str
) -> None:
    transport = cluster.async_transport(via="pve2")
    async with httpx.AsyncClient(transport=transport, base_url="https://pve") as client:
        before = cluster.clock.now()
        good = [client.get("/api2/json/version", headers={"authorization": token})] * 1
        bad = [client.get("/api2/json/version") for _ in range(20)]
        answers = await asyncio.gather(*good, *bad)
    assert [answer.status_code for answer in answers] == [200] + [401] * 20
    assert cluster.clock.now() == pytest.approx(before + 3)


@pytest.mark.requirement("clock.events")
async def test_sleepers_wake_in_the_order_of_their_deadlines(cluster: SimulatedCluster) -> None:
    woken: list[float] = []

    async def nap(seconds: float) -> None:
        await cluster.clock.asleep(seconds)
        woken.append(seconds)

    await asyncio.gather(nap(30), nap(1), nap(5))
    assert woken == [1, 5, 30]


@pytest.mark.requirement("http.bodies")
def test_forms_and_json_mean_the_same(cluster: SimulatedCluster, token: str) -> None:
    headers = {"authorization": token}
    with httpx.Client(
        transport=cluster.transport(), base_url="https://pve/api2/json", headers=headers
    ) as client:
        client.post("/access/users", data={"userid": "form@pve", "enable": "0"})
        client.post("/access/users", json={"userid": "json@pve", "enable": False})
        users = {row["userid"]: row for row in client.get("/access/users").json()["data"]}
    assert users["form@pve"]["enable"] == users["json@pve"]["enable"] == 0


@pytest.mark.requirement("http.upload")
def test_a_file_can_be_uploaded(cluster: SimulatedCluster, token: str) -> None:
    data = b"x" * 4000
    with httpx.Client(transport=cluster.transport(), base_url="https://pve") as client:
        answer = client.post(
            "/api2/json/nodes/pve1/storage/local/upload",
            headers={"authorization": token},
            data={
                "content": "iso",
                "checksum": hashlib.sha256(data).hexdigest(),
                "checksum-algorithm": "sha256",
            },
            files={"filename": ("tiny.iso", data)},
        )
    cluster.clock.advance(2)
    assert cluster.tasks.get(answer.json()["data"]).exitstatus == "OK"
    assert cluster.volumes.find("pve1", "local:iso/tiny.iso") is not None


@pytest.mark.requirement("simulator.https")
def test_https_has_a_known_certificate(server: SimulatorServer) -> None:
    address = urlsplit(server.url)
    pem = ssl.get_server_certificate((address.hostname or "", address.port or 0))
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest().upper()
    assert server.fingerprint.replace(":", "") == digest


@pytest.mark.requirement("http.forwarded")
def test_a_forwarded_answer_says_close_and_stays_open(server: SimulatorServer, token: str) -> None:
    connection = connect(server)
    for _ in range(3):
        connection.putrequest("GET", "/api2/json/nodes/pve1/qemu")
        connection.putheader("Authorization", token)
        connection.endheaders()
        # The library would hang up after the first word; the socket is what counts.
        sock = connection.sock
        answer = http.client.HTTPResponse(sock, method="GET")
        answer.begin()
        assert answer.headers.get_all("Connection") == ["close", "Keep-Alive"]
        assert json.loads(answer.fp.read(answer.length))["data"] == []
        connection._HTTPConnection__state = "Idle"  # type: ignore[attr-defined]  # same socket again
    connection.close()


@pytest.mark.requirement("http.no-line-feed", "http.errors-close")
def test_an_error_closes_the_connection_and_is_the_reason_phrase(
    server: SimulatorServer, token: str
) -> None:
    connection = connect(server)
    connection.request("GET", "/api2/json/storage/nope", headers={"Authorization": token})
    answer = connection.getresponse()
    assert (answer.status, answer.reason) == (500, "storage 'nope' does not exist")
    assert answer.getheader("Connection") == "close"
    connection.close()


@pytest.mark.requirement("http.keep-alive")
def test_the_hundredth_request_is_the_last_of_a_connection(
    server: SimulatorServer, token: str
) -> None:
    connection = connect(server)
    said: list[str | None] = []
    for _ in range(100):
        connection.request("GET", "/api2/json/version", headers={"Authorization": token})
        answer = connection.getresponse()
        answer.read()
        said.append(answer.getheader("Connection"))
    connection.close()
    assert said == ["Keep-Alive"] * 99 + ["close"]


@pytest.mark.requirement("http.gzip")
def test_long_answers_are_compressed_on_request(server: SimulatorServer, token: str) -> None:
    connection = connect(server)
    headers = {"Authorization": token, "Accept-Encoding": "gzip"}
    connection.request("GET", "/api2/json/access/roles", headers=headers)
    answer = connection.getresponse()
    assert answer.getheader("Content-Encoding") == "gzip"
    assert len(json.loads(gzip.decompress(answer.read()))["data"]) > 10
    connection.close()


@pytest.mark.requirement("proxying.cluster-status", "simulator.https")
def test_every_node_has_its_own_address(server: SimulatorServer, token: str) -> None:
    context = ssl.create_default_context(cafile=server.ca_file)
    for node, url in server.urls.items():
        with httpx.Client(verify=context, headers={"authorization": token}) as client:
            rows = client.get(f"{url}/api2/json/cluster/status").json()["data"]
        assert [row["name"] for row in rows if row.get("local")] == [node]


@pytest.mark.requirement("simulator.https")
def test_the_clock_follows_real_time_while_serving(
    cluster: SimulatedCluster, server: SimulatorServer, token: str
) -> None:
    before = cluster.clock.now()
    connection = connect(server)
    connection.request("GET", "/api2/json/version")
    assert connection.getresponse().status == 401
    connection.close()
    assert cluster.clock.now() >= before + 3


@pytest.mark.requirement("simulator.command")
def test_the_command_prints_address_fingerprint_and_token() -> None:
    command = [sys.executable, "-m", "proxmox_client.testing", "--nodes", "2", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline().split() for _ in range(4)]
        process.terminate()
        process.communicate(timeout=10)
    assert [line[0] for line in lines] == ["pve1", "pve2", "fingerprint", "token"]
    assert lines[3][1].startswith("root@pam!demo=")
    assert process.returncode == 0
