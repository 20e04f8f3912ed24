"""Facts about the socket: what a real connection shows and no request in process does."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from proxmox_client.testing import SimulatedCluster, server
from proxmox_client.testing.server import SimulatorServer

pytestmark = pytest.mark.conformance


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimulatorServer]:
    monkeypatch.setattr(server, "KEEPALIVE_SECONDS", 0.3)
    with SimulatedCluster(nodes=("pve1",)).serve(speed=50.0) as served:
        yield served


def address(served: SimulatorServer) -> tuple[str, int]:
    parts = urlsplit(served.url)
    return str(parts.hostname), int(parts.port or 0)


def connect(served: SimulatorServer) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=served.ca_file)
    host, port = address(served)
    return context.wrap_socket(socket.create_connection((host, port), 10), server_hostname=host)


def everything(connection: socket.socket) -> bytes:
    data = b""
    try:
        while part := connection.recv(65536):
            data += part
    except (ConnectionError, ssl.SSLError):
        pass
    return data


@pytest.mark.requirement("http.idle")
@pytest.mark.parametrize(
    "sent", [b"", b"GET /api2/json/access/domains HTTP/1.1\r\nHost: x\r\n\r\n"]
)
def test_an_idle_connection_is_closed_after_a_while(running: SimulatorServer, sent: bytes) -> None:
    assert KEEPALIVE == 5
    with connect(running) as connection:
        connection.settimeout(5)
        if sent:
            connection.sendall(sent)
        said = everything(connection)
    assert said.startswith(b"HTTP/1.1 200" if sent else b"")


KEEPALIVE = server.KEEPALIVE_SECONDS


@pytest.mark.requirement("http.header-limit")
@pytest.mark.parametrize(
    "headers",
    [b"X-Long: " + b"y" * 9000 + b"\r\n", b"".join(b"X-%d: 1\r\n" % n for n in range(70))],
)
def test_too_many_headers_drop_the_connection(running: SimulatorServer, headers: bytes) -> None:
    with connect(running) as connection:
        connection.settimeout(5)
        connection.sendall(b"GET /api2/json/version HTTP/1.1\r\nHost: x\r\n" + headers + b"\r\n")
        assert everything(connection) == b""


@pytest.mark.requirement("http.chunked")
def test_a_chunked_body_is_refused(running: SimulatorServer) -> None:
    context = ssl.create_default_context(cafile=running.ca_file)
    host, port = address(running)
    connection = http.client.HTTPSConnection(host, port, context=context, timeout=5)
    connection.request("POST", "/api2/json/pools", body=iter([b"poolid=a"]), encode_chunked=True)
    answer = connection.getresponse()
    assert (answer.status, answer.reason) == (501, "chunked transfer encoding not supported")
    connection.close()


@pytest.mark.requirement("http.plain")
def test_plain_http_is_redirected(running: SimulatorServer) -> None:
    host, port = address(running)
    connection = http.client.HTTPConnection(host, port, timeout=5)
    connection.request("GET", "/api2/json/version")
    answer = connection.getresponse()
    assert answer.status == 301
    assert answer.getheader("Location") == f"https://{host}:{port}/api2/json/version"
    connection.close()


@pytest.mark.requirement("http.tls")
def test_tls_is_of_version_1_3(running: SimulatorServer) -> None:
    with connect(running) as connection:
        assert connection.version() == "TLSv1.3"


@pytest.mark.requirement("http.pipelining")
def test_requests_in_a_row_are_answered_in_order(running: SimulatorServer) -> None:
    asked = b"".join(
        b"GET /api2/json/%s HTTP/1.1\r\nHost: x\r\n\r\n" % path
        for path in (b"access/domains", b"access/ticket", b"access/domains")
    )
    with connect(running) as connection:
        connection.settimeout(5)
        connection.sendall(asked)
        said = everything(connection)
    bodies = [part.partition(b"\r\n\r\n")[2] for part in said.split(b"HTTP/1.1 200")[1:]]
    assert [b'"realm"' in body for body in bodies] == [True, False, True]


@pytest.mark.requirement("http.upload-form")
def test_an_upload_that_is_no_form_of_parts_ends_the_connection(running: SimulatorServer) -> None:
    path = b"/api2/json/nodes/pve1/storage/local/upload"
    with connect(running) as connection:
        connection.settimeout(5)
        connection.sendall(
            b"POST " + path + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\n\r\ncontent=iso"
        )
        assert everything(connection) == b""


@pytest.mark.requirement("http.unauthorised")
def test_a_401_says_nothing_of_type_and_length(running: SimulatorServer) -> None:
    with connect(running) as connection:
        connection.settimeout(5)
        connection.sendall(b"GET /api2/json/version HTTP/1.1\r\nHost: x\r\n\r\n")
        said = everything(connection)
    head, _, body = said.partition(b"\r\n\r\n")
    names = {line.partition(b":")[0].lower() for line in head.split(b"\r\n")[1:]}
    assert head.startswith(b"HTTP/1.1 401 No ticket\r\n")
    assert not names & {b"content-type", b"content-length"}
    assert body == b""
